#if Postgres
/// The rules of the connection pool, and nothing else: it opens no socket and reads no clock. Each event gives the
/// actions that are to follow it, which ``ConnectionPool`` carries out.
struct PoolStateMachine {
    typealias Instant = ContinuousClock.Instant

    /// What bounds the pool.
    struct Limits: Sendable {
        /// Connections that are kept open while nobody needs them.
        var minimum = 0
        /// Connections at the most, those included that are being opened.
        var maximum = 8
        /// How long a lease may wait.
        var leaseTimeout = Duration.seconds(5)
        /// How long a connection beyond the minimum stays open unused.
        var idleTimeout = Duration.seconds(600)
        /// How long a connection is given out before it is replaced.
        var lifetime = Duration.seconds(3600)
        /// An unused connection is looked at this often.
        var checkInterval = Duration.seconds(30)
        /// The pause after the first failure to connect; it doubles with each further one.
        var firstBackOff = Duration.milliseconds(50)
        /// The longest pause between attempts to connect.
        var maximumBackOff = Duration.seconds(2)
    }

    /// What is to be done.
    enum Action: Equatable {
        /// Connect.
        case open(ConnectionID)
        /// Give a connection to who waits for it.
        case grant(LeaseID, ConnectionID)
        /// Tell who waits that there is none.
        case refuse(LeaseID, Refusal)
        /// Ask the server of an unused connection whether it is there.
        case check(ConnectionID)
        /// Close a connection.
        case close(ConnectionID)
        /// Call ``tick(now:)`` then.
        case wake(Instant)
        /// The pool is closed, and every connection of it.
        case finished
    }

    /// Why there is no connection.
    enum Refusal: Equatable {
        /// The lease was cancelled.
        case cancelled
        /// All connections were in use for the whole time.
        case timedOut
        /// None could be opened.
        case unreachable
        /// The pool is closed.
        case closed
    }

    /// Why a connection could not be opened.
    enum OpenFailure: Equatable {
        /// The server refuses the login: to try again soon is of no use.
        case refused
        /// The server is there, and has no connection free or is not ready.
        case notNow
        /// Nobody answers.
        case unreachable
    }

    /// A connection, known by a number that is never used twice.
    struct ConnectionID: Hashable, Sendable { let number: Int }

    /// Somebody who waits for a connection or has one.
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
    /// Unused connections, the one used last at the end: the others may then grow old and close.
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

    /// Connections that are open, being opened or being closed.
    var connectionCount: Int { connections.count }

    /// Leases that wait.
    var waiterCount: Int { waiters.count }

    // MARK: Events

    /// Somebody wants a connection.
    mutating func lease(_ id: LeaseID, now: Instant) -> [Action] {
        guard !isClosed else { return [.refuse(id, .closed)] }
        if let connection = borrow(now: now) { return [.grant(id, connection)] }
        // What is unused and was not lent is too old.
        guard let old = idle.popLast() else { return wait(id, now: now) }
        connections[old]?.phase = .closing
        return [.close(old)] + wait(id, now: now)
    }

    /// Somebody wants a connection, but does not wait for one. It is given back like a leased one.
    mutating func borrow(now: Instant) -> ConnectionID? {
        guard let id = idle.last, let connection = connections[id], !isTooOld(connection, now: now) else { return nil }
        idle.removeLast()
        connections[id]?.phase = .leased
        return id
    }

    /// Who waited does not want a connection any more. One that was granted is given back instead.
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
        // Until something shows that there is such a server, nobody is kept waiting for it.
        if failure == .refused || (failure == .unreachable && !hasEverOpened) {
            actions = waiters.map { .refuse($0.id, .unreachable) }
            waiters = []
        }
        return actions + settle(now: now)
    }

    /// A leased connection is given back, or a check is done.
    ///
    /// - Parameter isClean: Whether the next one can use it. One that is not is closed.
    mutating func released(_ id: ConnectionID, isClean: Bool, now: Instant) -> [Action] {
        guard let connection = connections[id] else { return [] }
        guard isClean, !isClosed, !isTooOld(connection, now: now) else {
            connections[id]?.phase = .closing
            return [.close(id)] + settle(now: now)
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

    /// Time has passed: what is due is done.
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
                connections[id]?.phase = .closing
                actions.append(.close(id))
            } else if checked + limits.checkInterval <= now {
                idle.removeAll { $0 == id }
                connections[id]?.phase = .checking(since: since)
                actions.append(.check(id))
            }
        }
        return actions + settle(now: now)
    }

    /// Takes no lease any more, and closes each connection as it is given back.
    mutating func close(now: Instant) -> [Action] {
        guard !isClosed else { return [] }
        isClosed = true
        var actions: [Action] = waiters.map { .refuse($0.id, .closed) }
        waiters = []
        for id in idle {
            connections[id]?.phase = .closing
            actions.append(.close(id))
        }
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

    /// Gives a connection to who waits longest, or keeps it.
    private mutating func putBack(_ id: ConnectionID, now: Instant) -> [Action] {
        guard !isClosed else {
            connections[id]?.phase = .closing
            return [.close(id)]
        }
        guard !waiters.isEmpty else {
            connections[id]?.phase = .idle(since: now, checked: now)
            idle.append(id)
            return settle(now: now)
        }
        connections[id]?.phase = .leased
        return [.grant(waiters.removeFirst().id, id)]
    }

    /// Opens what is wanted and allowed, and asks to be called when the next thing is due.
    private mutating func settle(now: Instant) -> [Action] {
        guard !isClosed else {
            guard connections.isEmpty, !hasFinished else { return [] }
            hasFinished = true
            return [.finished]
        }
        var actions: [Action] = []
        if openAfter.map({ $0 <= now }) ?? true {
            let isProbing = failures > 0
            // After a failure one attempt at a time finds out whether the server is back.
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
