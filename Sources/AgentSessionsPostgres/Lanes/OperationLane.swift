#if Postgres
internal import AgentSessions
internal import AgentSessionsBlocking
internal import Metrics
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A queue of operations of one statement each. Whoever has a connection takes all that waits and runs it together.
///
/// While one group is under way, the next gathers. As a rule one connection serves the lane; another one is taken when a
/// group takes long, so that a transaction which waits for a lock does not hold up the others.
final class OperationLane: Sendable {
    /// How the groups of a lane are made.
    struct Rules: Sendable {
        /// Whether operations change the store: these wait a little for each other, and are put in order.
        var isWriting: Bool
        /// Connections at the most.
        var connections: Int
        /// Operations in a group at the most.
        var groupSize: Int
    }

    private struct State {
        var waiting: [PendingOperation] = []
        var serving = 0
        var groupStarted: ContinuousClock.Instant?
        var gather = GatherPolicy()
        var isClosed = false
    }

    /// A group that takes longer gets company.
    private static let slowGroup = Duration.milliseconds(20)
    /// Bytes of parameters after which a group is full.
    private static let groupBytes = 1 << 20
    /// A lane gives its connection back after so many groups, so that others who wait for one have their turn.
    private static let groupsPerLease = 64

    private let pool: ConnectionPool
    let rules: Rules
    private let state = Mutex(State())
    private let drained = OneShot<Void>()
    private let clock = ContinuousClock()
    private let groupSize: Recorder
    private let commitTime: Metrics.Timer

    init(_ pool: ConnectionPool, rules: Rules) {
        self.pool = pool
        self.rules = rules
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
            return state.serving == 0
        }
        if isIdle { drained.send(()) }
        await drained.value()
    }

    /// What a cancelled task finds its operation by.
    private final class Ticket: Sendable {
        let operation = Mutex<PendingOperation?>(nil)
    }

    // MARK: In

    private func add(_ operation: PendingOperation) {
        let (isRefused, isServer) = state.withLock { state in
            guard !state.isClosed else { return (true, false) }
            state.waiting.append(operation)
            guard needsServer(state) else { return (false, false) }
            state.serving += 1
            return (false, true)
        }
        if isRefused {
            operation.fail(.storeClosed(backend: PostgresBackend.name))
            operation.answer()
        } else if isServer {
            lease()
        }
    }

    /// An operation that still waits is answered at once; what is under way is waited for, so that the task learns what
    /// became of it.
    private func cancel(_ operation: PendingOperation) {
        let isWaiting = state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0 === operation }) else { return false }
            state.waiting.remove(at: index)
            return true
        }
        guard isWaiting else { return }
        operation.fail(
            StoreError(
                .cancelled, "The task was cancelled before the operation began. Nothing was written.",
                backend: PostgresBackend.name))
        operation.answer()
    }

    private func needsServer(_ state: State) -> Bool {
        if state.serving == 0 { return true }
        guard state.serving < rules.connections, let started = state.groupStarted else { return false }
        return clock.now - started > Self.slowGroup
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
            state.serving -= 1
            // Where another connection serves the lane, it takes care of them.
            guard state.serving == 0 else { return ([PendingOperation](), false) }
            defer { state.waiting = [] }
            return (state.waiting, state.isClosed)
        }
        for operation in refused {
            operation.fail(error)
            operation.answer()
        }
        if isDrained { drained.send(()) }
    }

    private func serve(on connection: PostgresConnection) {
        for _ in 0..<Self.groupsPerLease {
            guard connection.isClean, let group = takeGroup() else { return }
            let start = clock.now
            OperationGroup.run(group, on: connection)
            let time = clock.now - start
            state.withLock { state in
                state.groupStarted = nil
                if rules.isWriting { state.gather.committed(group.count, waiting: state.waiting.count, in: time) }
            }
            groupSize.record(group.count)
            commitTime.recordNanoseconds(time.wholeNanoseconds)
            for operation in group { operation.answer() }
        }
    }

    /// The connection is back in the pool. Whoever came since then needs one.
    private func finishServing() {
        let (isServer, isDrained) = state.withLock { state in
            guard state.waiting.isEmpty else { return (true, false) }
            state.serving -= 1
            return (false, state.serving == 0 && state.isClosed)
        }
        if isServer { lease() }
        if isDrained { drained.send(()) }
    }

    private func takeGroup() -> [PendingOperation]? {
        if rules.isWriting { gather() }
        let group = state.withLock { state -> [PendingOperation] in
            let count = groupLength(state.waiting)
            let group = Array(state.waiting.prefix(count))
            state.waiting.removeFirst(count)
            if !group.isEmpty { state.groupStarted = clock.now }
            return group
        }
        guard !group.isEmpty else { return nil }
        return rules.isWriting ? inOrder(group) : group
    }

    private func gather() {
        let patience = state.withLock { $0.gather.patience(with: $0.waiting.count) }
        guard patience > .zero else { return }
        let deadline = clock.now + patience
        var isComplete = false
        while !isComplete, clock.now < deadline {
            WorkerThread.pause(microseconds: 30)
            isComplete = state.withLock { $0.gather.patience(with: $0.waiting.count) } == .zero
        }
        state.withLock { $0.gather.gathered($0.waiting.count) }
    }

    private func groupLength(_ waiting: [PendingOperation]) -> Int {
        var bytes = 0
        var count = 0
        for operation in waiting.prefix(rules.groupSize) {
            if operation.isAlone { return max(count, 1) }
            bytes += operation.command.parameters.bytes.count
            count += 1
            if bytes >= Self.groupBytes { break }
        }
        return count
    }

    /// By session, and within a session as they came.
    private func inOrder(_ group: [PendingOperation]) -> [PendingOperation] {
        guard group.count > 1 else { return group }
        return group.enumerated()
            .sorted { left, right in
                guard let first = left.element.session, let second = right.element.session, first != second else {
                    return left.offset < right.offset
                }
                return first < second
            }
            .map(\.element)
    }
}

extension WorkerThread {
    /// Keeps the calling thread, which must be one of ours, from doing anything for a moment.
    fileprivate static func pause(microseconds: Int) {
        var time = timespec(tv_sec: 0, tv_nsec: microseconds * 1000)
        nanosleep(&time, nil)
    }
}
#endif
