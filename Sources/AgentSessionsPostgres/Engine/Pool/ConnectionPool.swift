#if Postgres
internal import AgentSessions
internal import AgentSessionsThreads
internal import Logging
internal import Synchronization

/// Connections that are opened as they are needed, each on a thread of its own.
///
/// ``PoolStateMachine`` decides what happens when; this type carries it out.
final class ConnectionPool: Sendable {
    /// What a caller does with a connection, on its thread, or with the reason why it gets none. It returns what is to be
    /// done after the connection was given back, so that a task that learns of the result finds the connection free.
    typealias Use = @Sendable (Result<PostgresConnection, StoreError>) -> Afterwards?
    /// See ``Use``.
    typealias Afterwards = () -> Void

    private struct State {
        var machine: PoolStateMachine
        var threads: [PoolStateMachine.ConnectionID: ConnectionThread] = [:]
        var uses: [PoolStateMachine.LeaseID: Use] = [:]
        var lastLease = 0
        var lastFailure: StoreError?
    }

    private let state: Mutex<State>
    private let configuration: PostgresConfiguration
    private let logger: Logger
    private let finished = OneShot<Void>()
    private let clock = ContinuousClock()

    init(_ configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        var limits = PoolStateMachine.Limits()
        limits.minimum = min(configuration.minimumConnections, configuration.maximumConnections)
        limits.maximum = configuration.maximumConnections
        limits.leaseTimeout = configuration.leaseTimeout
        limits.idleTimeout = configuration.idleTimeout
        limits.lifetime = configuration.maximumLifetime
        state = Mutex(State(machine: PoolStateMachine(limits)))
    }

    /// Calls `use` once, as soon as a connection is free. Afterwards the connection goes back to the pool if it is clean,
    /// and is closed otherwise.
    ///
    /// - Returns: The lease, for ``cancel(_:)``.
    @discardableResult
    func lease(_ use: @escaping Use) -> PoolStateMachine.LeaseID {
        var lease = PoolStateMachine.LeaseID(number: 0)
        perform { state, now in
            state.lastLease += 1
            lease = PoolStateMachine.LeaseID(number: state.lastLease)
            state.uses[lease] = use
            return state.machine.lease(lease, now: now)
        }
        return lease
    }

    /// Stops waiting for a connection. A lease that has one already goes on.
    func cancel(_ lease: PoolStateMachine.LeaseID) {
        perform { state, _ in state.machine.cancel(lease) }
    }

    /// A connection that a thread has borrowed, until the thread gives it back or hands it over.
    struct Loan {
        fileprivate let id: PoolStateMachine.ConnectionID
        fileprivate let thread: ConnectionThread
        let connection: PostgresConnection
    }

    /// Lends a connection that is idle; `nil` where there is none.
    func borrow() -> Loan? {
        let loan = state.withLock { state -> Loan? in
            guard let id = state.machine.borrow(now: clock.now) else { return nil }
            // An idle connection is open, so that its thread has it.
            guard let thread = state.threads[id], let connection = thread.connection else { return nil }
            return Loan(id: id, thread: thread, connection: connection)
        }
        guard let loan, loan.connection.isStale else { return loan }
        giveBack(loan, isClean: false)
        return nil
    }

    /// Ends the use of a borrowed connection.
    func giveBack(_ loan: Loan) {
        giveBack(loan, isClean: loan.connection.isClean)
    }

    private func giveBack(_ loan: Loan, isClean: Bool) {
        perform { state, now in state.machine.released(loan.id, isClean: isClean, now: now) }
    }

    /// Lets the connection's own thread go on with what the calling thread has begun, and give the connection back.
    func handOver(_ loan: Loan, _ use: @escaping Use) {
        loan.thread.add(.takeOver(use))
    }

    /// Refuses new leases. Connections close as they are given back.
    func stop() {
        perform { state, now in state.machine.close(now: now) }
    }

    /// Refuses new leases, waits for those that are there, and closes every connection.
    func close() async {
        stop()
        await finished.value()
    }

