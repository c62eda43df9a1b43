public import Logging

extension RetryPolicy {
    /// Opens a store, and tries again what fails for a passing reason. For backends, which know what is passing.
    ///
    /// - Parameters:
    ///   - logger: Where further attempts are logged.
    ///   - isPassing: Whether an error of opening may be gone with the next attempt; by default a lock or a bound that was
    ///     met.
    ///   - attempt: Opens the store. Made again, it finds what an earlier attempt has made.
    /// - Throws: What the last attempt throws; ``StoreError/Code/cancelled`` where the task is cancelled while it waits for
    ///   the next one.
    public func opening<Store>(
        logger: Logger, isPassing: (StoreError) -> Bool = { $0.code == .busy || $0.code == .timeout },
        _ attempt: () async throws(StoreError) -> Store
    ) async throws(StoreError) -> Store {
        let deadline = ContinuousClock.now + totalTime
        var number = 1
        while true {
            let failure: StoreError
            do throws(StoreError) {
                return try await attempt()
            } catch {
                failure = error
            }
            number += 1
            let delay = delay(beforeAttempt: number, jitter: .random(in: 0...1))
            guard isPassing(failure), number <= maximumAttempts, ContinuousClock.now + delay <= deadline else {
                throw failure
            }
            do { try await Task.sleep(for: delay) } catch { throw .cancelledBeforeStart }
            logger.debug("opening again", metadata: ["attempt": "\(number)", "error": "\(failure)"])
        }
    }
}
