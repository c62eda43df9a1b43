import AgentSessions

/// A store with the data that workloads read: the conversations of the corpus, one long session, and enough sessions
/// for a full list of each actor.
struct LoadedStore: Sendable {
    /// Sessions belong to so many actors, in turn.
    static let actors = 10
    /// Sessions in a list.
    static let listLimit = 50
    /// Reads go from session to session in steps of this prime, so that they neither follow the order of storing nor
    /// differ from store to store.
    static let stride = 7919
    /// Every store has at least so many sessions: a full list for each actor, and one more to tell that there is more.
    static let sessions = 600
    private static let loaders = 32
    private static let longBatch = 1000

    /// A session that was loaded.
    struct LoadedSession: Sendable {
        let id: ULID
        let messages: Int
    }

    /// A native document of a session.
    struct Document: Sendable {
        let bytes: [UInt8]
        let messages: Int
    }

    let service: any SessionService
    let corpus: Corpus
    let seed: UInt64
    /// Whether the store keeps nothing, so that nothing can be expected of it.
    let isHollow: Bool
    private(set) var conversations: [LoadedSession] = []
    private var long: LoadedSession?
    /// The messages that were loaded, of which the long session has a tenth.
    private(set) var messages = 0
    private var empty = 0

    /// The session that deep pages are read from.
    var longest: LoadedSession { long ?? conversations[0] }

    init(service: any SessionService, corpus: Corpus, seed: UInt64, isHollow: Bool) {
        self.isHollow = isHollow
        self.service = service
        self.corpus = corpus
        self.seed = seed
    }

    /// The message of the corpus at a place, which begins again behind the last.
    func message(_ place: Int) -> NewMessage { corpus.message(place) }

    /// The session that a read of that number goes to.
    func conversation(_ index: Int) -> LoadedSession {
        conversations[index &* Self.stride % conversations.count]
    }

    /// Where a client begins to read, so that clients read different sessions at a time.
    func start(_ number: Int) -> Int { Int(seed % 1_000_003) + number * 101 }

    /// A session of a client's own, to write to.
    func makeLane(_ number: Int) async throws(StoreError) -> ULID {
        try await service.create(actorName: actorName(number)).id
    }

    /// The native document of a session.
    func export(_ id: ULID) async throws(StoreError) -> [UInt8] {
        var document: [UInt8] = []
        var chunks = service.exportSession(id).makeAsyncIterator()
        while let chunk = try await chunks.next() {
            if document.isEmpty { document = chunk } else { document += chunk }
        }
        return document
    }

    /// Documents to import: of conversations of this store, at most 50.
    func exportDocuments() async throws(StoreError) -> [Document] {
        var documents: [Document] = []
        for session in conversations.prefix(50) {
            documents.append(Document(bytes: try await export(session.id), messages: session.messages))
        }
        return documents
    }

    // MARK: Loading

    /// Grows the store until it holds so many messages.
    ///
    /// - Parameters:
    ///   - stop: Ends the loading early.
    ///   - progress: Told now and then how many messages were loaded so far.
    mutating func load(
        until total: Int, stop: StopRequest, progress: @escaping @Sendable (Int) -> Void
    ) async throws(StoreError) {
        guard total > messages else { return }
        let longCount = total / 10
        let first = conversations.count
        let missing = total - longCount - conversations.reduce(0) { $0 + $1.messages }
        let last = first + corpus.conversationCount(holding: missing, from: first)
        let fillers = max(0, Self.sessions - last - empty)
        let loaded = try await loadConversations(first..<last, fillers: fillers, stop: stop, progress: progress)
        try await extendLong(to: longCount, stop: stop)
        conversations += loaded
        empty += fillers
        messages = conversations.reduce(0) { $0 + $1.messages } + (long?.messages ?? 0)
    }

    /// Loaders take the next conversation each until none is left.
    private func loadConversations(
        _ range: Range<Int>, fillers: Int, stop: StopRequest, progress: @escaping @Sendable (Int) -> Void
    ) async throws(StoreError) -> [LoadedSession] {
        let next = SharedCounter(range.lowerBound)
        let done = SharedCounter(messages)
        let end = range.upperBound + fillers
        let outcomes = await withTaskGroup(of: Result<[(Int, LoadedSession)], StoreError>.self) { group in
            for _ in 0..<Self.loaders {
                group.addTask {
                    var loaded: [(Int, LoadedSession)] = []
                    do throws(StoreError) {
                        while !stop.isRequested {
                            let index = next.next()
                            guard index < end else { break }
                            let session = try await service.create(actorName: actorName(index)).id
                            guard index < range.upperBound else { continue }
                            let messages = corpus.conversation(index)
                            try await append(messages, to: session)
                            loaded.append((index, LoadedSession(id: session, messages: messages.count)))
                            progress(done.add(messages.count))
                        }
                    } catch {
                        return .failure(error)
                    }
                    return .success(loaded)
                }
            }
            var outcomes: [Result<[(Int, LoadedSession)], StoreError>] = []
            for await outcome in group { outcomes.append(outcome) }
            return outcomes
        }
        var loaded: [(Int, LoadedSession)] = []
        for outcome in outcomes { loaded += try outcome.get() }
        try stop.check()
        return loaded.sorted { $0.0 < $1.0 }.map(\.1)
    }

    private func append(_ messages: ArraySlice<NewMessage>, to session: ULID) async throws(StoreError) {
        var rest = messages
        while !rest.isEmpty {
            let batch = Array(rest.prefix(Self.longBatch))
            rest = rest.dropFirst(batch.count)
            _ = try await service.append(batch, to: session)
        }
    }

    private mutating func extendLong(to count: Int, stop: StopRequest) async throws(StoreError) {
        guard count > 0 else { return }
        var session: LoadedSession
        if let long {
            session = long
        } else {
            session = LoadedSession(id: try await service.create(actorName: actorName(0)).id, messages: 0)
        }
        while session.messages < count {
            try stop.check()
            let batch = (session.messages..<min(count, session.messages + Self.longBatch)).map { message($0) }
            _ = try await service.append(batch, to: session.id)
            session = LoadedSession(id: session.id, messages: session.messages + batch.count)
        }
        long = session
    }

    /// What was acknowledged must be in the store.
    func expect(_ condition: Bool, _ problem: @autoclosure () -> String) throws(StoreError) {
        guard condition || isHollow else {
            throw StoreError(.corrupt, "The store does not hold what it acknowledged: \(problem()).")
        }
    }

    /// Compares what was loaded with what the store holds.
    func check() async throws(StoreError) {
        for (index, session) in conversations.enumerated().map({ $0 }).sampled(50) {
            let sent = corpus.conversation(index)
            let page = try await service.lastMessages(1, in: session.id)
            try expect(
                page.session.messageCount == sent.count && page.messages.last?.sequence == sent.count
                    && page.messages.last?.content == sent.last?.content,
                "conversation \(index) of the corpus is not in the store as it was loaded")
        }
        let found = try await service.get(longest.id)
        try expect(
            found.messageCount == longest.messages,
            "the longest session has \(found.messageCount) of \(longest.messages) messages")
    }
}
