import AgentSessions

// What many scenarios begin with.
extension ScenarioContext {
    /// A session with so many messages, `m1`, `m2` … in turns of user and assistant.
    func session(_ actorName: String = "local/orchestrator", messages count: Int) async throws -> Session {
        var session = try await access.create(actorName)
        if count > 0 {
            _ = try await access.append((1...count).map(turn), to: session.id)
            session = try require(await access.get(session.id), "the session that was just filled is absent")
        }
        return session
    }

    /// So many sessions, a microsecond apart where the layer lets the clock be set, oldest first.
    func sessions(_ count: Int, actor: String = "local/orchestrator") async throws -> [Session] {
        clock.setStep(1)
        defer { clock.setStep(1000) }
        var sessions: [Session] = []
        for _ in 0..<count { sessions.append(try await access.create(actor)) }
        return sessions
    }

    /// The session as it is now.
    func current(_ id: ULID) async throws -> Session {
        try require(await access.get(id), "session \(id) is absent")
    }

    /// Compares the sequences, ids and contents of messages, which tell every misplaced one.
    func expect(
        _ messages: [SessionMessage], are expected: some Sequence<SessionMessage>, _ what: @autoclosure () -> String
    ) {
        expect(messages, equals: Array(expected), what())
    }

    /// Ids in the order in which a list has them, which is all that most scenarios about lists look at.
    func expectIDs(_ sessions: [Session], equal expected: [Session], _ what: @autoclosure () -> String) {
        expect(sessions.map(\.id), equals: expected.map(\.id), what())
    }
}

/// The message of a place, the same whenever it is made, save for its id.
@Sendable func turn(_ number: Int) -> NewMessage {
    NewMessage(number.isMultiple(of: 2) ? .assistant : .user, "m\(number)")
}

/// A message of the store as a caller sends it again.
func again(_ message: SessionMessage) -> NewMessage {
    NewMessage(
        message.role, message.content, toolCallID: message.toolCallID, metadata: message.metadata, id: message.id)
}

/// An id, those that differ from it in one byte each, and two that share a half with it.
func alikeIDs(to id: ULID) -> [ULID] {
    [id]
        + (0..<8).map { ULID(high: id.high ^ 1 << (8 * $0), low: id.low) }
        + (0..<8).map { ULID(high: id.high, low: id.low ^ 1 << (8 * $0)) }
        + [ULID(high: ~id.high, low: id.low), ULID(high: id.high, low: ~id.low)]
}

/// Runs so many tasks at once.
func atOnce<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        for index in 0..<count {
            group.addTask { (index, try await body(index)) }
        }
        var results: [(Int, Result)] = []
        for try await result in group { results.append(result) }
        return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
}

extension Session {
    /// 1, 2 … as its messages are numbered by its count; a count that no scenario reaches has none.
    var sequences: [Int] { (1...1_000_000).contains(messageCount) ? Array(1...messageCount) : [] }
}

extension Array {
    /// The element of a list that a store gave, which may be shorter than it should: that is a failure of the store, and
    /// must not end the kit.
    func at(_ index: Int) throws(StoreError) -> Element {
        guard indices.contains(index) else {
            throw StoreError(
                .internalFailure, "The store gave \(count) of what there must be \(index + 1) of at least.")
        }
        return self[index]
    }
}
