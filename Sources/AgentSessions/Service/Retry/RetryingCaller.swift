import Logging
import Metrics
import Tracing

/// What is known of a change after its outcome was unknown.
///
/// A look at the store may come before a commit that is still under way. So what is not there is made again only in a
/// way that the store refuses where it arrived meanwhile: under the same id, or from the revision that was seen.
enum Settlement<Result: Sendable>: Sendable {
    /// It is in the store.
    case stored(Result)
    /// It is not in the store: make it again. Its id makes the store refuse it with
    /// ``StoreError/Code/alreadyExists`` where it arrived meanwhile.
    case notStored
    /// It is not in the store, where the session has this revision: make it again, provided that the revision is
    /// still this one.
    case notStoredAt(Timestamp)
    /// Making it again finds out: what is stored is given back, and what is certain not to be is stored.
    case repeatable
    /// It cannot be found out.
    case unknown
}

/// What an attempt has to beware of, as an earlier one may have been stored.
enum Fence: Sendable, Hashable {
    /// Nothing: no attempt can have been stored.
    case none
    /// The change must find out for itself whether it is stored.
    case mayBeStored
    /// The session must have this revision, at which the change was not stored.
    case revision(Timestamp)

    /// The revision that the session must have, where it must have one.
    var revision: Timestamp? {
        if case .revision(let revision) = self { revision } else { nil }
    }
}

/// Makes calls of a store under a retry policy, and counts, times and traces them.
struct RetryingCaller: Sendable {
    /// One attempt, the same each time but for what it has to beware of.
    typealias Attempt<Result: Sendable> = @Sendable (Fence) async throws(StoreError) -> Result
    /// Finds out what became of an attempt whose outcome is unknown.
    typealias Settle<Result: Sendable> = @Sendable () async throws(StoreError) -> Settlement<Result>

    let policy: RetryPolicy
    let logger: Logger
    /// Waits until what reads have shown is durable: ``SessionStore/awaitDurability()``.
    private let awaitDurability: @Sendable () async throws(StoreError) -> Void
    private let telemetry: ServiceTelemetry

    init(_ store: any SessionStore, policy: RetryPolicy, logger: Logger, tracer: (any Tracer)?) {
        self.policy = policy
        self.logger = logger
        awaitDurability = { () throws(StoreError) in try await store.awaitDurability() }
        telemetry = ServiceTelemetry(backend: store.backendName, tracer: tracer)
    }

    /// A call that changes nothing, and is made again without a look at what became of it.
    ///
    /// The closure is not kept, so that a call that succeeds at once makes nothing on the heap.
    func read<Result: Sendable>(
        _ operation: ServiceOperation, _ attempt: () async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        guard !Task.isCancelled else { throw .cancelledBeforeStart }
        return try await telemetry.measure(operation) { (start) throws(StoreError) in
            var last: StoreError
            do throws(StoreError) {
                return try await attempt()
            } catch {
                last = error
            }
            var number = 2
            while last.isTransient || last.code == .outcomeUnknown {
                let delay = policy.delay(beforeAttempt: number, jitter: .random(in: 0...1))
                guard number <= policy.maximumAttempts, ContinuousClock.now + delay <= start + policy.totalTime else {
                    break
                }
                try await pause(for: delay, shielded: false)
                note(operation, attempt: number, after: last)
                number += 1
                do throws(StoreError) {
                    return try await attempt()
                } catch {
                    last = error
                }
            }
            throw last
        }
    }

    /// A call that changes the store, and needs no fence when it is made again.
    func call<Result: Sendable>(
        _ operation: ServiceOperation, _ attempt: @escaping @Sendable () async throws(StoreError) -> Result,
        settle: @escaping Settle<Result>
    ) async throws(StoreError) -> Result {
        try await call(operation, fenced: { (_) throws(StoreError) in try await attempt() }, settle: settle)
    }

    /// A call that changes the store.
    ///
    /// - Parameters:
    ///   - operation: What metrics and spans call it.
    ///   - attempt: One attempt.
    ///   - settle: Finds out what became of an attempt whose outcome is unknown.
    func call<Result: Sendable>(
        _ operation: ServiceOperation, fenced attempt: @escaping Attempt<Result>, settle: @escaping Settle<Result>
    ) async throws(StoreError) -> Result {
        guard !Task.isCancelled else { throw .cancelledBeforeStart }
        return try await telemetry.measure(operation) { (start) throws(StoreError) in
            let first: StoreError
            do throws(StoreError) {
                return try await attempt(.none)
            } catch {
                first = error
            }
            guard first.isTransient || first.code == .outcomeUnknown else { throw first }
            return try await retry(operation, after: first, until: start + policy.totalTime, attempt, settle: settle)
        }
    }

