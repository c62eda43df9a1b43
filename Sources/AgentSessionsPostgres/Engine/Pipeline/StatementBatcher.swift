#if Postgres
internal import AgentSessions
internal import AgentSessionsThreads
internal import Metrics
internal import Synchronization

/// Sends the statements of many callers in batches: a connection takes all that waits and sends it together. While one
/// batch is under way, the next gathers, or goes on another connection.
///
/// ``BatchStateMachine`` decides what happens when; this type carries it out.
final class StatementBatcher: Sendable {
    /// After so many batches a connection goes back to the pool, so that others who wait for one have their turn.
    private static let batchesPerLease = 64
    /// What a caller's thread may copy to the socket: some microseconds' worth.
    private static let inlineBytes = 64 << 10
    /// The pause between looks for statements that a batch waits for.
    private static let delayPause = Duration.microseconds(30)

    private let pool: ConnectionPool
    private let isWriting: Bool
    private let machine: Mutex<BatchStateMachine>
    private let inlineReceive = Mutex(InlineReceivePolicy())
    private let turn = SharedInlineTurn()
    private let drained = OneShot<Void>()
    private let clock = ContinuousClock()
    private let batchSize: Recorder
    private let commitTime: Metrics.Timer

    init(_ pool: ConnectionPool, rules: BatchStateMachine.Rules) {
        self.pool = pool
        isWriting = rules.isWriting
        machine = Mutex(BatchStateMachine(rules))
        let dimensions = [("backend", PostgresBackend.name), ("kind", rules.isWriting ? "write" : "read")]
        batchSize = Recorder(label: "agent_sessions_commit_group_size", dimensions: dimensions)
        commitTime = Metrics.Timer(label: "agent_sessions_commit_seconds", dimensions: dimensions)
    }

    // MARK: Callers

