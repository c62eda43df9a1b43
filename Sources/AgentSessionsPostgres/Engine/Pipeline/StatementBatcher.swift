#if Postgres
internal import AgentSessions
internal import AgentSessionsGroupCommit
internal import AgentSessionsThreads
internal import Metrics
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Runs operations of one statement each. Whoever has a connection takes all that waits and runs it together.
///
/// While one group is under way, the next gathers, or goes on another connection. What happens when is decided by
/// ``BatchStateMachine``.
final class StatementBatcher: Sendable {
    private struct State {
        var queue: BatchStateMachine
        /// Where commits are fast, it is better that who is back goes at once, on another connection if need be.
        var gather = GroupCommitDelay(leastTime: .milliseconds(2))
        var patience = InlineReceivePolicy()
        var isClosed = false
    }

    /// A lane gives its connection back after so many groups, so that others who wait for one have their turn.
    private static let groupsPerLease = 64
    /// What a caller's thread may copy to the socket: some microseconds' worth.
    private static let callersBytes = 64 << 10

    private let pool: ConnectionPool
    let rules: BatchStateMachine.Rules
    private let state: Mutex<State>
    private let drained = OneShot<Void>()
    private let turn = SharedInlineTurn()
    private let clock = ContinuousClock()
    private let groupSize: Recorder
    private let commitTime: Metrics.Timer

    init(_ pool: ConnectionPool, rules: BatchStateMachine.Rules) {
        self.pool = pool
        self.rules = rules
        state = Mutex(State(queue: BatchStateMachine(rules)))
        let dimensions = [("backend", PostgresBackend.name), ("kind", rules.isWriting ? "write" : "read")]
        groupSize = Recorder(label: "agent_sessions_commit_group_size", dimensions: dimensions)
        commitTime = Metrics.Timer(label: "agent_sessions_commit_seconds", dimensions: dimensions)
    }

