#if Postgres
@testable import AgentSessionsPostgres
import Testing

/// The rules of the pool, without a server and without waiting.
@Suite("Connection pool rules")
struct PoolStateMachineTests {
    private typealias Pool = PoolStateMachine

    private let start = ContinuousClock.now

    private func connection(_ number: Int) -> PoolStateMachine.ConnectionID { .init(number: number) }

    private func lease(_ number: Int) -> PoolStateMachine.LeaseID { .init(number: number) }

    private func pool(_ change: (inout PoolStateMachine.Limits) -> Void = { _ in }) -> PoolStateMachine {
        var limits = PoolStateMachine.Limits()
        limits.maximum = 2
        change(&limits)
        return PoolStateMachine(limits)
    }

    /// The actions without the calls for the time, which only say when to look again.
    private func essence(_ actions: [PoolStateMachine.Action]) -> [PoolStateMachine.Action] {
        actions.filter { if case .wake = $0 { false } else { true } }
    }

    @Test("The pool opens as many connections as are wanted and allowed, and leases them in order")
    func growth() {
        var pool = pool()
        #expect(essence(pool.lease(lease(1), now: start)) == [.open(connection(1))])
        #expect(essence(pool.lease(lease(2), now: start)) == [.open(connection(2))])
        #expect(essence(pool.lease(lease(3), now: start)).isEmpty)
        #expect(pool.opened(connection(2), now: start) == [.grant(lease(1), connection(2))])
        #expect(pool.opened(connection(1), now: start) == [.grant(lease(2), connection(1))])
        #expect(pool.released(connection(2), isClean: true, now: start) == [.grant(lease(3), connection(2))])
        #expect(pool.connectionCount == 2)
        #expect(pool.waiterCount == 0)
    }

    @Test("The pool leases the connection that was used last")
    func reuse() {
        var pool = pool()
        for number in 1...2 { _ = pool.lease(lease(number), now: start) }
        for number in 1...2 { _ = pool.opened(connection(number), now: start) }
        for number in 1...2 { _ = pool.released(connection(number), isClean: true, now: start) }
        #expect(pool.lease(lease(3), now: start) == [.grant(lease(3), connection(2))])
    }

    @Test("The pool lends an idle and recent connection at once, and never makes the borrower wait")
    func borrowing() {
        var pool = pool { $0.lifetime = .seconds(60) }
        func borrowed(after time: Duration = .zero) -> PoolStateMachine.ConnectionID? {
            pool.borrow(now: start + time)
        }
        #expect(borrowed() == nil)
        _ = pool.lease(lease(1), now: start)
        _ = pool.opened(connection(1), now: start)
        #expect(borrowed() == nil, "it is leased")
        _ = pool.released(connection(1), isClean: true, now: start)
        #expect(borrowed() == connection(1))
        #expect(borrowed() == nil, "it is lent")
        _ = pool.lease(lease(2), now: start)
        #expect(pool.released(connection(1), isClean: true, now: start) == [.grant(lease(2), connection(1))])
        _ = pool.released(connection(1), isClean: true, now: start)
        #expect(borrowed(after: .seconds(60)) == nil, "it is to be replaced")
        #expect(pool.waiterCount == 0)
    }

    @Test("The pool closes a connection that is returned unclean and opens another for a waiting caller")
    func unclean() {
        var pool = pool { $0.maximum = 1 }
        _ = pool.lease(lease(1), now: start)
        _ = pool.opened(connection(1), now: start)
        _ = pool.lease(lease(2), now: start)
        #expect(essence(pool.released(connection(1), isClean: false, now: start)) == [.close(connection(1))])
        #expect(essence(pool.closed(connection(1), now: start)) == [.open(connection(2))])
        #expect(pool.opened(connection(2), now: start) == [.grant(lease(2), connection(2))])
    }

    @Test("The pool bounds how long a lease waits")
    func leaseTimeout() {
        var pool = pool { $0.maximum = 1 }
        _ = pool.lease(lease(1), now: start)
        _ = pool.opened(connection(1), now: start)
        let later = start + .seconds(2)
        _ = pool.lease(lease(2), now: later)
        #expect(pool.tick(now: start + .seconds(5)) == [.wake(later + .seconds(5))])
        #expect(essence(pool.tick(now: later + .seconds(5))) == [.refuse(lease(2), .timedOut)])
    }

    @Test("The pool drops a cancelled caller only while it waits")
    func cancellation() {
        var pool = pool { $0.maximum = 1 }
        _ = pool.lease(lease(1), now: start)
        _ = pool.opened(connection(1), now: start)
        _ = pool.lease(lease(2), now: start)
        #expect(pool.cancel(lease(2)) == [.refuse(lease(2), .cancelled)])
        #expect(pool.cancel(lease(2)).isEmpty)
        #expect(pool.cancel(lease(1)).isEmpty)
        #expect(essence(pool.released(connection(1), isClean: true, now: start)).isEmpty)
    }

    @Test("The pool fails at once if no server was ever reached")
    func neverReached() {
        var pool = pool()
        _ = pool.lease(lease(1), now: start)
        let actions = pool.openFailed(connection(1), .unreachable, now: start)
        #expect(essence(actions) == [.refuse(lease(1), .unreachable)])
    }

