import AgentSessions
import AgentSessionsMemory

extension Mutant {
    /// Texts, numbers and times that come out as others: each part of a record, on each way through the store.
    static let values: [Mutant] = textValues + numberValues + timeValues

    private static let textValues: [Mutant] =
        table("texts", messageTexts, Narrowing.names + Narrowing.controls, Way.all)
        // A tool call id has 255 bytes at most, and keys are not longer than the others here.
        + table("lengths", [content, value], Narrowing<String>.lengths, [.append, .restore, .replace, .last])
        + table("texts", [actor], Narrowing.names, Way.all)
        // Metadata of sessions goes the ways of actor names, and is as metadata of messages.
        + table(
            "texts", [sessionValue, sessionKey], Narrowing.names + Narrowing.controls, [.create, .update, .restore])
        + table("lengths", [sessionValue], Narrowing<String>.lengths, [.create, .update, .restore, .replace])

    private static let numberValues: [Mutant] =
        table("numbers", [usageInput, usageOutput, usageCost], Narrowing.integers, totalWays)
        + table("numbers", [messageInteger], Narrowing.integers + Narrowing.signed, [.append, .restore, .replace])
        + table("numbers", [sessionInteger], Narrowing.integers + Narrowing.signed, [.create, .update, .restore])
        + table("numbers", [messageDouble], Narrowing.doubles, [.append, .restore, .replace])
        + table("numbers", [sessionDouble], Narrowing.doubles, [.create, .update, .restore])
        + table("numbers", [messageKind], [whole, fractional], Way.all)

    /// Totals begin with an update, and are nothing when a session is created.
    private static let totalWays: [Way<Session>] = [.update, .restore, .replace, .reopened]

    private static let timeValues: [Mutant] =
        table("times", [createdAt, updatedAt], Narrowing.times, [.restore, .reopened])
        // A replacement keeps the time of creation, or is refused.
        + table("times", [updatedAt], Narrowing.times, [.replace])
        + table("times", [messageTime], Narrowing.times, [.restore, .replace, .reopened])

    // MARK: Parts

    private static let content = Part<SessionMessage, String>("text.content", "A content") { message, alter in
        message.with(content: alter(message.content))
    }
    private static let value = Part<SessionMessage, String>("text.metadata", "A text in a message's metadata") {
        $0.with(metadata: $0.metadata.alteredTexts($1))
    }
    private static let messageTexts = [
        content, value,
        Part<SessionMessage, String>("text.tool-call-id", "A tool call id") { message, alter in
            message.with(toolCallID: .some(message.toolCallID.map(alter)))
        },
        Part<SessionMessage, String>("text.metadata-key", "A key in a message's metadata") {
            $0.with(metadata: $0.metadata.alteredKeys($1))
        },
    ]
    private static let actor = session("text.actor", "An actor name") { $0.actorName = $1($0.actorName) }
    private static let sessionValue = session("text.session-metadata", "A text in a session's metadata") {
        $0.metadata = $0.metadata.alteredTexts($1)
    }
    private static let sessionKey = session("text.session-metadata-key", "A key in a session's metadata") {
        $0.metadata = $0.metadata.alteredKeys($1)
    }
    private static let usageInput = session("number.input-tokens", "The total of input tokens") {
        $0.usage.inputTokens = $1($0.usage.inputTokens)
    }
    private static let usageOutput = session("number.output-tokens", "The total of output tokens") {
        $0.usage.outputTokens = $1($0.usage.outputTokens)
    }
    private static let usageCost = session("number.cost", "The total of the cost") {
        $0.usage.estimatedCost = $1($0.usage.estimatedCost)
    }
    private static let messageInteger = Part<SessionMessage, Int64>(
        "number.metadata-integer", "An integer in a message's metadata"
    ) {
        $0.with(metadata: $0.metadata.alteredIntegers($1))
    }
    private static let sessionInteger = session(
        "number.session-metadata-integer", "An integer in a session's metadata"
    ) { (session: inout Session, alter: (Int64) -> Int64) in
        session.metadata = session.metadata.alteredIntegers(alter)
    }
    private static let messageDouble = Part<SessionMessage, Double>(
        "number.metadata-double", "A double in a message's metadata"
    ) {
        $0.with(metadata: $0.metadata.alteredDoubles($1))
    }
    private static let sessionDouble = session("number.session-metadata-double", "A double in a session's metadata") {
        $0.metadata = $0.metadata.alteredDoubles($1)
    }
    private static let messageKind = Part<SessionMessage, JSONValue>(
        "number.metadata-kind", "A number in a message's metadata"
    ) { message, alter in
        message.with(metadata: message.metadata.altered { alter($0) })
    }
    private static let createdAt = Part<Session, Timestamp>("time.created", "The creation of a session") {
        $0.with(createdAt: $1($0.createdAt))
    }
    private static let updatedAt = session("time.updated", "The last change of a session") {
        $0.updatedAt = $1($0.updatedAt)
    }
    private static let messageTime = Part<SessionMessage, Timestamp>("time.message", "The time of a message") {
        $0.with(createdAt: $1($0.createdAt))
    }

    private static func session<Value>(
        _ name: String, _ what: String, _ alter: @escaping @Sendable (inout Session, (Value) -> Value) -> Void
    ) -> Part<Session, Value> {
        Part(name, what) { session, narrow in
            var session = session
            alter(&session, narrow)
            return session
        }
    }

    // MARK: Kinds of numbers

    private static let whole = Narrowing<JSONValue>("integer", "is an integer where it has no fraction") { value in
        guard case .double(let number) = value, let integer = Int64(exactly: number) else { return value }
        return .integer(integer)
    }
    private static let fractional = Narrowing<JSONValue>("double", "is a double where a double holds it") { value in
        guard case .integer(let number) = value, let double = Double(exactly: number) else { return value }
        return .double(double)
    }
}

extension JSONObject {
    func alteredTexts(_ alter: (String) -> String) -> JSONObject {
        altered { if case .string(let text) = $0 { .string(alter(text)) } else { $0 } }
    }

    func alteredIntegers(_ alter: (Int64) -> Int64) -> JSONObject {
        altered { if case .integer(let number) = $0 { .integer(alter(number)) } else { $0 } }
    }

    func alteredDoubles(_ alter: (Double) -> Double) -> JSONObject {
        altered { if case .double(let number) = $0 { .double(alter(number)) } else { $0 } }
    }

    /// The object with other keys, at every depth.
    func alteredKeys(_ alter: (String) -> String) -> JSONObject {
        func renamed(_ object: JSONObject) -> JSONObject {
            JSONObject(members: object.map { (alter($0.key), $0.value) })
        }
        return renamed(altered { if case .object(let inner) = $0 { .object(renamed(inner)) } else { $0 } })
    }
}
