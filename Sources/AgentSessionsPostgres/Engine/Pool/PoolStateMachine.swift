#if Postgres
/// Decides when connections are opened, lent, checked and closed.
///
/// It opens no socket and reads no clock: each event gives the actions that are to follow it, which ``ConnectionPool``
/// carries out.
struct PoolStateMachine {
    typealias Instant = ContinuousClock.Instant

    /// The bounds of the pool.
    struct Limits: Sendable {
        /// The number of connections that stay open while they are idle.
        var minimum = 0
        /// The largest number of connections, including those that are being opened.
        var maximum = 8
        /// How long a lease may wait.
        var leaseTimeout = Duration.seconds(5)
        /// How long an idle connection beyond the minimum stays open.
        var idleTimeout = Duration.seconds(600)
        /// The age at which a connection is replaced.
        var lifetime = Duration.seconds(3600)
        /// How often an idle connection is checked.
        var checkInterval = Duration.seconds(30)
        /// The pause after the first failure to connect; it doubles with each further one.
        var firstBackOff = Duration.milliseconds(50)
        /// The longest pause between attempts to connect.
        var maximumBackOff = Duration.seconds(2)
    }

    /// What follows an event.
    enum Action: Equatable {
        /// Connect.
        case open(ConnectionID)
        /// Give a connection to a lease that waits.
        case grant(LeaseID, ConnectionID)
        /// Tell a lease that waits that it gets none.
        case refuse(LeaseID, Refusal)
        /// Check whether the server of an idle connection answers.
        case check(ConnectionID)
        /// Close a connection.
        case close(ConnectionID)
        /// Call ``tick(now:)`` then.
        case wake(Instant)
        /// The pool is closed, with every connection.
        case finished
    }

    /// Why there is no connection.
    enum Refusal: Equatable {
        /// The lease was cancelled.
        case cancelled
        /// All connections were in use until the deadline.
        case timedOut
        /// No connection could be opened.
        case unreachable
        /// The pool is closed.
        case closed
    }

    /// Why a connection could not be opened.
    enum OpenFailure: Equatable {
        /// The server refuses the login: another attempt soon is useless.
        case refused
        /// The server is running, but has no connection free or is not ready.
        case notNow
        /// No server answers.
        case unreachable
    }

    /// A connection, named by a number that is never reused.
    struct ConnectionID: Hashable, Sendable { let number: Int }

    /// A caller that waits for a connection or has one.
    struct LeaseID: Hashable, Sendable { let number: Int }

    private enum Phase {
        case opening
        case idle(since: Instant, checked: Instant)
        case checking(since: Instant)
        case leased
        case closing
    }

    private struct Connection {
        var phase: Phase
        var openedAt: Instant?
    }

    private struct Waiter {
        let id: LeaseID
        let deadline: Instant
    }

    private let limits: Limits
    private var connections: [ConnectionID: Connection] = [:]
    /// Idle connections, the one used last at the end, so that the others grow old and close.
    private var idle: [ConnectionID] = []
    private var waiters: [Waiter] = []
    private var lastNumber = 0
    private var failures = 0
    private var openAfter: Instant?
    private var hasEverOpened = false
    private var wakeAt: Instant?
    private var isClosed = false
    private var hasFinished = false

    init(_ limits: Limits) {
        self.limits = limits
    }

    /// The number of connections that are open, being opened or being closed.
    var connectionCount: Int { connections.count }

    /// The number of leases that wait.
    var waiterCount: Int { waiters.count }

    // MARK: Events

    /// A caller needs a connection.
    mutating func lease(_ id: LeaseID, now: Instant) -> [Action] {
        guard !isClosed else { return [.refuse(id, .closed)] }
        if let connection = borrow(now: now) { return [.grant(id, connection)] }
        // An idle connection that was not lent is too old.
        guard let old = idle.popLast() else { return wait(id, now: now) }
        return [close(old)] + wait(id, now: now)
    }

    /// A caller wants a connection, but does not wait for one. It gives the connection back like a leased one.
    mutating func borrow(now: Instant) -> ConnectionID? {
        guard let id = idle.last, let connection = connections[id], !isTooOld(connection, now: now) else { return nil }
        idle.removeLast()
        connections[id]?.phase = .leased
        return id
    }

