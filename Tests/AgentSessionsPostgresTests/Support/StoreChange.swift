#if Postgres
import AgentSessions
import AgentSessionsPostgres
import Testing

/// A call that changes the store, on a session that has three messages.
struct StoreChange: Sendable, CustomTestStringConvertible {
    typealias Service = PersistentSessionService<PostgresSessionStore>

    let testDescription: String
    /// Makes the call, on a session and with an id of its own.
    let run: @Sendable (Service, ULID, ULID) async throws -> Void
    /// Whether it is done exactly once.
    let isDone: @Sendable (Service, ULID, ULID) async throws -> Bool

    private init(
        _ name: String, run: @escaping @Sendable (Service, ULID, ULID) async throws -> Void,
        isDone: @escaping @Sendable (Service, ULID, ULID) async throws -> Bool
    ) {
        testDescription = name
        self.run = run
        self.isDone = isDone
    }

    /// Makes the session that the call is about.
    static func session(in store: PostgresSessionStore) async throws -> ULID {
        let service = PersistentSessionService(store)
        let session = try await service.create(actorName: "before")
        try await service.append((1...3).map { NewMessage(.user, "\($0)") }, to: session.id)
        return session.id
    }

    static let create = StoreChange("create") { service, _, id in
        _ = try await service.create(actorName: "new", metadata: [:], id: id)
    } isDone: { service, _, id in
        try await service.get(id).actorName == "new"
    }

    static let append = StoreChange("append") { service, session, id in
        try await service.append(
            [NewMessage(.user, "new", id: id)], to: session, usage: TokenUsage(inputTokens: 1), expectedSequence: nil)
    } isDone: { service, session, id in
        let page = try await service.lastMessages(9, in: session)
        return page.messages.filter { $0.id == id }.count == 1 && page.session.usage.inputTokens == 1
    }

    static let largeBatch = StoreChange("append of a batch of several statements") { service, session, _ in
        let text = String(repeating: "x", count: 3 << 20)
        try await service.append((0..<4).map { _ in NewMessage(.user, text) }, to: session)
    } isDone: { service, session, _ in
        try await service.count(session) == 7
    }

    static let update = StoreChange("update") { service, session, _ in
        try await service.update(session, actorName: "after", metadata: nil, expectedRevision: nil)
    } isDone: { service, session, _ in
        try await service.get(session).actorName == "after"
    }

    static let usage = StoreChange("usage") { service, session, _ in
        try await service.updateTokenUsage(session, adding: TokenUsage(outputTokens: 5))
    } isDone: { service, session, _ in
        try await service.get(session).usage.outputTokens == 5
    }

    static let rewind = StoreChange("rewind") { service, session, _ in
        try await service.rewind(session, to: 1)
    } isDone: { service, session, _ in
        try await service.count(session) == 1
    }

    static let delete = StoreChange("delete") { service, session, _ in
        try await service.delete(session)
    } isDone: { service, session, _ in
        try await service.store.get(session) == nil
    }

    static let importing = StoreChange("import") { service, _, id in
        _ = try await service.importSessions(
            .bytes(Array(#"{"actor_name":"\#(id)","messages":[{"role":"user","content":"hello"}]}"#.utf8)),
            format: .openai, options: ImportOptions())
    } isDone: { service, _, id in
        try await service.list(SessionFilter(actorName: "\(id)")).sessions.count == 1
    }

    static let all = [create, append, largeBatch, update, usage, rewind, delete, importing]
}
#endif
