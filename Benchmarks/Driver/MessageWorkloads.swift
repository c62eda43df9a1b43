import AgentSessions

extension Workload {
    static let messageAppend = Workload(
        "message_append", .messages, clients: [1, 8, 32],
        "one message, in a durable transaction of its own; each client has a session of its own"
    ) { (store, number) throws(StoreError) in
        Appender(store: store, session: try await store.makeLane(number), batch: 1, next: number * 997)
    }

    static let messageAppendBatch20 = Workload(
        "message_append_batch20", .messages, clients: [1, 8], "a message of a turn of 20, which is one transaction"
    ) { (store, number) throws(StoreError) in
        Appender(store: store, session: try await store.makeLane(number), batch: 20, next: number * 997)
    }

    static let messagesTail20 = Workload(
        "messages_tail20", .messages, clients: [1, 8, 32], "the last 20 messages of a session"
    ) { (store, number) throws(StoreError) in TailReader(store: store, index: store.start(number)) }

    static let messagesPageDeep = Workload(
        "messages_page_deep", .messages, clients: [1], "20 messages from the second half of the longest session"
    ) { (store, number) throws(StoreError) in DeepPageReader(store: store, index: store.start(number)) }

    static let mixedAgent = Workload(
        "mixed_agent", .whole, clients: [1, 8, 32],
        "a call of an agent's turn: the question stored, the tail read (each twentieth time the session's first page), "
            + "the answers stored as a batch with their usage"
    ) { (store, number) throws(StoreError) in
        Agent(appender: Appender(store: store, session: try await store.makeLane(number), batch: 3, next: number * 997))
    }
}

/// Appends messages of the corpus, one behind the other, to a session of its own.
struct Appender: WorkloadClient {
    let store: LoadedStore
    let session: ULID
    let batch: Int
    /// The place in the corpus of the next message.
    var next: Int
    var stored = 0
    /// Where in the corpus the messages came from, those of the end at least.
    private var recent: [Int] = []

    init(store: LoadedStore, session: ULID, batch: Int, next: Int) {
        self.store = store
        self.session = session
        self.batch = batch
        self.next = next
    }

    mutating func call() async throws(StoreError) -> Int { try await append(batch) }

    mutating func append(_ count: Int, usage: TokenUsage? = nil) async throws(StoreError) -> Int {
        let places = next..<next + count
        let acknowledged = try await store.service.append(
            places.map { store.message($0) }, to: session, usage: usage, expectedSequence: nil)
        try store.expect(
            acknowledged.count == count && acknowledged.last?.sequence == stored + count,
            "an append of \(count) behind message \(stored) was acknowledged with other sequences")
        next += count
        stored += count
        recent.append(contentsOf: places)
        if recent.count > 400 { recent.removeFirst(recent.count - 100) }
        return count
    }

    func check() async throws(StoreError) {
        guard stored > 0 else { return }
        let ends = recent.suffix(100)
        let page = try await store.service.lastMessages(ends.count, in: session)
        try store.expect(
            page.session.messageCount == stored,
            "\(stored) messages were acknowledged and the session counts \(page.session.messageCount)")
        try store.expect(
            page.messages.count == ends.count, "of the last \(ends.count) messages \(page.messages.count) are there")
        for (message, place) in zip(page.messages, ends) {
            let sent = store.message(place)
            try store.expect(
                message.content == sent.content && message.role == sent.role && message.toolCallID == sent.toolCallID
                    && message.metadata == sent.metadata,
                "message \(message.sequence) of session \(session) is not the one that was sent")
        }
        let first = try await store.service.messages(in: session, limit: 1)
        try store.expect(first.messages.first?.sequence == 1, "the first of \(stored) messages is missing")
    }
}

private struct TailReader: WorkloadClient {
    let store: LoadedStore
    var index: Int

    mutating func call() async throws(StoreError) -> Int {
        let expected = store.conversation(index)
        index += 1
        let page = try await store.service.lastMessages(20, in: expected.id)
        try store.expect(
            page.messages.count == min(20, expected.messages) && page.messages.last?.sequence == expected.messages,
            "the tail of session \(expected.id) has \(page.messages.count) messages")
        return 1
    }

    func check() async throws(StoreError) {}
}

private struct DeepPageReader: WorkloadClient {
    let store: LoadedStore
    var index: Int

    mutating func call() async throws(StoreError) -> Int {
        let half = store.longest.messages / 2
        let after = half + index % max(1, half - 20)
        index += LoadedStore.stride
        let page = try await store.service.messages(in: store.longest.id, .after(after), limit: 20)
        try store.expect(
            page.messages.count == min(20, store.longest.messages - after)
                && page.messages.first?.sequence == after + 1,
            "the page behind message \(after) has \(page.messages.count) messages")
        return 1
    }

    func check() async throws(StoreError) {}
}

/// An agent in conversation: three calls a turn.
private struct Agent: WorkloadClient {
    var appender: Appender
    var calls = 0

    mutating func call() async throws(StoreError) -> Int {
        defer { calls += 1 }
        switch calls % 3 {
        case 0: _ = try await appender.append(1)
        case 1: try await read()
        default:
            _ = try await appender.append(
                appender.batch, usage: TokenUsage(inputTokens: 1_200, outputTokens: 80, estimatedCost: 4_800))
        }
        return 1
    }

    private func read() async throws(StoreError) {
        let expected = min(20, appender.stored)
        let page =
            calls / 3 % 20 == 19
            ? try await appender.store.service.messages(in: appender.session, limit: 20)
            : try await appender.store.service.lastMessages(20, in: appender.session)
        try appender.store.expect(
            page.messages.count == expected, "of \(expected) messages \(page.messages.count) were read")
    }

    func check() async throws(StoreError) { try await appender.check() }
}