    // MARK: Actions

    /// An action with what it needs, which is carried out after the mutex was released.
    private enum Effect {
        case open(PoolStateMachine.ConnectionID)
        case send(ConnectionThread, ConnectionThread.Job)
        case stop(ConnectionThread)
        case refuse(Use, StoreError)
        case wake(ContinuousClock.Instant)
        case finish
    }

    private func perform(_ event: (inout sending State, ContinuousClock.Instant) -> [PoolStateMachine.Action]) {
        let now = clock.now
        let effects: [Effect] = state.withLock { state in
            event(&state, now).compactMap { Self.effect(of: $0, in: &state) }
        }
        for effect in effects { carryOut(effect) }
    }

    private static func effect(of action: PoolStateMachine.Action, in state: inout State) -> Effect? {
        switch action {
        case .open(let id): .open(id)
        case .grant(let lease, let id):
            if let thread = state.threads[id], let use = state.uses.removeValue(forKey: lease) {
                .send(thread, .use(use))
            } else {
                nil
            }
        case .refuse(let lease, let refusal):
            state.uses.removeValue(forKey: lease).map {
                .refuse($0, error(of: refusal, lastFailure: state.lastFailure))
            }
        case .check(let id): state.threads[id].map { .send($0, .check) }
        case .close(let id): state.threads[id].map { .stop($0) }
        case .wake(let instant): .wake(instant)
        case .finished: .finish
        }
    }

    private func carryOut(_ effect: Effect) {
        switch effect {
        case .open(let id): open(id)
        case .send(let thread, let job): thread.add(job)
        case .stop(let thread): thread.stop()
        case .refuse(let use, let error): use(.failure(error))?()
        case .wake(let instant):
            Task.detached { [weak self] in
                try? await Task.sleep(until: instant, clock: .continuous)
                self?.perform { state, now in state.machine.tick(now: now) }
            }
        case .finish: finished.send(())
        }
    }

    private func open(_ id: PoolStateMachine.ConnectionID) {
        let thread = ConnectionThread()
        state.withLock { $0.threads[id] = thread }
        do throws(StoreError) {
            try thread.start(configuration) { [self] event in
                switch event {
                case .opened:
                    logger.trace("connected", metadata: ["backend": "\(PostgresBackend.name)"])
                    perform { state, now in
                        state.lastFailure = nil
                        return state.machine.opened(id, now: now)
                    }
                case .failed(let error): openFailed(id, error)
                case .released(let isClean):
                    perform { state, now in state.machine.released(id, isClean: isClean, now: now) }
                case .stale(let use):
                    lease(use)
                case .closed:
                    perform { state, now in
                        state.threads[id] = nil
                        return state.machine.closed(id, now: now)
                    }
                }
            }
        } catch {
            openFailed(id, error)
        }
    }

    private func openFailed(_ id: PoolStateMachine.ConnectionID, _ error: StoreError) {
        logger.debug("cannot connect", metadata: ["backend": "\(PostgresBackend.name)", "error": "\(error)"])
        perform { state, now in
            state.threads[id] = nil
            state.lastFailure = error
            return state.machine.openFailed(id, error.openFailure, now: now)
        }
    }

    private static func error(of refusal: PoolStateMachine.Refusal, lastFailure: StoreError?) -> StoreError {
        switch refusal {
        case .cancelled:
            StoreError(
                .cancelled, "The task was cancelled while it waited for a connection. Nothing was written.",
                backend: PostgresBackend.name)
        case .closed: .storeClosed(backend: PostgresBackend.name)
        case .unreachable:
            lastFailure
                ?? StoreError(
                    .unavailable,
                    "Postgres did not answer within lease_timeout. Check that host and port are correct, and that the "
                        + "network allows the connection.", backend: PostgresBackend.name)
        case .timedOut:
            StoreError(
                .timeout,
                "No connection became free within lease_timeout; nothing was written. Raise pool_max, or find out what "
                    + "holds the connections.",
                backend: PostgresBackend.name)
        }
    }
}
#endif
