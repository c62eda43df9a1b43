import Logging
import Metrics
import Tracing

/// What is known of a change after its outcome was unknown.
enum Settlement<Result: Sendable>: Sendable {
    /// It is in the store.
    case stored(Result)
    /// It is not in the store: make it again.
    case notStored
    /// Making it again finds out: what is stored is given back, and what is not is stored.
    case repeatable
    /// It cannot be found out.
    case unknown
}

/// Makes calls of a store under a retry policy, and counts, times and traces them.
struct RetryingCaller: Sendable {
    let policy: RetryPolicy
    let logger: Logger
    private let telemetry: ServiceTelemetry

    init(policy: RetryPolicy, backend: String, logger: Logger, tracer: (any Tracer)?) {
        self.policy = policy
        self.logger = logger
        telemetry = ServiceTelemetry(backend: backend, tracer: tracer)
    }

    /// A call that changes nothing.
    func call<Result: Sendable>(
        _ operation: ServiceOperation, _ attempt: () async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await call(operation, attempt) { () throws(StoreError) in .notStored }
    }

    /// A call that changes the store.
    ///
    /// - Parameters:
    ///   - operation: What metrics and spans call it.
    ///   - attempt: One attempt, the same each time.
    ///   - settle: Finds out what became of an attempt whose outcome is unknown.
    func call<Result: Sendable>(
        _ operation: ServiceOperation, _ attempt: () async throws(StoreError) -> Result,
        settle: () async throws(StoreError) -> Settlement<Result>
    ) async throws(StoreError) -> Result {
        guard !Task.isCancelled else { throw .cancelledBeforeStart }
        return try await telemetry.measure(operation) { () throws(StoreError) in
            let first: StoreError
            do throws(StoreError) {
                return try await attempt()
            } catch {
                first = error
            }
            guard first.isTransient || first.code == .outcomeUnknown else { throw first }
            return try await retry(operation, after: first, attempt, settle: settle)
        }
    }

    private func retry<Result: Sendable>(
        _ operation: ServiceOperation, after first: StoreError, _ attempt: () async throws(StoreError) -> Result,
        settle: () async throws(StoreError) -> Settlement<Result>
    ) async throws(StoreError) -> Result {
        let clock = ContinuousClock()
        let deadline = clock.now + policy.totalTime
        var last = first
        // The unknown outcome that is still to be settled. While there is one, no other error may be the answer that
        // says that nothing was written.
        var unsettled = first.code == .outcomeUnknown ? first : nil
        var number = 2
        while number <= policy.maximumAttempts, clock.now < deadline {
            logger.debug(
                "trying again",
                metadata: ["operation": "\(operation.rawValue)", "attempt": "\(number)", "error": "\(last)"])
            telemetry.countRetry(of: operation)
            try await pause(beforeAttempt: number, shielded: unsettled != nil)
            number += 1
            do throws(StoreError) {
                if let unknown = unsettled {
                    switch try await settle() {
                    case .stored(let result): return result
                    case .notStored: unsettled = nil
                    case .repeatable: break
                    case .unknown: throw StoreError.cannotSettle(unknown)
                    }
                }
                return try await attempt()
            } catch {
                last = error
            }
            if last.code == .outcomeUnknown, !last.isSettled {
                unsettled = last
            } else if !last.isTransient {
                throw last
            }
        }
        throw unsettled.map(StoreError.cannotSettle) ?? last
    }

    /// Waits before an attempt. While an outcome is unknown, a cancelled task goes on to find it out.
    private func pause(beforeAttempt number: Int, shielded: Bool) async throws(StoreError) {
        var random = SystemRandomNumberGenerator()
        let delay = policy.delay(beforeAttempt: number, using: &random)
        do {
            if shielded {
                try await Task.detached { try await Task.sleep(for: delay) }.value
            } else {
                try await Task.sleep(for: delay)
            }
        } catch {
            throw .cancelledBeforeStart
        }
    }
}

extension StoreError {
    /// The outcome of a change could not be found out.
    fileprivate static func cannotSettle(_ unknown: StoreError) -> StoreError {
        StoreError(
            .outcomeUnknown,
            "It is not known whether the change was stored, and the store could not tell. Read the session before you "
                + "make the change again. What happened: \(unknown.message)",
            backend: unknown.backend, nativeCode: unknown.nativeCode, cause: unknown)
    }

    /// Whether this is the last word on an unknown outcome.
    fileprivate var isSettled: Bool { (cause as? StoreError)?.code == .outcomeUnknown }
}
