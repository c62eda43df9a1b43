#if Postgres
internal import AgentSessions
internal import AgentSessionsGroupCommit

/// Decides which queued statements share a batch, when a batch is sent, and on how many connections.
///
/// It knows no connection and reads no clock: each event gives the action that is to follow, which ``StatementBatcher``
/// carries out.
struct BatchStateMachine {
    typealias Instant = ContinuousClock.Instant

    /// How batches are made.
    struct Rules: Sendable {
        /// Whether statements change the store. Then a session is in one batch at a time, as a second one would only wait
        /// for its lock, and the statements of a batch are put in order.
        var isWriting: Bool
        /// The largest number of connections.
        var maximumConnections: Int
        /// The largest number of statements in a batch.
        var batchSize: Int
        /// As many statements that wait while every connection is at work get another connection.
        var expandThreshold: Int
        /// Bytes of parameters after which a batch is full.
        var batchBytes = 1 << 20
        /// While a batch takes longer, what waits gets another connection: the batch may be waiting for a lock.
        var slowBatch = Duration.milliseconds(20)
    }

    /// What follows an event.
    enum Action: Equatable {
        /// Lease a connection, send batches on it for as long as ``next(now:)`` gives some, and then call ``released()``.
        case lease
        /// The same, but where a connection is free, the calling thread sends the first batch itself.
        case sendInline
        /// Call ``woken(now:)`` then.
        case wake(Instant)
        /// Let the callers of `close` go on: every statement was answered.
        case reportDrained
    }

    /// What a connection does next.
    enum Step {
        case send(StatementBatch)
        /// Wait for more statements until then, or until ``isDelayOver``. Then send what ``nextAfterDelay(now:)`` gives.
        case delay(until: Instant)
        /// Nothing can be sent now.
        case release
    }

    private struct BatchUnderWay {
        let started: Instant
        var sessions: Set<ULID>
    }

    let rules: Rules
    private var waiting: [QueuedStatement] = []
    private var underWay: [Int: BatchUnderWay] = [:]
    private var lastNumber = 0
    /// Connections that send batches, or are being waited for.
    private var serving = 0
    private var isAwaitingWake = false
    private var isClosed = false
    /// Where commits are fast, callers that come back had better go at once, on another connection if need be.
    private var commitDelay = GroupCommitDelay(leastTime: .milliseconds(2))

    init(_ rules: Rules) {
        self.rules = rules
    }

    /// The number of statements that wait.
    var count: Int { waiting.count }

    /// Whether no connection is at work, as there is nothing to do.
    var isIdle: Bool { serving == 0 }

    // MARK: Events of callers

    /// A caller has a statement.
    ///
    /// - Throws: ``StoreError/Code/closed`` after ``close()``.
    mutating func enqueue(_ statement: QueuedStatement, now: Instant) throws(StoreError) -> Action? {
        guard !isClosed else { throw .storeClosed(backend: PostgresBackend.name) }
        waiting.append(statement)
        let action = nextAction(now: now)
        return action == .lease && isDelayOver ? .sendInline : action
    }

    /// A caller takes its statement back.
    ///
    /// - Returns: Whether it still waited.
    mutating func remove(_ statement: QueuedStatement) -> Bool {
        guard let index = waiting.firstIndex(where: { $0 === statement }) else { return false }
        waiting.remove(at: index)
        return true
    }

    /// No more statements are taken. Those that are there are still sent.
    mutating func close() -> Action? {
        isClosed = true
        return isIdle ? .reportDrained : nil
    }

    // MARK: Events of connections

    /// A connection has nothing to send.
    mutating func next(now: Instant) -> Step {
        let delay = commitDelay.patience(with: waiting.count)
        guard delay == .zero else { return .delay(until: now + delay) }
        return takeBatch(now: now).map(Step.send) ?? .release
    }

    /// Whether as many statements wait as can be expected, so that a delayed batch goes.
    var isDelayOver: Bool { commitDelay.patience(with: waiting.count) == .zero }

    /// A connection has waited for more statements.
    mutating func nextAfterDelay(now: Instant) -> StatementBatch? {
        commitDelay.gathered(waiting.count)
        return takeBatch(now: now)
    }

