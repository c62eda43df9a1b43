#if SQLite
internal import AgentSessions
internal import AgentSessionsThreads
internal import CAgentSessionsSQLiteHooks
internal import Synchronization

/// Reads, each on a connection and in a transaction of its own.
///
/// A read whose pages are in memory takes microseconds, less than a change of threads. So a read is first tried on the
/// caller's thread, on a connection that gives up as soon as it would have to wait for the disk or a lock, or has run
/// for long (`CAgentSessionsSQLiteHooks`). A read that gave up is made again on a thread that may wait, so that a
/// thread of Swift's pool never waits for a disk. Where the system cannot tell cached pages from others, every read
/// changes threads. A task that only reads yields now and then (``InlineTurn``).
final class SQLiteReaders: Sendable {
    private struct Idle {
        var readers: [InlineReader] = []
        var canReadInline = false
        var isClosed = false
        /// Readers that were made, in all.
        var opened = 0
        /// Readers that a caller has, or that are being opened.
        var inUse = 0
        /// Reads that found no reader idle.
        var misses = 0
        /// Tasks that wait until no reader is in use.
        var waiting: [CheckedContinuation<Void, Never>] = []

        var keepsReaders: Bool { canReadInline && !isClosed }
    }

    /// Inline reads never pause, so at most one for each thread of Swift's pool is in use at once. Few programs read on
    /// more threads than these at the same moment; a read that finds no reader changes threads.
    private static let inlineReaders = 4

    private let configuration: SQLiteConfiguration
    private let files: OpenFiles
    private let pool: ReaderPool<SQLiteConnection?>
    private let idle: Mutex<Idle>

    init(_ configuration: SQLiteConfiguration, of files: OpenFiles) throws(StoreError) {
        self.configuration = configuration
        self.files = files
        idle = Mutex(Idle(canReadInline: agent_sessions_hooks_install() != 0))
        pool = try ReaderPool(backend: SQLiteBackend.name) { nil }
    }

    func read<Result: Sendable>(
        _ body: @escaping @Sendable (inout SQLiteTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try files.lookNowAndThen()
        if let reader = try takeIdle() {
            let outcome = reader.readInline(body)
            let isTurnOver = reader.isTurnOver
            putBack(reader)
            if let outcome {
                if isTurnOver { await Task.yield() }
                return try outcome.get()
            }
        }
        return try await readOnThread(body)
    }

    /// Refuses new reads, waits for those under way, and closes every connection.
    func close() async {
        pool.stop()
        closeIdleReaders { $0.isClosed = true }
        await pool.close()
        await withCheckedContinuation { continuation in
            let isDone = idle.withLock { idle in
                if idle.inUse > 0 { idle.waiting.append(continuation) }
                return idle.inUse == 0
            }
            if isDone { continuation.resume() }
        }
    }

    // MARK: On the caller's thread

    private func takeIdle() throws(StoreError) -> InlineReader? {
        try idle.withLock { idle throws(StoreError) -> InlineReader? in
            guard !idle.isClosed else { throw .storeClosed(backend: SQLiteBackend.name) }
            let reader = idle.readers.popLast()
            if reader == nil { idle.misses += 1 } else { idle.inUse += 1 }
            return reader
        }
    }

    private func putBack(_ reader: InlineReader) {
        if !reader.isSupported { closeIdleReaders { $0.canReadInline = false } }
        let isKept = idle.withLock { idle in
            guard idle.keepsReaders else { return false }
            idle.readers.append(reader)
            idle.inUse -= 1
            return true
        }
        guard !isKept else { return }
        // The connection is closed first: `close` ends when no reader is in use, and the writer's connection must be
        // the last one to close.
        reader.close()
        endUse()
    }

    private func endUse() {
        let waiting = idle.withLock { idle in
            idle.inUse -= 1
            guard idle.inUse == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { idle.waiting = [] }
            return idle.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    private func closeIdleReaders(_ change: (inout Idle) -> Void) {
        let readers = idle.withLock { idle in
            change(&idle)
            defer { idle.readers = [] }
            return idle.readers
        }
        for reader in readers { reader.close() }
    }

    // MARK: On a thread of the pool

    private func readOnThread<Result: Sendable>(
        _ body: @escaping @Sendable (inout SQLiteTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        defer { addIdleReader() }
        return try await pool.read(backend: SQLiteBackend.name) {
            [configuration, files] connection throws(StoreError) in
            let open: SQLiteConnection
            if let connection { open = connection } else { open = try .reader(configuration, of: files) }
            connection = open
            return try SQLiteTransaction(on: open).snapshot(body)
        }
    }

    /// Has a thread of the pool, which may wait, open a connection for the next read that finds none.
    private func addIdleReader() {
        let isWanted = idle.withLock { idle in
            // A program that reads once, like a run of the tool, needs no second connection.
            guard idle.keepsReaders, idle.misses > 1, idle.opened < Self.inlineReaders else { return false }
            idle.opened += 1
            idle.inUse += 1
            return true
        }
        guard isWanted else { return }
        let isAdded = pool.submit { [self] _ in
            if let connection = try? SQLiteConnection.reader(configuration, of: files) {
                putBack(InlineReader(connection))
            } else {
                // It is not missed: the reads that it would have served change threads.
                endUse()
            }
        }
        if !isAdded { endUse() }
    }
}
#endif
