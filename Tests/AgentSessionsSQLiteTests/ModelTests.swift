#if SQLite
import AgentSessions
import AgentSessionsMemory
import AgentSessionsSQLite
import Testing

/// The same random calls on SQLite and on the store in memory have the same outcomes.
@Suite("Agreement of SQLite and memory")
struct ModelTests {
    @Test(
        "SQLite and memory agree on every outcome of random calls", arguments: [1, 2, 3, UInt64.random(in: 4 ... .max)])
    func randomCalls(seed: UInt64) async throws {
        try await withStore { sqlite, _ in
            let memory = PersistentSessionService(MemorySessionStore(), retryPolicy: .never)
            let service = sqlite
            var dice = Dice(state: seed)
            var ids: [ULID] = []
            var messageIDs: [ULID] = []
            for step in 0..<600 {
                let call = try Call.random(&dice, sessions: &ids, messages: &messageIDs)
                let expected = await call.outcome(on: memory)
                let actual = await call.outcome(on: service)
                guard actual == expected else {
                    Issue.record("seed \(seed), step \(step): \(call)\nmemory: \(expected)\nSQLite: \(actual)")
                    return
                }
            }
            for id in ids {
                let all = Call.messages(id, .after(0), limit: 10_000, byteLimit: .max)
                let expected = await all.outcome(on: memory)
                #expect(await all.outcome(on: service) == expected, "seed \(seed)")
            }
        }
    }
}

/// SplitMix64: small, and the same everywhere.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func roll(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &self) }

    mutating func id() throws -> ULID { try ULID(bytes: (0..<16).map { _ in UInt8.random(in: 0...127, using: &self) }) }
}

/// The outcome of a call, without times: no two changes of a process have the same time.
private enum Outcome: Equatable {
    case session(Session)
    case sessions([Session], hasNext: Bool)
    case messages([SessionMessage])
    case page(Session?, [SessionMessage])
    case done
    case failed(StoreError.Code)

    var timeless: Outcome {
        switch self {
        case .session(let session): .session(session.timeless)
        case .sessions(let sessions, let hasNext): .sessions(sessions.map(\.timeless), hasNext: hasNext)
        case .messages(let messages): .messages(messages.map(\.timeless))
        case .page(let session, let messages): .page(session?.timeless, messages.map(\.timeless))
        case .done, .failed: self
        }
    }
}

extension Session {
    fileprivate var timeless: Session {
        Session(
            id: id, actorName: actorName, messageCount: messageCount, usage: usage, metadata: metadata,
            createdAt: .earliest, updatedAt: .earliest)
    }
}

extension SessionMessage {
    fileprivate var timeless: SessionMessage {
        SessionMessage(
            id: id, sessionID: sessionID, sequence: sequence, role: role, content: content, toolCallID: toolCallID,
            metadata: metadata, createdAt: .earliest)
    }
}

/// A list filter whose time is that of a session.
private enum Bound: CaseIterable {
    case none, createdFrom, createdBefore, updatedFrom, updatedBefore
}

private enum Call {
    case create(ULID, actor: String, metadata: JSONObject)
    case get(ULID)
    case list(actor: String?, Bound, of: ULID, limit: Int, offset: Int, depth: Int)
    case update(ULID, actor: String?, metadata: JSONObject?, stale: Bool?)
    case usage(ULID, TokenUsage)
    case delete(ULID)
    case append(ULID, [NewMessage], usage: TokenUsage?, expected: Int?)
    case messages(ULID, MessageRange, limit: Int, byteLimit: Int)
    case rewind(ULID, to: Int, expected: Int?)
    case restore(from: ULID, as: ULID)

    private static let actors = ["a", "local/orchestrator", "é", "e\u{301}", "日本"]
    private static let contents = [
        "", "x", "\u{0}", "e\u{301}", "\u{FFFE}", "\u{202E}x", String(repeating: "y", count: 5000),
    ]
    private static let metadata: [JSONObject] = [
        [:], ["n": .integer(.max)], ["a": .array([.double(-0.0), .null]), "s": .string("e\u{301}")],
    ]

