#if Postgres
internal import AgentSessions
internal import AgentSessionsBlocking

/// A thread that opens a connection, works with it, and closes it.
final class ConnectionThread: Sendable {
    /// What the thread is given to do.
    enum Job: Sendable {
        /// To work with the connection.
        case use(ConnectionPool.Use)
        /// To see whether the server is there.
        case check
    }

    /// What the thread reports.
    enum Event: Sendable {
        case opened
        case failed(StoreError)
        /// A job is done.
        case released(isClean: Bool)
        /// The server has closed the connection in the meantime, so that this job needs another one.
        case stale(ConnectionPool.Use)
        case closed
    }

    private let jobs = BlockingQueue<Job>()

    /// Starts the thread.
    ///
    /// - Parameter report: Called on the thread.
    /// - Throws: ``StoreError/Code/unavailable`` where the system has no thread to give; then nothing is reported.
    func start(
        _ configuration: PostgresConfiguration, report: @escaping @Sendable (Event) -> Void
    ) throws(StoreError) {
        _ = try WorkerThread { [jobs] in
            do throws(StoreError) {
                try Self.serve(jobs, on: try .open(configuration), report: report)
            } catch {
                return report(.failed(error))
            }
            report(.closed)
        }
    }

    /// Gives the thread something to do. The pool gives it one thing at a time, and nothing after ``stop()``.
    func add(_ job: Job) {
        _ = jobs.add(job)
    }

    /// Lets the thread end.
    func stop() {
        jobs.close()
    }

    // The connection is closed as this returns, before anybody is told.
    private static func serve(
        _ jobs: BlockingQueue<Job>, on connection: PostgresConnection, report: (Event) -> Void
    ) throws(StoreError) {
        report(.opened)
        while let job = jobs.takeFirst() {
            var afterwards: ConnectionPool.Afterwards?
            switch job {
            case .use(let use):
                guard !connection.isStale else { return report(.stale(use)) }
                afterwards = use(.success(connection))
            case .check:
                _ = try? connection.run(Command(Statement("SELECT 1")))
            }
            report(.released(isClean: connection.isClean))
            afterwards?()
        }
    }
}
#endif