    /// Sends a statement, together with others that wait at the same moment, and gives what comes of it.
    ///
    /// - Parameters:
    ///   - statement: The statement.
    ///   - session: The session that it is about.
    ///   - isExclusive: Whether it may take long, and so has a batch of its own.
    ///   - decode: Makes the value of the server's answer.
    ///   - recover: Turns a failure into an error, or into a value after all. By default it throws the failure's own error.
    func submit<Success: Sendable>(
        _ statement: Statement, session: ULID?, isExclusive: Bool = false,
        decode: @escaping AwaitedStatement<Success>.Decode, recover: AwaitedStatement<Success>.Recover? = nil
    ) async throws(StoreError) -> Success {
        await turn.giveWay()
        let recover = recover ?? throwing()
        let ticket = Ticket()
        let outcome: Result<Success, StoreError> = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                // Resumed exactly once: by the thread that takes the statement out of the queue, under the mutex.
                let queued = AwaitedStatement(
                    statement, session: session, isExclusive: isExclusive, decode: decode,
                    recover: recover, continuation: continuation)
                ticket.queued.withLock { $0 = queued }
                enqueue(queued)
            }
        } onCancel: {
            if let queued = ticket.queued.withLock({ $0 }) { cancel(queued) }
        }
        return try outcome.get()
    }

    /// Throws a failure's own error.
    private func throwing<Success>() -> AwaitedStatement<Success>.Recover {
        let isWriting = isWriting
        return { (error) throws(StoreError) in throw isWriting ? error.writeError : error.readError }
    }

    /// Refuses new statements, and waits for those that are there.
    func close() async {
        perform(machine.withLock { $0.close() })
        await drained.value()
    }

    /// What a cancelled task finds its statement by.
    private final class Ticket: Sendable {
        let queued = Mutex<QueuedStatement?>(nil)
    }

    private func enqueue(_ queued: QueuedStatement) {
        do throws(StoreError) {
            let action = try machine.withLock { (machine) throws(StoreError) in
                try machine.enqueue(queued, now: clock.now)
            }
            perform(action)
        } catch {
            refuse(queued, error)
        }
    }

    /// A statement that still waits is answered at once. For one that is under way the task waits, so that it learns
    /// whether it is stored.
    private func cancel(_ queued: QueuedStatement) {
        guard machine.withLock({ $0.remove(queued) }) else { return }
        refuse(
            queued,
            StoreError(
                .cancelled, "The task was cancelled before its statement was sent. Nothing was written.",
                backend: PostgresBackend.name))
    }

    private func refuse(_ queued: QueuedStatement, _ error: StoreError) {
        queued.fail(error)
        queued.answer()
    }

    // MARK: Actions

    private func perform(_ action: BatchStateMachine.Action?) {
        switch action {
        case .sendInline: if !sendInline() { lease() }
        case .lease: lease()
        case .wake(let instant):
            Task.detached { [self] in
                try? await Task.sleep(until: instant, clock: .continuous)
                perform(machine.withLock { $0.woken(now: clock.now) })
            }
        case .reportDrained: drained.send(())
        case nil: break
        }
    }

    private func lease() {
        pool.lease { [self] connection in
            switch connection {
            case .failure(let error):
                let (refused, action) = machine.withLock { $0.leaseFailed() }
                for queued in refused { refuse(queued, error) }
                perform(action)
                return nil
            case .success(let connection):
                serve(on: connection)
                return { self.release() }
            }
        }
    }

    /// The connection is back in the pool.
    private func release() {
        perform(machine.withLock { $0.released() })
    }

    // MARK: On the caller's thread

    /// Sends what waits on the calling thread, if a connection is free: then the server is at work while the connection's
    /// thread wakes up to wait for it. The answer to a single read may be received here, too.
    ///
    /// - Returns: Whether what waited is under way or done.
    private func sendInline() -> Bool {
        guard let loan = pool.borrow() else { return false }
        let start = clock.now
        guard let batch = machine.withLock({ $0.takeBatch(now: start) }) else {
            pool.giveBack(loan)
            return false
        }
        let isSent = batch.bytes <= Self.inlineBytes && batch.send(on: loan.connection)
        if isSent, receiveInline(batch, on: loan.connection) {
            answer(batch, in: clock.now - start)
            pool.giveBack(loan)
            release()
        } else {
            pool.handOver(loan) { [self] connection in
                guard case .success(let connection) = connection else { return nil }
                finish(batch, on: connection, since: start, isSent: isSent)
                serve(on: connection)
                return { self.release() }
            }
        }
        return true
    }

    /// - Returns: Whether the batch has its outcome.
    private func receiveInline(_ batch: StatementBatch, on connection: PostgresConnection) -> Bool {
        guard !isWriting, batch.statements.count == 1, inlineReceive.withLock({ $0.begin() }) else { return false }
        let start = clock.now
        let hasOutcome = batch.receive(on: connection, within: InlineReceivePolicy.bound)
        let time = clock.now - start
        inlineReceive.withLock { $0.end(after: time) }
        turn.add(UInt64(clamping: time.wholeNanoseconds))
        return hasOutcome
    }

    // MARK: On the connection's thread

    /// Sends batches until there is none, or others have their turn.
    private func serve(on connection: PostgresConnection) {
        for _ in 0..<Self.batchesPerLease {
            guard connection.isClean, let batch = nextBatch() else { return }
            finish(batch, on: connection, since: clock.now, isSent: false)
        }
    }

    private func nextBatch() -> StatementBatch? {
        switch machine.withLock({ $0.next(now: clock.now) }) {
        case .send(let batch): return batch
        case .release: return nil
        case .delay(let end):
            repeat { WorkerThread.pause(Self.delayPause) } while !machine.withLock { $0.isDelayOver } && clock.now < end
            return machine.withLock { $0.nextAfterDelay(now: clock.now) }
        }
    }

    private func finish(
        _ batch: StatementBatch, on connection: PostgresConnection, since start: ContinuousClock.Instant, isSent: Bool
    ) {
        let lockedOut = batch.finish(on: connection, isSent: isSent)
        answer(batch, lockedOut: lockedOut, in: clock.now - start)
        guard !lockedOut.isEmpty else { return }
        StatementBatch.runWaitingForLocks(lockedOut, on: connection)
        perform(machine.withLock { $0.finish(batch, now: clock.now) })
        for queued in lockedOut { queued.answer() }
    }

    /// Answers the callers of a batch, but for those whose statements are locked out.
    private func answer(_ batch: StatementBatch, lockedOut: [QueuedStatement] = [], in time: Duration) {
        perform(machine.withLock { $0.received(batch, lockedOut: lockedOut, in: time, now: clock.now) })
        batchSize.record(batch.statements.count)
        commitTime.recordNanoseconds(time.wholeNanoseconds)
        for queued in batch.statements where !lockedOut.contains(where: { $0 === queued }) { queued.answer() }
    }
}
#endif
