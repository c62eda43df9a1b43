import AgentSessions

/// A step of a random sequence: a call with values that are fixed, so that the sequence can be repeated and shrunk.
///
/// Sessions and messages are named by their number in a small pool, so that steps meet each other's.
struct RandomStep: Sendable {
    /// By how many microseconds the clock goes on before the step; less than 0 goes backwards.
    var tick: Int64
    var call: Call

    enum Call: Sendable {
        case create(Int, actorName: String, metadata: JSONObject)
        case get(Int)
        case list(Filter, after: Int?, offset: Int, limit: Int)
        case update(Int, actorName: String?, metadata: JSONObject?, expected: Revision)
        case addUsage(Int, TokenUsage)
        case delete(Int)
        case append(Int, [Message], usage: TokenUsage?, expectedSequence: Int?)
        case page(Int, MessageRange, limit: Int)
        case rewind(Int, to: Int, expectedSequence: Int?, expected: Revision)
        case restore(Int, as: Int)
    }

    /// A message to append.
    struct Message: Sendable {
        var id: Int
        var role: MessageRole
        var content: String
        var toolCallID: String?
        var metadata: JSONObject
    }

    /// The revision that a change expects, beside that which the session has when the step comes.
    enum Revision: Sendable {
        case any
        case current(off: Int64)
    }

    /// A filter whose times are those of sessions when the step comes.
    struct Filter: Sendable {
        var actorName: String?
        var createdFrom: Int?
        var createdBefore: Int?
        var updatedFrom: Int?
        var updatedBefore: Int?
    }
}

/// What came of a step.
enum RandomAnswer: Equatable {
    case done
    case flag(Bool)
    case session(Session?)
    case sessions([Session])
    case messages([SessionMessage])
    case page(SessionSnapshot?)
    case refused(StoreError.Code)
}

extension RandomAnswer: CustomStringConvertible {
    var description: String {
        switch self {
        case .done: "done"
        case .flag(let flag): "\(flag)"
        case .session(let session): session.map(told) ?? "nil"
        case .sessions(let sessions): "[\(sessions.map(told).joined(separator: ", "))]"
        case .messages(let messages): "[\(messages.map(told).joined(separator: ", "))]"
        case .page(let page):
            page.map { "(\(told($0.session)), [\($0.messages.map(told).joined(separator: ", "))])" } ?? "nil"
        case .refused(let code): "the error \(code)"
        }
    }

    private func told(_ session: Session) -> String {
        let usage = session.usage
        return
            "session \(session.id) of \(session.actorName.debugDescription), \(session.messageCount) messages, usage "
            + "\(usage.inputTokens)/\(usage.outputTokens)/\(usage.estimatedCost), metadata "
            + "\((try? session.metadata.losslessText()) ?? "?"), created \(session.createdAt), updated \(session.updatedAt)"
    }

    private func told(_ message: SessionMessage) -> String {
        "\(message.sequence): \(message.id) \(message.role) \(message.content.debugDescription)"
            + (message.toolCallID.map { " call \($0.debugDescription)" } ?? "")
            + (message.metadata.isEmpty ? "" : " \((try? message.metadata.losslessText()) ?? "?")")
            + " \(message.createdAt)"
    }
}

// MARK: - As text

extension RandomStep: CustomStringConvertible {
    /// The step as a line of Swift, nearly.
    var description: String {
        tick == Self.usualTick ? "\(call)" : "\(call)  // the clock goes on by \(tick) µs"
    }

    static let usualTick: Int64 = 1000
}

extension RandomStep.Call: CustomStringConvertible {
    var description: String {
        switch self {
        case .create(let session, let actorName, let metadata):
            return "create(s\(session), actorName: \(actorName.debugDescription)\(Self.told(metadata)))"
        case .get(let session):
            return "get(s\(session))"
        case .list(let filter, let after, let offset, let limit):
            var parts: [String] = []
            if let name = filter.actorName { parts.append("actorName: \(name.debugDescription)") }
            if let session = filter.createdFrom { parts.append("createdFrom: s\(session).createdAt") }
            if let session = filter.createdBefore { parts.append("createdBefore: s\(session).createdAt") }
            if let session = filter.updatedFrom { parts.append("updatedFrom: s\(session).updatedAt") }
            if let session = filter.updatedBefore { parts.append("updatedBefore: s\(session).updatedAt") }
            if let after { parts.append("after: s\(after).position") }
            if offset != 0 { parts.append("offset: \(offset)") }
            parts.append("limit: \(limit)")
            return "list(\(parts.joined(separator: ", ")))"
        case .update(let session, let actorName, let metadata, let expected):
            return "update(s\(session)\(actorName.map { ", actorName: \($0.debugDescription)" } ?? "")"
                + "\(metadata.map { ", metadata: \((try? $0.losslessText()) ?? "?")" } ?? "")\(expected.told(session)))"
        case .addUsage(let session, let usage):
            return "updateTokenUsage(s\(session), adding: \(Self.told(usage)))"
        case .delete(let session):
            return "delete(s\(session))"
        case .append(let session, let messages, let usage, let expected):
            return "append([\(messages.map(Self.told).joined(separator: ", "))], to: s\(session)"
                + "\(usage.map { ", usage: \(Self.told($0))" } ?? "")"
                + "\(expected.map { ", expectedSequence: \($0)" } ?? ""))"
        case .page(let session, let range, let limit):
            return "messages(in: s\(session), .\(range), limit: \(limit))"
        case .rewind(let session, let sequence, let expectedSequence, let expected):
            return "rewind(s\(session), to: \(sequence)"
                + "\(expectedSequence.map { ", expectedSequence: \($0)" } ?? "")\(expected.told(session)))"
        case .restore(let session, let new):
            return "restore(a copy of s\(session), as: s\(new))"
        }
    }

    private static func told(_ metadata: JSONObject) -> String {
        metadata.isEmpty ? "" : ", metadata: \((try? metadata.losslessText()) ?? "?")"
    }

    private static func told(_ usage: TokenUsage) -> String {
        "(\(usage.inputTokens), \(usage.outputTokens), \(usage.estimatedCost))"
    }

    private static func told(_ message: RandomStep.Message) -> String {
        "(m\(message.id), .\(message.role), \(message.content.debugDescription)"
            + (message.toolCallID.map { ", toolCallID: \($0.debugDescription)" } ?? "") + told(message.metadata) + ")"
    }
}

extension RandomStep.Revision {
    fileprivate func told(_ session: Int) -> String {
        switch self {
        case .any: ""
        case .current(off: 0): ", expectedRevision: s\(session).revision"
        case .current(let off): ", expectedRevision: s\(session).revision + (\(off)) µs"
        }
    }
}
