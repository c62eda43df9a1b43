public import Logging

/// A copy of every session of one store into another, whatever their engines.
///
/// ```swift
/// let result = try await StoreCopy(from: old, to: new).run()
/// ```
///
/// Sessions keep their ids, revisions, times, usage and metadata; messages keep theirs. Each session is copied as it was
/// at one moment, in one transaction of the target, and read back: its count, revision and checksum (the one that its
/// native document has) must be those of the source. Memory is bounded, whatever the length of a session; one that is
/// longer than 256 KiB passes through a temporary file without a name, in `TMPDIR` or `/tmp`.
///
/// A copy that was interrupted is run again. Of the sessions that are in the target already
/// - one that is the same is left as it is, after its checksum was compared;
/// - one that is provably an earlier state of the source's, not changed in the target since, is replaced by the newer. The
///   target records which revision of which source it copied (``SessionStore/copyRecord(of:)``). If it does not, the
///   messages may prove it: they are the source's first, and the session's revision is the one that the last of them
///   made;
/// - any other is left as it is, and an error with the code ``StoreError/Code/conflict``.
///
/// Sessions that are created at the source while the copy runs are left to the next run, and sessions that are deleted there
/// stay in the target.
public struct StoreCopy: Sendable {
    /// How far a copy is.
    public struct Progress: Sendable {
        /// Sessions of the source that are dealt with.
        public let sessions: Int
        /// Their messages.
        public let messages: Int
    }

    /// The result of a copy.
    public struct Result: Sendable, Hashable {
        /// Sessions of the source that are in the target now, verified.
        public internal(set) var sessions = 0
        /// Their messages.
        public internal(set) var messages = 0
        /// Of the sessions, those that were written by this run.
        public internal(set) var copied = 0
        /// Of the sessions that were written, those that replaced an earlier state.
        public internal(set) var replaced = 0
    }

    /// Sessions that are copied at the same time, so that they can share a transaction or a sync.
    private static let sessionsAtOnce = 8
    private static let pageSessions = 100
    /// How many sessions the error names.
    private static let namedFailures = 10

    private let source: RetriedStore
    private let target: RetriedStore

    /// A copy between two open stores, which it does not close.
    ///
    /// - Parameters:
    ///   - source: The store to read. Others may use it meanwhile.
    ///   - target: The store to write.
    ///   - retryPolicy: How calls that failed for a passing reason are tried again.
    ///   - logger: Where retries are logged. No content of a message is.
    public init(
        from source: any SessionStore, to target: any SessionStore, retryPolicy: RetryPolicy = .standard,
        logger: Logger = Logger(label: "agent-sessions", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.source = RetriedStore(source, policy: retryPolicy, logger: logger)
        self.target = RetriedStore(target, policy: retryPolicy, logger: logger)
    }

    /// Copies. It can be interrupted at any time: a session is in the target whole or not at all.
    ///
    /// If a session cannot be copied, the others are copied all the same. The error at the end names the session.
    ///
    /// - Parameter progress: Called after each session with how far it is, on any thread.
    /// - Throws: ``StoreError/Code/invalidArgument`` if both are the same store; ``StoreError/Code/conflict``,
    ///   ``StoreError/Code/corrupt``, ``StoreError/Code/limitExceeded`` or ``StoreError/Code/checksumMismatch`` if
    ///   sessions were not copied; the error, if a store cannot be read or written.
    public func run(progress: (@Sendable (Progress) -> Void)? = nil) async throws(StoreError) -> Result {
        if let identity = try await source.identity(), try await target.identity() == identity {
            throw StoreError(
                .invalidArgument, "Both sides of the copy are the same store. Name another one to copy to.")
        }
        var remembered = try await source.storeID()
        // Without the source's id there is nothing to record.
        if remembered != nil, try await !target.keepCopyRecords() { remembered = nil }
        var tally = Tally(progress: progress)
        var after: SessionPosition?
        while let page = try await page(after: &after) {
            try await copy(page, remembering: remembered, &tally)
        }
        // What a run that was interrupted has left may be seen before it is durable.
        if tally.result.copied < tally.result.sessions { try await target.awaitDurability() }
        if let failure = tally.failure { throw failure }
        return tally.result
    }

    private func page(after: inout SessionPosition?) async throws(StoreError) -> [Session]? {
        let page = try await source.list(SessionListRequest(after: after, limit: Self.pageSessions))
        guard let last = page.last else { return nil }
        after = last.position
        return page
    }

    private func copy(
        _ sessions: [Session], remembering sourceID: ULID?, _ tally: inout Tally
    ) async throws(StoreError) {
        var stop: StoreError?
        await withTaskGroup(of: (outcome: SessionCopy.Outcome, messages: Int).self) { [source, target] group in
            var running = 0
            var messagesOnTheWay = 0
            func collect() async {
                guard let (outcome, messages) = await group.next() else { return }
                running -= 1
                messagesOnTheWay -= messages
                if let error = tally.take(outcome) { stop = stop ?? error }
            }
            for session in sessions where stop == nil {
                messagesOnTheWay += session.messageCount
                while running > 0, messagesOnTheWay > LongChange.messagesOnTheWay { await collect() }
                group.addTask {
                    let copy = SessionCopy(of: session.id, from: source, to: target, remembering: sourceID)
                    return (await copy.run(), session.messageCount)
                }
                running += 1
                if running == Self.sessionsAtOnce { await collect() }
            }
            while running > 0 { await collect() }
        }
        guard let stop else { return }
        throw stop.located(
            "The copy stopped",
            after: "\(tally.result.sessions) sessions are in the target, each whole. Run the copy again to go on.")
    }

    /// The results of the sessions so far.
    private struct Tally {
        var result = Result()
        let progress: (@Sendable (Progress) -> Void)?
        private var failures: [StoreError] = []
        private var failureCount = 0

        init(progress: (@Sendable (Progress) -> Void)?) {
            self.progress = progress
        }

        /// - Returns: An error that concerns more than the one session.
        mutating func take(_ outcome: SessionCopy.Outcome) -> StoreError? {
            switch outcome {
            case .present(let messages): add(messages)
            case .copied(let messages, let replaced):
                add(messages)
                result.copied += 1
                if replaced { result.replaced += 1 }
            case .gone: break
            case .failed(let error) where error.concernsOneSession:
                failureCount += 1
                if failures.count < StoreCopy.namedFailures { failures.append(error) }
            case .failed(let error): return error
            }
            return nil
        }

        private mutating func add(_ messages: Int) {
            result.sessions += 1
            result.messages += messages
            progress?(Progress(sessions: result.sessions, messages: result.messages))
        }

        /// The error that reports every session that could not be copied.
        var failure: StoreError? {
            guard let first = failures.first else { return nil }
            let more = failureCount - failures.count
            let details = failures.map(\.message).joined(separator: " ") + (more > 0 ? " And \(more) more." : "")
            return StoreError(
                first.code,
                "\(failureCount) of \(failureCount + result.sessions) sessions were not copied; the others were, each "
                    + "whole. \(details)",
                backend: first.backend, nativeCode: first.nativeCode, cause: first)
        }
    }
}

extension StoreError {
    /// Whether other sessions can be copied all the same.
    fileprivate var concernsOneSession: Bool {
        [.conflict, .corrupt, .limitExceeded, .invalidArgument, .checksumMismatch].contains(code)
    }
}