    @Test("The pool keeps callers waiting for a full server until it has space or their time is over")
    func noRoom() {
        var pool = pool()
        _ = pool.lease(lease(1), now: start)
        #expect(essence(pool.openFailed(connection(1), .notNow, now: start)).isEmpty)
        #expect(essence(pool.tick(now: start + .milliseconds(50))) == [.open(connection(2))])
        let now = start + .milliseconds(60)
        #expect(essence(pool.opened(connection(2), now: now)) == [.grant(lease(1), connection(2))])
        var other = self.pool()
        _ = other.lease(lease(1), now: start)
        _ = other.openFailed(connection(1), .notNow, now: start)
        #expect(essence(other.tick(now: start + .seconds(5))).first == .refuse(lease(1), .unreachable))
    }

    @Test("The pool retries one connection at a time with growing pauses while a caller waits")
    func backOff() {
        var pool = pool()
        _ = pool.lease(lease(1), now: start)
        _ = pool.opened(connection(1), now: start)
        _ = pool.released(connection(1), isClean: false, now: start)
        _ = pool.closed(connection(1), now: start)
        #expect(essence(pool.lease(lease(2), now: start)) == [.open(connection(2))])
        #expect(essence(pool.lease(lease(3), now: start)) == [.open(connection(3))])
        #expect(essence(pool.openFailed(connection(2), .unreachable, now: start)).isEmpty)
        #expect(essence(pool.openFailed(connection(3), .unreachable, now: start)).isEmpty)
        #expect(essence(pool.tick(now: start + .milliseconds(99))).isEmpty)
        #expect(essence(pool.tick(now: start + .milliseconds(100))) == [.open(connection(4))])
        let now = start + .seconds(5)
        #expect(
            essence(pool.tick(now: now)) == [.refuse(lease(2), .unreachable), .refuse(lease(3), .unreachable)])
        #expect(pool.opened(connection(4), now: now).allSatisfy { if case .grant = $0 { false } else { true } })
        #expect(essence(pool.lease(lease(4), now: now)) == [.grant(lease(4), connection(4))])
    }

    @Test("The pool reports a refused login to all waiting callers at once")
    func refusedLogin() {
        var pool = pool()
        _ = pool.lease(lease(1), now: start)
        _ = pool.opened(connection(1), now: start)
        _ = pool.lease(lease(2), now: start)
        let actions = pool.openFailed(connection(2), .refused, now: start)
        #expect(essence(actions) == [.refuse(lease(2), .unreachable)])
    }

    @Test("The pool closes long-idle connections down to the minimum, and old ones always")
    func ageing() {
        var pool = pool {
            $0.minimum = 1
            $0.idleTimeout = .seconds(60)
            $0.lifetime = .seconds(1000)
            $0.checkInterval = .seconds(500)
        }
        for number in 1...2 { _ = pool.lease(lease(number), now: start) }
        for number in 1...2 { _ = pool.opened(connection(number), now: start) }
        for number in 1...2 { _ = pool.released(connection(number), isClean: true, now: start) }
        #expect(essence(pool.tick(now: start + .seconds(60))) == [.close(connection(1))])
        #expect(essence(pool.closed(connection(1), now: start + .seconds(60))).isEmpty)
        let late = start + .seconds(1000)
        #expect(essence(pool.lease(lease(3), now: late)) == [.close(connection(2)), .open(connection(3))])
        _ = pool.closed(connection(2), now: late)
        _ = pool.opened(connection(3), now: late)
        let old = pool.released(connection(3), isClean: true, now: late + .seconds(1000))
        #expect(essence(old) == [.close(connection(3)), .open(connection(4))])
    }

    @Test("The pool checks an idle connection regularly without resetting its idle time")
    func healthCheck() {
        var pool = pool { $0.idleTimeout = .seconds(50) }
        _ = pool.lease(lease(1), now: start)
        _ = pool.opened(connection(1), now: start)
        _ = pool.released(connection(1), isClean: true, now: start)
        let now = start + .seconds(30)
        #expect(essence(pool.tick(now: now)) == [.check(connection(1))])
        #expect(essence(pool.lease(lease(2), now: now)) == [.open(connection(2))])
        #expect(pool.released(connection(1), isClean: true, now: now) == [.grant(lease(2), connection(1))])
        _ = pool.opened(connection(2), now: now)
        #expect(essence(pool.tick(now: now + .seconds(30))) == [.check(connection(2))])
        #expect(essence(pool.released(connection(2), isClean: true, now: now + .seconds(30))).isEmpty)
        #expect(essence(pool.tick(now: now + .seconds(50))) == [.close(connection(2))])
    }

    @Test("A closed pool closes every connection that is returned, and then is finished")
    func closing() {
        var pool = pool()
        for number in 1...3 { _ = pool.lease(lease(number), now: start) }
        _ = pool.opened(connection(1), now: start)
        #expect(pool.close(now: start) == [.refuse(lease(2), .closed), .refuse(lease(3), .closed)])
        #expect(pool.lease(lease(4), now: start) == [.refuse(lease(4), .closed)])
        #expect(pool.opened(connection(2), now: start) == [.close(connection(2))])
        #expect(pool.released(connection(1), isClean: true, now: start) == [.close(connection(1))])
        #expect(pool.closed(connection(2), now: start).isEmpty)
        #expect(pool.closed(connection(1), now: start) == [.finished])
        #expect(pool.close(now: start).isEmpty)
    }

    @Test("An unused pool is finished as soon as it is closed")
    func closingUnused() {
        var pool = pool()
        #expect(pool.close(now: start) == [.finished])
    }
}
#endif
