public import AgentSessions
import AgentSessionsThreads
import Synchronization

/// Sessions in the memory of one process: for tests, for prototypes, and as the example for backend authors.
///
/// The whole backend is this file, ``MemoryBackend`` and ``MemoryTables``. Everything that the contract asks of an
/// append, an update or a rewind is in `AgentSessions`; a backend says how to find, insert, replace and remove.
public final class MemorySessionStore: TransactionalSessionStore {
    public let backendName = MemoryBackend.name
    public let capabilities: StoreCapabilities

    /// All of a session is read before the lock is taken: its source may be a file, and nobody should wait for that.
    public let bytesReadAhead = Int.max

    private struct State {
        var tables = MemoryTables()
        var isClosed = false
    }

    private let state = Mutex(State())
    /// When a call gives way to other tasks: none of them suspends its task otherwise.
    private let turn = SharedInlineTurn()
    private let openedAt = Timestamp.now()
    private let id = try? ULIDGenerator.shared.next()

    /// An empty store.
    public init(limits: StoreLimits = .standard) {
        capabilities = StoreCapabilities(durability: .memory, scope: .one, limits: limits)
    }

    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (inout MemoryTables) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        await turn.giveWay()
        return try state.withLock { state throws(StoreError) in
            guard !state.isClosed else { throw .storeClosed(backend: backendName) }
            let start = MonotonicTime.now()
            defer { turn.add(MonotonicTime.now() &- start) }
            return try body(&state.tables)
        }
    }

    public func write<Result: Sendable>(
        _ body: @escaping @Sendable (inout MemoryTables) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        await turn.giveWay()
        return try state.withLock { state throws(StoreError) in
            guard !state.isClosed else { throw .storeClosed(backend: backendName) }
            let start = MonotonicTime.now()
            defer { turn.add(MonotonicTime.now() &- start) }
            do throws(StoreError) {
                let result = try body(&state.tables)
                state.tables.commit()
                return result
            } catch {
                state.tables.rollBack()
                throw error
            }
        }
    }

    public func effectiveSettings() async throws(StoreError) -> [StoreSetting] {
        try await read { _ throws(StoreError) in [StoreSetting("engine", "memory (\(BuildInfo.writer))")] }
    }

    public func migrations() async throws(StoreError) -> [MigrationStatus] {
        let steps = MigrationStatus.ofNewStore.map { step in
            MigrationStatus(
                name: step.name, parent: step.parent, origin: step.origin, appliedAt: openedAt, build: BuildInfo.writer)
        }
        return try await read { _ throws(StoreError) in steps }
    }

    public func storeID() async throws(StoreError) -> ULID? {
        let id = id
        return try await read { _ throws(StoreError) in id }
    }

    public func keepCopyRecords() async throws(StoreError) -> Bool {
        try await read { _ throws(StoreError) in true }
    }

    public func close() async {
        state.withLock { state in
            state.isClosed = true
            state.tables = MemoryTables()
        }
    }
}
