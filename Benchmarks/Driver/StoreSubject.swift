public import AgentSessions
import Logging
import Synchronization

/// A store at a place of its own, and what to do with the place.
public struct ScratchStore: Sendable {
    /// The store.
    public let store: any SessionStore
    /// What it takes on disk, where that can be told.
    public let bytesOnDisk: @Sendable () async -> Int?
    /// Removes the place, after the store was closed.
    public let remove: @Sendable () async -> Void

    /// A store and its place.
    public init(
        _ store: any SessionStore, bytesOnDisk: @escaping @Sendable () async -> Int? = { nil },
        remove: @escaping @Sendable () async -> Void = {}
    ) {
        self.store = store
        self.bytesOnDisk = bytesOnDisk
        self.remove = remove
    }
}

/// A store that is measured as an application uses it: through the service.
public struct StoreSubject: BenchmarkSubject {
    public let name: String
    public let backend: String
    public var isRaw: Bool { false }
    /// Whether the store keeps nothing, so that there is nothing to check.
    private let isHollow: Bool
    private let make: @Sendable () async throws(StoreError) -> ScratchStore

    /// A store.
    ///
    /// - Parameters:
    ///   - name: The name in reports.
    ///   - backend: The backend.
    ///   - make: Opens an empty store at a fresh place.
    public init(
        name: String, backend: String, make: @escaping @Sendable () async throws(StoreError) -> ScratchStore
    ) {
        self.init(name: name, backend: backend, isHollow: false, make: make)
    }

    private init(
        name: String, backend: String, isHollow: Bool,
        make: @escaping @Sendable () async throws(StoreError) -> ScratchStore
    ) {
        self.name = name
        self.backend = backend
        self.isHollow = isHollow
        self.make = make
    }

    /// A store that keeps nothing and answers at once: what is measured on it is what the harness and the service cost.
    public static let noop = StoreSubject(name: "noop", backend: "noop", isHollow: true) {
        () throws(StoreError) in ScratchStore(NoOpStore())
    }

    public func open(_ data: BenchmarkData, stop: StopRequest) async throws(StoreError) -> any OpenSubject {
        OpenStoreSubject(try await make(), data, isHollow: isHollow, stop: stop)
    }
}

private final class OpenStoreSubject: OpenSubject {
    private let scratch: ScratchStore
    private let service: any SessionService
    private let retries = RetryCount()
    private let loaded: Mutex<LoadedStore>
    private let stop: StopRequest

    init(_ scratch: ScratchStore, _ data: BenchmarkData, isHollow: Bool, stop: StopRequest) {
        self.scratch = scratch
        self.stop = stop
        service = Self.service(scratch.store, counting: retries)
        loaded = Mutex(LoadedStore(service: service, corpus: data.corpus, seed: data.seed, isHollow: isHollow))
    }

    private static func service(_ store: some SessionStore, counting retries: RetryCount) -> any SessionService {
        PersistentSessionService(store, logger: retries.logger)
    }

    var tier: DurabilityTier { scratch.store.capabilities.durability }

    func settings() async throws(StoreError) -> [StoreSetting] { try await scratch.store.effectiveSettings() }

    func load(
        until messages: Int, progress: @escaping @Sendable (Int) -> Void
    ) async throws(StoreError) -> Repetition? {
        var loaded = loaded.withLock { $0 }
        let before = loaded.messages
        let clock = MonotonicClock()
        let usage = ProcessUsage.begin()
        let start = clock.now()
        try await loaded.load(until: messages, stop: stop, progress: progress)
        let end = clock.now()
        var measurement = Repetition(
            operations: loaded.messages - before, seconds: Double(end - start) / 1e9, latencies: Latencies())
        measurement.latencies.record(end - start)
        usage.end(into: &measurement)
        measurement.retries = retries.take()
        measurement.bytesOnDisk = await scratch.bytesOnDisk()
        let filled = loaded
        measurement.problem = await problem(filled.check)
        self.loaded.withLock { $0 = filled }
        return measurement
    }

    func run(_ workload: Workload, _ load: Load) async throws(StoreError) -> Repetition? {
        let store = loaded.withLock { $0 }
        var clients: [any WorkloadClient] = []
        for number in 0..<load.clients { clients.append(try await workload.makeClient(store, number)) }
        _ = retries.take()
        let usage = ProcessUsage.begin()
        let outcome = await LoadGenerator(clock: MonotonicClock(), stop: stop).run(
            load.mode, clients, warmUp: load.warmUp.nanoseconds, duration: load.duration.nanoseconds)
        var measurement = Repetition(
            operations: outcome.operations, seconds: Double(outcome.nanoseconds) / 1e9, latencies: outcome.latencies)
        usage.end(into: &measurement)
        measurement.errors = outcome.errors
        measurement.retries = retries.take()
        measurement.isSaturated = outcome.isSaturated
        measurement.bytesOnDisk = await scratch.bytesOnDisk()
        measurement.problem = outcome.firstError.map { "\(outcome.errors) calls failed, the first with: \($0)" }
        for client in outcome.clients where measurement.problem == nil {
            measurement.problem = await problem(client.check)
        }
        return measurement
    }

    func close() async {
        await scratch.store.close()
        await scratch.remove()
    }

    private func problem(_ check: () async throws(StoreError) -> Void) async -> String? {
        do throws(StoreError) {
            try await check()
            return nil
        } catch {
            return error.description
        }
    }
}

/// Counts the calls that a service makes again, by the line that it logs of each.
final class RetryCount: Sendable {
    private let count = SharedCounter()

    /// A logger to give to a service.
    var logger: Logger { Logger(label: "agent-sessions.bench") { _ in Handler(count: self.count) } }

    /// The number since the last time it was taken.
    func take() -> Int { count.take() }

    private struct Handler: LogHandler {
        let count: SharedCounter
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            if event.metadata?["attempt"] != nil { _ = count.next() }
        }
    }
}

extension Duration {
    /// Whole nanoseconds, none where negative.
    var nanoseconds: UInt64 { UInt64(max(0, self / .nanoseconds(1))) }
}
