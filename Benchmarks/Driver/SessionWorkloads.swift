import AgentSessions

extension Workload {
    static let sessionCreate = Workload(
        "session_create", .sessions, clients: [1, 32], "one session, in a durable transaction of its own"
    ) { (store, number) throws(StoreError) in SessionCreator(store: store, number: number) }

    static let sessionGet = Workload(
        "session_get", .sessions, clients: [1, 8, 32], "one session by its id"
    ) { (store, number) throws(StoreError) in SessionGetter(store: store, index: store.start(number)) }

    static let sessionList = Workload(
        "session_list", .sessions, clients: [1, 8], "the newest 50 sessions of one actor"
    ) { (store, number) throws(StoreError) in SessionLister(store: store, index: store.start(number)) }

    static let tokenUpdate = Workload(
        "token_update", .messages, clients: [1, 32], "usage added to a session, in a durable transaction of its own"
    ) { (store, number) throws(StoreError) in UsageAdder(store: store, session: try await store.makeLane(number)) }
}

private struct SessionCreator: WorkloadClient {
    let store: LoadedStore
    let number: Int
    var created: [ULID] = []

    mutating func call() async throws(StoreError) -> Int {
        created.append(try await store.service.create(actorName: actorName(number)).id)
        return 1
    }

    func check() async throws(StoreError) {
        for id in created.sampled(100) {
            let session = try await store.service.get(id)
            try store.expect(session.actorName == actorName(number), "session \(id) belongs to another actor")
        }
    }
}

private struct SessionGetter: WorkloadClient {
    let store: LoadedStore
    var index: Int

    mutating func call() async throws(StoreError) -> Int {
        let expected = store.conversation(index)
        index += 1
        let session = try await store.service.get(expected.id)
        try store.expect(
            session.id == expected.id && session.messageCount == expected.messages,
            "session \(expected.id) is not the one that was stored")
        return 1
    }

    func check() async throws(StoreError) {}
}

private struct SessionLister: WorkloadClient {
    let store: LoadedStore
    var index: Int

    mutating func call() async throws(StoreError) -> Int {
        let actor = actorName(index)
        index += 1
        let page = try await store.service.list(SessionFilter(actorName: actor), limit: LoadedStore.listLimit)
        try store.expect(
            page.sessions.count == LoadedStore.listLimit && page.sessions.last?.actorName == actor,
            "a list of \(LoadedStore.listLimit) sessions has \(page.sessions.count)")
        return 1
    }

    func check() async throws(StoreError) {}
}

private struct UsageAdder: WorkloadClient {
    static let increment = TokenUsage(inputTokens: 10, outputTokens: 5, estimatedCost: 1)

    let store: LoadedStore
    let session: ULID
    var calls: Int64 = 0

    mutating func call() async throws(StoreError) -> Int {
        _ = try await store.service.updateTokenUsage(session, adding: Self.increment)
        calls += 1
        return 1
    }

    func check() async throws(StoreError) {
        let usage = try await store.service.get(session).usage
        try store.expect(
            usage == TokenUsage(inputTokens: 10 * calls, outputTokens: 5 * calls, estimatedCost: calls),
            "\(calls) increments of usage were acknowledged, and the total is another")
    }
}

/// The actor that owns sessions of that number.
func actorName(_ number: Int) -> String { "bench/actor-\(number % LoadedStore.actors)" }

extension Array {
    /// So many elements at the most, evenly spread, the first and the last among them.
    func sampled(_ limit: Int) -> [Element] {
        guard count > limit, limit > 1 else { return self }
        return (0..<limit).map { self[$0 * (count - 1) / (limit - 1)] }
    }
}
