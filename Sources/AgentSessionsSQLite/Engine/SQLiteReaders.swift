#if SQLite
internal import AgentSessions
internal import AgentSessionsThreads
internal import CAgentSessionsSQLiteHooks
internal import Metrics
internal import Synchronization

/// Reads, each on a connection and in a transaction of its own.
///
/// A read whose pages are in memory takes microseconds, less than a change of threads costs. So a read is first tried
/// on the caller's thread, on a connection that gives up as soon as it would have to wait for the disk or a lock, or
/// has run for long (`CAgentSessionsSQLiteHooks`). What gives up is done again on a thread that may wait. A thread of
/// Swift's pool thus never waits for a disk. Where the system cannot tell cached pages from others, every read changes
/// threads. Tasks that do nothing but read give way now and then (``InlineTurn``).
final class SQLiteReaders: Sendable {
    private typealias Job = @Sendable (Result<SQLiteTransaction, StoreError>) -> Void

    private struct Idle {
        var readers: [InlineReader] = []
        var canReadInline = false
        var isClosed = false
        /// Readers that were made, in all.
        var opened = 0
        /// Readers that are with a caller, or on their way here.
        var inUse = 0
        /// Reads that found no reader idle.
        var misses = 0
        /// Who waits until no reader is in use.
        var waiting: [CheckedContinuation<Void, Never>] = []

        var keepsReaders: Bool { canReadInline && !isClosed }
    }

    private static let threadCount = 2
    /// Inline reads never pause, so more than there are threads in Swift's pool could not be in use at once. Few
    /// programs read on more threads than these at the same moment; what finds no reader changes threads.
    private static let inlineReaders = 4

    private let configuration: SQLiteConfiguration
    private let files: OpenFiles
    private let queue = BlockingQueue<Job>()
    private let threads = Mutex<[WorkerThread]>([])
    private let idle = Mutex(Idle())
    private let waits = Metrics.Timer(
        label: "agent_sessions_reader_wait_seconds", dimensions: [("backend", SQLiteBackend.name)])

    init(_ configuration: SQLiteConfiguration, of files: OpenFiles) throws(StoreError) {
        self.configuration = configuration
        self.files = files
        let canReadInline = agent_sessions_hooks_install() != 0
        idle.withLock { $0.canReadInline = canReadInline }
        do throws(StoreError) {
            for _ in 0..<Self.threadCount {
                let thread = try WorkerThread.start { [self] in serve() }
                threads.withLock { $0.append(thread) }
            }
        } catch {
            // Those that were started hold on to this object until they end.
            queue.close()
            throw error
        }
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

    /// Refuses new reads. The threads end when they have done those that wait.
    func stop() {
        queue.close()
        closeIdleReaders { $0.isClosed = true }
    }

    /// Refuses new reads, waits for those under way, and closes every connection.
    func close() async {
        stop()
        for thread in threads.withLock({ $0 }) { await thread.finished() }
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
        // First the connection, then the word that it is closed: who waits for that closes the last one, the writer's.
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

    // MARK: On a thread of our own

    private func readOnThread<Result: Sendable>(
        _ body: @escaping @Sendable (inout SQLiteTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let clock = ContinuousClock()
        let start = clock.now
        let outcome: Swift.Result<Result, StoreError> = await withUnsafeContinuation { continuation in
            // Resumed exactly once: by the thread that takes the job, which takes every one, or right here.
            let added = queue.add { [waits] transaction in
                waits.recordNanoseconds((clock.now - start).wholeNanoseconds)
                continuation.resume(
                    returning: transaction.flatMap { transaction in
                        Swift.Result { () throws(StoreError) in try transaction.snapshot(body) }
                    })
            }
            if !added { continuation.resume(returning: .failure(.storeClosed(backend: SQLiteBackend.name))) }
        }
        return try outcome.get()
    }

    private func serve() {
        var connection: SQLiteConnection?
        while let job = queue.takeFirst() {
            do throws(StoreError) {
                let open: SQLiteConnection
                if let connection { open = connection } else { open = try .reader(configuration, of: files) }
                connection = open
                job(.success(SQLiteTransaction(on: open)))
            } catch {
                job(.failure(error))
            }
            addIdleReader()
        }
    }

    /// Opens a connection for the next read that finds none, here where it may wait.
    private func addIdleReader() {
        let isWanted = idle.withLock { idle in
            // A program that reads once, like a run of the tool, needs no second connection.
            guard idle.keepsReaders, idle.misses > 1, idle.opened < Self.inlineReaders else { return false }
            idle.opened += 1
            idle.inUse += 1
            return true
        }
        guard isWanted else { return }
        guard let connection = try? SQLiteConnection.reader(configuration, of: files) else {
            // One that cannot be opened is not missed: the reads that it would have served change threads.
            endUse()
            return
        }
        putBack(InlineReader(connection))
    }
}
#endif
