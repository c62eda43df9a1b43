public import AgentSessions

/// One repetition of a workload on a store.
public struct Repetition: Sendable {
    /// What was done: sessions, or messages where a call takes several.
    public var operations: Int
    /// From the end of the warm-up to the last answer.
    public var seconds: Double
    /// Calls that failed, those of the warm-up too.
    public var errors = 0
    /// Calls that the service made again.
    public var retries = 0
    /// Time of processors that this process used.
    public var cpuSeconds = 0.0
    /// The most memory that this process had at a time. All stores of a benchmark share the process.
    public var peakRSSBytes = 0
    /// What the store's files or tables take after the run, where it can be told.
    public var bytesOnDisk: Int?
    /// Whether an open loop fell behind.
    public var isSaturated = false
    /// What was wrong with the answers or with what was stored; such a run is not ranked.
    public var problem: String?
    var latencies: Latencies

    /// Operations a second.
    public var operationsPerSecond: Double { seconds > 0 ? Double(operations) / seconds : 0 }

    init(operations: Int, seconds: Double, latencies: Latencies) {
        self.operations = operations
        self.seconds = seconds
        self.latencies = latencies
    }

    /// A repetition measured elsewhere, of which each call's time is known.
    ///
    /// - Parameter nanoseconds: How long each call took.
    public init(operations: Int, seconds: Double, nanoseconds: UnsafeBufferPointer<UInt64>) {
        self.init(operations: operations, seconds: seconds, latencies: Latencies())
        for value in nanoseconds { latencies.record(value) }
    }
}

/// Which measurements belong together: repetitions of one workload on one store.
public struct ResultKey: Sendable, Hashable {
    /// The store, such as `sqlite` or `raw-sqlite`.
    public let store: String
    /// The workload.
    public let workload: String
    /// The number of clients.
    public let clients: Int
    /// Calls a second that were due, in an open loop.
    public let rate: Double?
    /// Messages in the store when it was measured, as it was asked for.
    public let dataMessages: Int

    init(store: String, workload: String, clients: Int, rate: Double? = nil, dataMessages: Int) {
        self.store = store
        self.workload = workload
        self.clients = clients
        self.rate = rate
        self.dataMessages = dataMessages
    }
}

/// What a benchmark says of a workload on a store.
public struct BenchmarkResult: Sendable {
    /// Which store, workload and load.
    public let key: ResultKey
    /// The backend, such as `sqlite`; that of the store above it for a raw engine.
    public let backend: String
    /// Whether this is an engine's own C API.
    public let isRaw: Bool
    /// What an acknowledged change survives.
    public let tier: DurabilityTier
    /// The repetitions in the order in which they ran.
    public internal(set) var repetitions: [Repetition]

    /// The median of the repetitions' rates.
    public var operationsPerSecond: Double { Statistics.median(rates) ?? 0 }
    /// From the slowest to the fastest repetition, as a part of the median.
    public var spread: Double? { Statistics.spread(rates) }
    /// What was wrong in a repetition.
    public var problem: String? { repetitions.lazy.compactMap(\.problem).first }
    /// Whether an open loop fell behind in a repetition.
    public var isSaturated: Bool { repetitions.contains(where: \.isSaturated) }
    /// Whether the result may stand beside others in a ranking.
    public var isRankable: Bool { problem == nil && !isSaturated && operationsPerSecond > 0 }

    var rates: [Double] { repetitions.map(\.operationsPerSecond) }

    /// The calls of all repetitions.
    var latencies: Latencies {
        repetitions.reduce(into: Latencies()) { $0.add($1.latencies) }
    }
}