    private func retry<Result: Sendable>(
        _ operation: ServiceOperation, after first: StoreError, until deadline: ContinuousClock.Instant,
        _ attempt: @escaping Attempt<Result>, settle: @escaping Settle<Result>
    ) async throws(StoreError) -> Result {
        var last = first
        var open = first.code == .outcomeUnknown ? UnknownOutcome(first) : nil
        var number = 2
        while true {
            let delay = policy.delay(beforeAttempt: number, jitter: .random(in: 0...1))
            let mayAttempt = number <= policy.maximumAttempts && ContinuousClock.now + delay <= deadline
            // An unknown outcome is looked into once whatever the policy says: a look changes nothing.
            guard mayAttempt || open?.needsLook == true else { break }
            try await pause(for: delay, shielded: open != nil)
            note(operation, attempt: number, after: last)
            number += 1
            if var outcome = open {
                let found = try await outcome.settle(mayAttempt: mayAttempt, attempt, settle: settle)
                if let found, try await outcome.isDurable(awaitDurability) { return found }
                open = outcome
                last = outcome.last
            } else {
                do throws(StoreError) {
                    return try await attempt(.none)
                } catch {
                    last = error
                }
                if last.code == .outcomeUnknown {
                    open = UnknownOutcome(last)
                } else if !last.isTransient {
                    throw last
                }
            }
        }
        throw open?.unsettled ?? last
    }

    private func note(_ operation: ServiceOperation, attempt: Int, after error: StoreError) {
        logger.debug(
            "trying again",
            metadata: ["operation": "\(operation.name)", "attempt": "\(attempt)", "error": "\(error)"])
        telemetry.countRetry(of: operation)
    }

    /// Waits before an attempt. While an outcome is unknown, a cancelled task goes on to find it out.
    private func pause(for delay: Duration, shielded: Bool) async throws(StoreError) {
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

/// A change whose outcome is unknown, until it is settled. As long as it is not, no error may be the answer that lets
/// the caller believe that nothing was written.
private struct UnknownOutcome {
    /// What the store said.
    private var cause: StoreError
    /// The error of the last look or attempt.
    private(set) var last: StoreError
    /// Whether something happened that no look has explained yet.
    private(set) var needsLook = true
    /// What the last attempt had to beware of.
    private var fence = Fence.none
    /// What the store answered to that attempt, where it refused it.
    private var refusal: StoreError?

    init(_ error: StoreError) {
        cause = error
        last = error
    }

    /// The answer when it cannot be found out.
    var unsettled: StoreError {
        StoreError(
            .outcomeUnknown,
            "It is not known whether the change was stored, and the store could not tell. Read the session before you "
                + "make the change again. What happened: \(cause.message)",
            backend: cause.backend, nativeCode: cause.nativeCode, cause: last)
    }

    /// Looks into the outcome, and makes the change again where it is not stored.
    ///
    /// - Returns: The result; `nil` where it is still unknown and may be looked into again.
    mutating func settle<Result: Sendable>(
        mayAttempt: Bool, _ attempt: @escaping RetryingCaller.Attempt<Result>,
        settle: @escaping RetryingCaller.Settle<Result>
    ) async throws(StoreError) -> Result? {
        needsLook = false
        let settlement: Settlement<Result>
        do throws(StoreError) {
            settlement = try await shielded(settle)
        } catch {
            last = error
            if error.isTransient { return nil }
            // A look that says so has found another's change in the place of this one.
            throw error.code == .alreadyExists || error.code == .conflict ? error : unsettled
        }
        switch settlement {
        case .stored(let result): return result
        case .unknown: throw unsettled
        case .repeatable: fence = .mayBeStored
        case .notStored: break
        case .notStoredAt(let revision):
            // Refused although the revision was as it must be: the refusal is about something else, and final.
            if let refusal, fence == .revision(revision) { throw refusal }
            fence = .revision(revision)
        }
        guard mayAttempt else { return nil }
        do throws(StoreError) {
            return try await shielded { [fence] () throws(StoreError) in try await attempt(fence) }
        } catch {
            last = error
        }
        if last.isUndecidable {
            throw unsettled
        } else if last.code == .outcomeUnknown {
            cause = last
            needsLook = true
        } else if fence != .mayBeStored, last.code == .conflict || last.code == .alreadyExists {
            // Perhaps it is the change itself that stands in the way.
            refusal = last
            needsLook = true
        } else if last.isVerdict {
            throw last
        } else if !last.isTransient {
            throw unsettled
        }
        return nil
    }

    /// Whether what was found is as durable as the store promises, and so is the outcome.
    ///
    /// - Returns: `false` where the store could not tell; then the outcome may be looked into again.
    mutating func isDurable(
        _ awaitDurability: @escaping @Sendable () async throws(StoreError) -> Void
    ) async throws(StoreError) -> Bool {
        do throws(StoreError) {
            try await shielded(awaitDurability)
            return true
        } catch {
            last = error
            guard error.isTransient else { throw unsettled }
            return false
        }
    }

    /// Runs `body` where a cancellation of this task is not seen, as a store may refuse a cancelled task, and this
    /// one must learn what became of its change.
    private func shielded<Result: Sendable>(
        _ body: @escaping @Sendable () async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let outcome: Swift.Result<Result, StoreError> = await Task {
            do throws(StoreError) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }.value
        return try outcome.get()
    }
}

extension StoreError {
    /// Whether the store looked at the session and refused the change by a rule, so that the change is not stored.
    fileprivate var isVerdict: Bool {
        [.notFound, .alreadyExists, .conflict, .invalidArgument, .limitExceeded].contains(code)
    }
}