    /// The next batch for a connection that has none; `nil` where nothing can be sent now.
    mutating func takeBatch(now: Instant) -> StatementBatch? {
        var taken: [QueuedStatement] = []
        var left: [QueuedStatement] = []
        var bytes = 0
        var isFull = false
        for queued in waiting {
            guard !isFull, !isBusy(queued), !(queued.isExclusive && !taken.isEmpty) else {
                // What comes after an exclusive statement waits behind it.
                isFull = isFull || queued.isExclusive
                left.append(queued)
                continue
            }
            taken.append(queued)
            bytes += queued.statement.parameters.bytes.count
            isFull = queued.isExclusive || taken.count >= rules.batchSize || bytes >= rules.batchBytes
        }
        guard !taken.isEmpty else { return nil }
        waiting = left
        lastNumber += 1
        underWay[lastNumber] = BatchUnderWay(started: now, sessions: Set(taken.compactMap(\.session)))
        return StatementBatch(
            number: lastNumber, statements: rules.isWriting ? Self.inOrder(taken) : taken, bytes: bytes)
    }

    /// A batch has its outcomes. Those of its statements that are locked out go on by themselves, until ``finish(_:now:)``.
    ///
    /// - Parameter time: How long it took.
    mutating func received(
        _ batch: StatementBatch, lockedOut: [QueuedStatement], in time: Duration, now: Instant
    ) -> Action? {
        if rules.isWriting {
            commitDelay.committed(batch.statements.count - lockedOut.count, waiting: waiting.count, in: time)
        }
        guard !lockedOut.isEmpty else { return finish(batch, now: now) }
        underWay[batch.number]?.sessions = Set(lockedOut.compactMap(\.session))
        return nextAction(now: now)
    }

    /// All of a batch is done.
    mutating func finish(_ batch: StatementBatch, now: Instant) -> Action? {
        underWay[batch.number] = nil
        return nextAction(now: now)
    }

    /// A connection was given back.
    mutating func released() -> Action? {
        // What was enqueued in the meantime needs one.
        if hasReady { return .lease }
        serving -= 1
        return isClosed && isIdle ? .reportDrained : nil
    }

    /// No connection could be leased.
    ///
    /// - Returns: The statements that no other connection will send, which wait no longer, and what follows.
    mutating func leaseFailed() -> (refused: [QueuedStatement], action: Action?) {
        serving -= 1
        guard isIdle else { return ([], nil) }
        defer { waiting = [] }
        return (waiting, isClosed ? .reportDrained : nil)
    }

    /// It is time to look again, as ``Action/wake(_:)`` asked for.
    mutating func woken(now: Instant) -> Action? {
        isAwaitingWake = false
        return nextAction(now: now)
    }

    // MARK: Rules

    private var hasReady: Bool { waiting.contains { !isBusy($0) } }

    private func isBusy(_ statement: QueuedStatement) -> Bool {
        guard rules.isWriting, let session = statement.session else { return false }
        return underWay.values.contains { $0.sessions.contains(session) }
    }

    private mutating func nextAction(now: Instant) -> Action? {
        guard serving < rules.maximumConnections, hasReady else { return nil }
        if serving == 0 || needsConnection(now: now) {
            serving += 1
            return .lease
        }
        guard !isAwaitingWake else { return nil }
        isAwaitingWake = true
        return .wake(now + rules.slowBatch)
    }

    /// Whether every connection is at work, and either each is held up or as many statements wait as are worth another one.
    private func needsConnection(now: Instant) -> Bool {
        guard underWay.count == serving else { return false }
        return waiting.count >= rules.expandThreshold
            || underWay.values.allSatisfy { $0.started + rules.slowBatch <= now }
    }

    /// By session, so that transactions of several stores take their locks in the same order and never wait for each
    /// other; within a session as they came.
    private static func inOrder(_ statements: [QueuedStatement]) -> [QueuedStatement] {
        guard statements.count > 1 else { return statements }
        return statements.enumerated()
            .sorted { left, right in
                guard let first = left.element.session, let second = right.element.session, first != second else {
                    return left.offset < right.offset
                }
                return first < second
            }
            .map(\.element)
    }
}
#endif