    /// A caller stops waiting. A connection that was granted is given back instead.
    mutating func cancel(_ id: LeaseID) -> [Action] {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return [] }
        waiters.remove(at: index)
        return [.refuse(id, .cancelled)]
    }

    /// A connection is open.
    mutating func opened(_ id: ConnectionID, now: Instant) -> [Action] {
        guard connections[id] != nil else { return [] }
        failures = 0
        openAfter = nil
        hasEverOpened = true
        connections[id]?.openedAt = now
        return putBack(id, now: now)
    }

    /// A connection could not be opened.
    mutating func openFailed(_ id: ConnectionID, _ failure: OpenFailure, now: Instant) -> [Action] {
        connections[id] = nil
        failures += 1
        openAfter = now + backOff
        var actions: [Action] = []
        // Until a connection shows that there is such a server, no lease waits for it.
        if failure == .refused || (failure == .unreachable && !hasEverOpened) {
            actions = waiters.map { .refuse($0.id, .unreachable) }
            waiters = []
        }
        return actions + settle(now: now)
    }

    /// A leased connection is given back, or a check is done.
    ///
    /// - Parameter isClean: Whether the next lease can use it. Otherwise it is closed.
    mutating func released(_ id: ConnectionID, isClean: Bool, now: Instant) -> [Action] {
        guard let connection = connections[id] else { return [] }
        guard isClean, !isClosed, !isTooOld(connection, now: now) else {
            return [close(id)] + settle(now: now)
        }
        if case .checking(let since) = connection.phase, waiters.isEmpty {
            connections[id]?.phase = .idle(since: since, checked: now)
            idle.insert(id, at: 0)
            return settle(now: now)
        }
        return putBack(id, now: now)
    }

    /// A connection is closed.
    mutating func closed(_ id: ConnectionID, now: Instant) -> [Action] {
        connections[id] = nil
        return settle(now: now)
    }

    /// Time has passed.
    mutating func tick(now: Instant) -> [Action] {
        if let wakeAt, wakeAt <= now { self.wakeAt = nil }
        var actions: [Action] = []
        let reason: Refusal = failures > 0 || !hasEverOpened ? .unreachable : .timedOut
        waiters.removeAll { waiter in
            guard waiter.deadline <= now else { return false }
            actions.append(.refuse(waiter.id, reason))
            return true
        }
        for id in idle {
            guard let connection = connections[id], case .idle(let since, let checked) = connection.phase else {
                continue
            }
            let isUnused = since + limits.idleTimeout <= now && openCount > limits.minimum
            if isUnused || isTooOld(connection, now: now) {
                idle.removeAll { $0 == id }
                actions.append(close(id))
            } else if checked + limits.checkInterval <= now {
                idle.removeAll { $0 == id }
                connections[id]?.phase = .checking(since: since)
                actions.append(.check(id))
            }
        }
        return actions + settle(now: now)
    }

    /// The pool refuses new leases, and closes each connection as it is given back.
    mutating func close(now: Instant) -> [Action] {
        guard !isClosed else { return [] }
        isClosed = true
        var actions: [Action] = waiters.map { .refuse($0.id, .closed) }
        waiters = []
        for id in idle { actions.append(close(id)) }
        idle = []
        return actions + settle(now: now)
    }

    // MARK: Rules

    private var openCount: Int {
        connections.values.count { if case .closing = $0.phase { false } else { true } }
    }

    private var openingCount: Int {
        connections.values.count { if case .opening = $0.phase { true } else { false } }
    }

    private var backOff: Duration {
        min(limits.firstBackOff * (1 << min(max(failures - 1, 0), 16)), limits.maximumBackOff)
    }

    private func isTooOld(_ connection: Connection, now: Instant) -> Bool {
        connection.openedAt.map { $0 + limits.lifetime <= now } ?? false
    }

    private mutating func wait(_ id: LeaseID, now: Instant) -> [Action] {
        waiters.append(Waiter(id: id, deadline: now + limits.leaseTimeout))
        return settle(now: now)
    }

    private mutating func close(_ id: ConnectionID) -> Action {
        connections[id]?.phase = .closing
        return .close(id)
    }

    /// Gives a connection to the lease that waits longest, or keeps it.
    private mutating func putBack(_ id: ConnectionID, now: Instant) -> [Action] {
        guard !isClosed else { return [close(id)] }
        guard !waiters.isEmpty else {
            connections[id]?.phase = .idle(since: now, checked: now)
            idle.append(id)
            return settle(now: now)
        }
        connections[id]?.phase = .leased
        return [.grant(waiters.removeFirst().id, id)]
    }

    /// Opens the connections that are needed and allowed, and asks to be called when the next event is due.
    private mutating func settle(now: Instant) -> [Action] {
        guard !isClosed else {
            guard connections.isEmpty, !hasFinished else { return [] }
            hasFinished = true
            return [.finished]
        }
        var actions: [Action] = []
        if openAfter.map({ $0 <= now }) ?? true {
            let isProbing = failures > 0
            // After a failure, one attempt at a time finds out whether the server is back.
            while connections.count < limits.maximum, !(isProbing && openingCount > 0),
                openingCount < waiters.count || (hasEverOpened && openCount < limits.minimum)
            {
                lastNumber += 1
                let id = ConnectionID(number: lastNumber)
                connections[id] = Connection(phase: .opening, openedAt: nil)
                actions.append(.open(id))
            }
        }
        return actions + requestWake(now: now)
    }

    private mutating func requestWake(now: Instant) -> [Action] {
        guard let due = nextDue else { return [] }
        if let wakeAt, wakeAt <= due { return [] }
        wakeAt = due
        return [.wake(due)]
    }

    private var nextDue: Instant? {
        var due = waiters.map(\.deadline).min()
        func consider(_ instant: Instant) { due = due.map { min($0, instant) } ?? instant }
        if let openAfter, !waiters.isEmpty || openCount < limits.minimum { consider(openAfter) }
        for id in idle {
            guard let connection = connections[id], case .idle(let since, let checked) = connection.phase else {
                continue
            }
            consider(checked + limits.checkInterval)
            if openCount > limits.minimum { consider(since + limits.idleTimeout) }
            if let openedAt = connection.openedAt { consider(openedAt + limits.lifetime) }
        }
        return due
    }
}
#endif
