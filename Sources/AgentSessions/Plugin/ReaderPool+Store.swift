package import AgentSessionsThreads
import Metrics

extension ReaderPool {
    /// Starts the threads of a backend's store that read what may block. How long reads wait for one is a metric.
    ///
    /// - Parameters:
    ///   - backend: The name that the metric shows.
    ///   - makeReader: Makes the reader of a thread, on that thread.
    /// - Throws: ``StoreError/Code/unavailable`` where the system has no thread to give.
    package convenience init(backend: String, makeReader: @escaping @Sendable () -> Reader) throws(StoreError) {
        let waits = Metrics.Timer(label: "agent_sessions_reader_wait_seconds", dimensions: [("backend", backend)])
        do throws(ThreadStartError) {
            try self.init(threads: 2, makeReader: makeReader) { waits.recordNanoseconds(Int64(clamping: $0)) }
        } catch {
            throw StoreError(error)
        }
    }

    /// Runs `body` on the next free thread.
    ///
    /// - Parameter backend: The name that the error of a closed store shows.
    /// - Throws: What `body` throws; ``StoreError/Code/closed`` where the pool was stopped.
    package func read<Success: Sendable>(
        backend: String, _ body: @escaping @Sendable (inout Reader) throws(StoreError) -> Success
    ) async throws(StoreError) -> Success {
        let outcome = await run { reader in Result { () throws(StoreError) in try body(&reader) } }
        guard let outcome else { throw .storeClosed(backend: backend) }
        return try outcome.get()
    }
}
