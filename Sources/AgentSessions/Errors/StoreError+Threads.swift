package import AgentSessionsThreads

// Threads know nothing of stores. Here what they report becomes an error of a store.

extension StoreError {
    init(_ error: ThreadStartError) {
        self.init(
            .unavailable, "The system has no thread to give (error \(error.code)). Raise the limit on threads.")
    }
}

extension CancellationFlag {
    /// - Throws: ``StoreError/Code/cancelled`` where the task that waits was cancelled.
    package func check() throws(StoreError) {
        if isSet { throw .cancelledBeforeStart }
    }
}

extension WorkerThread {
    /// Starts a thread that runs `body` and ends.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where the system has no thread to give.
    @discardableResult
    package static func start(_ body: @escaping @Sendable () -> Void) throws(StoreError) -> WorkerThread {
        do throws(ThreadStartError) {
            return try WorkerThread(body)
        } catch {
            throw StoreError(error)
        }
    }
}

/// Runs `body`, which may block, on a thread of its own, so that it takes none of Swift's.
///
/// - Throws: What `body` throws; ``StoreError/Code/unavailable`` where the system has no thread to give.
package func onOwnThread<Success: Sendable>(
    _ body: @escaping @Sendable (CancellationFlag) throws(StoreError) -> Success
) async throws(StoreError) -> Success {
    let outcome: Result<Success, StoreError>
    do throws(ThreadStartError) {
        outcome = try await runOnThread { flag in
            Result { () throws(StoreError) in try body(flag) }
        }
    } catch {
        throw StoreError(error)
    }
    return try outcome.get()
}
