public import AgentSessions

/// Something that is measured: a store, or an engine's own C API.
public protocol BenchmarkSubject: Sendable {
    /// The name in reports, such as `sqlite`, `raw-sqlite`.
    var name: String { get }
    /// The backend, such as `sqlite`.
    var backend: String { get }
    /// Whether this is an engine's own C API, and so what the backend's store is compared with.
    var isRaw: Bool { get }

    /// Opens it at a fresh place of its own.
    func open(_ data: BenchmarkData, stop: StopRequest) async throws(StoreError) -> any OpenSubject
}

/// A subject at a place of its own. Its functions are called one at a time.
public protocol OpenSubject: Sendable {
    /// What acknowledged changes survive, as the engine says itself.
    var tier: DurabilityTier { get async }

    /// The settings in force, read back from the engine.
    func settings() async throws(StoreError) -> [StoreSetting]

    /// Fills it until it holds so many messages.
    ///
    /// - Returns: The load as a measurement; `nil` where the subject cannot grow to that size.
    func load(until messages: Int, progress: @escaping @Sendable (Int) -> Void) async throws(StoreError) -> Repetition?

    /// Runs a workload, and compares what is stored with what was acknowledged.
    ///
    /// - Returns: `nil` where the subject does not do the workload in this way.
    func run(_ workload: Workload, _ load: Load) async throws(StoreError) -> Repetition?

    /// Closes it and removes all that it stored.
    func close() async
}

/// How a workload is run.
public struct Load: Sendable {
    /// How calls come.
    public let mode: LoadMode
    /// The number of clients.
    public let clients: Int
    /// How long calls are measured.
    public let duration: Duration
    /// How long calls are made before that.
    public let warmUp: Duration
}

/// What every subject is filled with.
public struct BenchmarkData: Sendable {
    /// The conversations.
    public let corpus: Corpus
    /// Decides what is read when.
    public let seed: UInt64
    /// Actors that sessions belong to in turn.
    public var actors: Int { LoadedStore.actors }

    /// How many of the corpus's conversations a store of so many messages holds, how many messages its long session
    /// has, and how many sessions without messages fill up the lists.
    public func layout(of messages: Int) -> (conversations: Int, longMessages: Int, emptySessions: Int) {
        let long = messages / 10
        let conversations = corpus.conversationCount(holding: messages - long, from: 0)
        return (conversations, long, max(0, LoadedStore.sessions - conversations))
    }
}