    static func random(_ dice: inout Dice, sessions: inout [ULID], messages: inout [ULID]) throws -> Call {
        let id = try dice.roll(1...12) == 1 ? dice.id() : sessions.randomElement(using: &dice) ?? dice.id()
        let metadata = metadata.randomElement(using: &dice) ?? [:]
        switch dice.roll(1...20) {
        case 1...2:
            let new = try sessions.count > 12 || dice.roll(1...5) == 1 ? id : dice.id()
            if !sessions.contains(new) { sessions.append(new) }
            return .create(new, actor: actors.randomElement(using: &dice) ?? "a", metadata: metadata)
        case 3: return .get(id)
        case 4:
            return .list(
                actor: dice.roll(1...2) == 1 ? actors.randomElement(using: &dice) : nil,
                Bound.allCases.randomElement(using: &dice) ?? .none, of: id, limit: dice.roll(0...5),
                offset: dice.roll(-1...3), depth: dice.roll(0...2))
        case 5:
            return .update(
                id, actor: dice.roll(1...2) == 1 ? actors.randomElement(using: &dice) : nil,
                metadata: dice.roll(1...2) == 1 ? metadata : nil,
                stale: [nil, false, true].randomElement(using: &dice) ?? nil)
        case 6: return .usage(id, Self.usage(&dice))
        case 7: return dice.roll(1...3) == 1 ? .delete(id) : .get(id)
        case 8...12:
            var batch: [NewMessage] = []
            for _ in 0..<dice.roll(1...5) {
                let message: ULID
                if let known = messages.randomElement(using: &dice), dice.roll(1...30) == 1 {
                    message = known
                } else {
                    message = try dice.id()
                    messages.append(message)
                }
                batch.append(
                    NewMessage(
                        .user, contents.randomElement(using: &dice) ?? "",
                        toolCallID: [nil, "", "call"].randomElement(using: &dice) ?? nil, metadata: metadata,
                        id: message))
            }
            return .append(
                id, batch, usage: dice.roll(1...3) == 1 ? Self.usage(&dice) : nil,
                expected: dice.roll(1...4) == 1 ? dice.roll(0...20) : nil)
        case 13...17:
            let ranges: [MessageRange] = [.last, .after(dice.roll(-1...20)), .before(dice.roll(-1...20))]
            return .messages(
                id, ranges.randomElement(using: &dice) ?? .last, limit: dice.roll(0...9),
                byteLimit: dice.roll(1...2) == 1 ? .max : dice.roll(0...6000))
        case 18...19:
            return .rewind(id, to: dice.roll(-1...15), expected: dice.roll(1...3) == 1 ? dice.roll(0...15) : nil)
        default:
            let new = try dice.roll(1...3) == 1 ? id : dice.id()
            return .restore(from: id, as: new)
        }
    }

    private static func usage(_ dice: inout Dice) -> TokenUsage {
        dice.roll(1...10) == 1
            ? TokenUsage(inputTokens: .max) : TokenUsage(inputTokens: Int64(dice.roll(-1...50)), outputTokens: 1)
    }

    func outcome(on service: PersistentSessionService<some SessionStore>) async -> Outcome {
        do throws(StoreError) {
            return try await make(on: service).timeless
        } catch {
            return .failed(error.code)
        }
    }

    private func make(on service: PersistentSessionService<some SessionStore>) async throws(StoreError) -> Outcome {
        switch self {
        case .create(let id, let actor, let metadata):
            return .session(try await service.create(actorName: actor, metadata: metadata, id: id))
        case .get(let id): return .session(try await service.get(id))
        case .list(let actor, let bound, let id, let limit, let offset, let depth):
            let session = try await service.get(id)
            var filter = SessionFilter(actorName: actor)
            switch bound {
            case .none: break
            case .createdFrom: filter.createdFrom = session.createdAt
            case .createdBefore: filter.createdBefore = session.createdAt
            case .updatedFrom: filter.updatedFrom = session.updatedAt
            case .updatedBefore: filter.updatedBefore = session.updatedAt
            }
            var page = try await service.list(filter, limit: limit, offset: offset, after: nil)
            for _ in 0..<depth where page.next != nil {
                page = try await service.list(filter, limit: limit, offset: 0, after: page.next)
            }
            return .sessions(page.sessions, hasNext: page.next != nil)
        case .update(let id, let actor, let metadata, let stale):
            let revision = try await service.get(id).revision
            let old = stale == true ? Timestamp.earliest : revision
            return .session(
                try await service.update(
                    id, actorName: actor, metadata: metadata, expectedRevision: stale == nil ? nil : old))
        case .usage(let id, let usage): return .session(try await service.updateTokenUsage(id, adding: usage))
        case .delete(let id):
            try await service.delete(id)
            return .done
        case .append(let id, let batch, let usage, let expected):
            return .messages(try await service.append(batch, to: id, usage: usage, expectedSequence: expected))
        case .messages(let id, let range, let limit, .max):
            let page = try await service.messages(in: id, range, limit: limit)
            return .page(page.session, page.messages)
        case .messages(let id, let range, let limit, let byteLimit):
            let page = try await service.store.messages(
                MessageRequest(sessionID: id, range: range, limit: max(1, limit), byteLimit: byteLimit))
            return .page(page?.session, page?.messages ?? [])
        case .rewind(let id, let sequence, let expected):
            return .session(
                try await service.rewind(id, to: sequence, expectedRevision: nil, expectedSequence: expected))
        case .restore(let source, let id):
            let page = try await service.messages(in: source, .after(0), limit: 10_000)
            let copy = Session(
                id: id, actorName: page.session.actorName, messageCount: page.messages.count,
                usage: page.session.usage, metadata: page.session.metadata, createdAt: page.session.createdAt,
                updatedAt: page.session.updatedAt)
            let messages = page.messages.map { message in
                SessionMessage(
                    id: message.id, sessionID: id, sequence: message.sequence, role: message.role,
                    content: message.content, toolCallID: message.toolCallID, metadata: message.metadata,
                    createdAt: message.createdAt)
            }
            try await service.store.restore(copy, messages: Messages(messages))
            return .session(try await service.get(id))
        }
    }
}
#endif