    /// Runs a statement, together with others that wait at the same moment.
    ///
    /// - Parameters:
    ///   - command: The statement.
    ///   - session: What it is about.
    ///   - isAlone: Whether it may take long.
    ///   - decode: Reads the answer.
    ///   - recover: Turns a failure into an error, or into an outcome after all.
    func run<Success: Sendable>(
        _ command: Command, session: ULID?, isAlone: Bool = false,
        decode: @escaping TypedOperation<Success>.Decode, recover: @escaping TypedOperation<Success>.Recover
    ) async throws(StoreError) -> Success {
        await turn.giveWay()
        let ticket = Ticket()
        let outcome: Result<Success, StoreError> = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                // Resumed exactly once: by who takes the operation out of the waiting ones, under the mutex.
                let operation = TypedOperation(
                    command, session: session, isAlone: isAlone, decode: decode, recover: recover,
                    continuation: continuation)
                ticket.operation.withLock { $0 = operation }
                add(operation)
            }
        } onCancel: {
            if let operation = ticket.operation.withLock({ $0 }) { cancel(operation) }
        }
        return try outcome.get()
    }

    /// Refuses new operations, and waits for those that are there.
    func close() async {
        let isIdle = state.withLock { state in
            state.isClosed = true
            return state.queue.isIdle
        }
        if isIdle { drained.send(()) }
        await drained.value()
    }

    /// What a cancelled task finds its operation by.
    private final class Ticket: Sendable {
        let operation = Mutex<QueuedStatement?>(nil)
    }

    // MARK: In

    private func add(_ operation: QueuedStatement) {
        let (isRefused, action) = state.withLock { state -> (Bool, BatchStateMachine.Action?) in
            state.isClosed ? (true, nil) : (false, state.queue.add(operation, now: clock.now))
        }
        if isRefused {
            operation.fail(.storeClosed(backend: PostgresBackend.name))
            operation.answer()
        }
        perform(action, onCallersThread: true)
    }

    /// An operation that still waits is answered at once; what is under way is waited for, so that the task learns what
    /// became of it.
    private func cancel(_ operation: QueuedStatement) {
        guard state.withLock({ $0.queue.remove(operation) }) else { return }
        operation.fail(
            StoreError(
                .cancelled, "The task was cancelled before the operation began. Nothing was written.",
                backend: PostgresBackend.name))
        operation.answer()
    }

    private func perform(_ action: BatchStateMachine.Action?, onCallersThread: Bool = false) {
        switch action {
        case .lease: if !onCallersThread || !startOnCallersThread() { lease() }
        case .wake(let instant):
            Task.detached { [self] in
                try? await Task.sleep(until: instant, clock: .continuous)
                perform(state.withLock { $0.queue.woken(now: clock.now) })
            }
        case nil: break
        }
    }

    // MARK: On the caller's thread

    /// Sends what waits right here, if a connection is free: then the server is at work while the connection's thread
    /// wakes up to wait for it. The answer to a single read may be waited for here, for microseconds.
    ///
    /// - Returns: Whether what waited is under way or done.
    private func startOnCallersThread() -> Bool {
        guard state.withLock({ $0.gather.patience(with: $0.queue.count) == .zero }), let loan = pool.borrow() else {
            return false
        }
        let start = clock.now
        guard let group = state.withLock({ $0.queue.take(now: start) }) else {
            pool.giveBack(loan)
            return false
        }
        let isSent =
            group.bytes <= Self.callersBytes && StatementBatch.start(group.operations, on: loan.connection)
        if isSent, receiveOnCallersThread(group, on: loan.connection) {
            finish(group, answered: group.operations, in: clock.now - start)
            pool.giveBack(loan)
            finishServing()
        } else {
            pool.handOver(loan) { [self] connection in
                guard case .success(let connection) = connection else { return nil }
                run(group, on: connection, since: start, isSent: isSent)
                serve(on: connection)
                return { self.finishServing() }
            }
        }
        return true
    }

    /// - Returns: Whether the group has its outcome.
    private func receiveOnCallersThread(_ group: BatchStateMachine.Group, on connection: PostgresConnection) -> Bool {
        guard !rules.isWriting, group.operations.count == 1, let operation = group.operations.first,
            state.withLock({ $0.patience.begin() })
        else { return false }
        let start = clock.now
        let hasAnswer = StatementBatch.finish(operation, on: connection, within: InlineReceivePolicy.bound)
        let time = clock.now - start
        state.withLock { $0.patience.end(after: time) }
        turn.add(UInt64(clamping: time.wholeNanoseconds))
        return hasAnswer
    }

    // MARK: Out

    private func lease() {
        pool.lease { [self] connection in
            switch connection {
            case .failure(let error):
                refuseWaiting(error)
                return nil
            case .success(let connection):
                serve(on: connection)
                return { self.finishServing() }
            }
        }
    }

    private func refuseWaiting(_ error: StoreError) {
        let (refused, isDrained) = state.withLock { state in
            (state.queue.leaseFailed(), state.isClosed && state.queue.isIdle)
        }
        for operation in refused {
            operation.fail(error)
            operation.answer()
        }
        if isDrained { drained.send(()) }
    }

    /// The connection is back in the pool. Whoever came since then needs one.
    private func finishServing() {
        let (action, isDrained) = state.withLock { state in
            (state.queue.released(), state.isClosed && state.queue.isIdle)
        }
        perform(action)
        if isDrained { drained.send(()) }
    }

    private func serve(on connection: PostgresConnection) {
        for _ in 0..<Self.groupsPerLease {
            guard connection.isClean, let group = takeGroup() else { return }
            run(group, on: connection, since: clock.now, isSent: false)
        }
    }

    private func run(
        _ group: BatchStateMachine.Group, on connection: PostgresConnection, since start: ContinuousClock.Instant,
        isSent: Bool
    ) {
        let locked = StatementBatch.run(group.operations, on: connection, areSent: isSent)
        let time = clock.now - start
        let answered =
            locked.isEmpty
            ? group.operations
            : group.operations.filter { one in
                !locked.contains { $0 === one }
            }
        finish(group, answered: answered, waitingForLocks: locked, in: time)
        guard !locked.isEmpty else { return }
        StatementBatch.runPatiently(locked, on: connection)
        perform(state.withLock { $0.queue.finish(group, now: clock.now) })
        for operation in locked { operation.answer() }
    }

    private func finish(
        _ group: BatchStateMachine.Group, answered: [QueuedStatement], waitingForLocks locked: [QueuedStatement] = [],
        in time: Duration
    ) {
        perform(
            state.withLock { state in
                if rules.isWriting { state.gather.committed(answered.count, waiting: state.queue.count, in: time) }
                return locked.isEmpty
                    ? state.queue.finish(group, now: clock.now)
                    : state.queue.narrow(group, to: locked, now: clock.now)
            })
        groupSize.record(group.operations.count)
        commitTime.recordNanoseconds(time.wholeNanoseconds)
        for operation in answered { operation.answer() }
    }

    private func takeGroup() -> BatchStateMachine.Group? {
        if rules.isWriting { gather() }
        return state.withLock { $0.queue.take(now: clock.now) }
    }

    private func gather() {
        let patience = state.withLock { $0.gather.patience(with: $0.queue.count) }
        guard patience > .zero else { return }
        let deadline = clock.now + patience
        var isComplete = false
        while !isComplete, clock.now < deadline {
            WorkerThread.pause(.microseconds(30))
            isComplete = state.withLock { $0.gather.patience(with: $0.queue.count) } == .zero
        }
        state.withLock { $0.gather.gathered($0.queue.count) }
    }
}

#endif
