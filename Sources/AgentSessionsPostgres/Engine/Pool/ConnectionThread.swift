#if Postgres
internal import AgentSessions
internal import AgentSessionsThreads
internal import Synchronization

/// A thread that opens a connection, works with it, and closes it. Meanwhile another thread may borrow the connection.
final class ConnectionThread: Sendable {
    /// A job of the thread.
    enum Job: Sendable {
        /// To work with the connection.
        case use(ConnectionPool.Use)
        /// To go on with what another thread has begun on the connection.
        case takeOver(ConnectionPool.Use)
        /// To check whether the server answers.
        case check
    }

    /// What the thread reports.
    enum Event: Sendable {
        case opened
        case failed(StoreError)
        /// A job is done.
        case released(isClean: Bool)
        /// The server has closed the connection in the meantime, so that this job needs another connection.
        case stale(ConnectionPool.Use)
        case closed
    }

    private let jobs = BlockingQueue<Job>()
    private let opened = Mutex<PostgresConnection?>(nil)

    /// The connection, while it is open. Another thread that uses it has borrowed it from the pool, which gives this thread
    /// no job in the meantime.
    var connection: PostgresConnection? { opened.withLock { $0 } }

    /// Starts the thread.
    ///
    /// - Parameter report: Called on the thread.
    /// - Throws: ``StoreError/Code/unavailable`` where the system cannot start a thread; then nothing is reported.
    func start(
        _ configuration: PostgresConfiguration, report: @escaping @Sendable (Event) -> Void
    ) throws(StoreError) {
        try WorkerThread.start { [self] in
            do throws(StoreError) {
                try serve(on: try .open(configuration), report: report)
            } catch {
                return report(.failed(error))
            }
            report(.closed)
        }
    }

    /// Gives the thread a job. The pool gives it one at a time, and none after ``stop()``.
    func add(_ job: Job) {
        _ = jobs.add(job)
    }

    /// Ends the thread after its job.
    func stop() {
        jobs.close()
    }

    // The connection is closed as this returns, before the end is reported.
    private func serve(on connection: PostgresConnection, report: (Event) -> Void) throws(StoreError) {
        opened.withLock { $0 = connection }
        defer { opened.withLock { $0 = nil } }
        report(.opened)
        while let job = jobs.takeFirst() {
            var afterwards: ConnectionPool.Afterwards?
            switch job {
            case .use(let use):
                guard !connection.isStale else { return report(.stale(use)) }
                afterwards = use(.success(connection))
            case .takeOver(let use):
                afterwards = use(.success(connection))
            case .check:
                _ = try? connection.query(Statement("SELECT 1"))
            }
            report(.released(isClean: connection.isClean))
            afterwards?()
        }
    }
}
#endif
