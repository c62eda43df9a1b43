#if LMDB
internal import AgentSessions
internal import AgentSessionsThreads

/// Lets any number of transactions use the map of an environment, or one change of the map's size.
///
/// LMDB must not change the size of a map while this process has a transaction, and leaves that to its caller. The gate
/// counts the transactions, and keeps idle read transactions for their next use.
///
/// `@unchecked Sendable`: every access to the variables is between `lock()` and `unlock()` of the one lock, which lives
/// as long as the gate. What it keeps is handed to one caller at a time.
final class MapResizeGate: @unchecked Sendable {
    /// Read transactions kept for reuse. Reads on callers' threads never pause, so no more are in use at once than
    /// Swift's pool has threads.
    private static let maximumIdle = 16

    private let lock = ConditionLock()
    private var idle: [TransactionState] = []
    private var active = 0
    private var isExclusive = false
    private var isClosed = false
    private var failure: StoreError?

    init() {
        idle.reserveCapacity(Self.maximumIdle)
    }

    /// Enters without waiting, with a read transaction that was used before.
    ///
    /// - Returns: `nil` where there is none, or where the map is about to change.
    func enterIdle() throws(StoreError) -> TransactionState? {
        lock.lock()
        defer { lock.unlock() }
        try requireUsable()
        guard !isExclusive, let state = idle.popLast() else { return nil }
        active += 1
        return state
    }

    /// Enters, after a change of the map that is under way.
    func enter() throws(StoreError) {
        lock.lock()
        defer { lock.unlock() }
        while isExclusive { lock.wait() }
        try requireUsable()
        active += 1
    }

    /// Leaves, and keeps a read transaction for the next to enter.
    ///
    /// - Returns: Whether it was kept. Where it was not, the caller is still inside, ends it, and leaves without it.
    @discardableResult
    func leave(keeping state: TransactionState? = nil) -> Bool {
        lock.lock()
        if let state {
            guard !isClosed, idle.count < Self.maximumIdle else {
                lock.unlock()
                return false
            }
            idle.append(state)
        }
        active -= 1
        // Under the mutex: the waiting thread may destroy the gate as soon as it is unlocked.
        if active == 0, isExclusive || isClosed { lock.broadcast() }
        lock.unlock()
        return true
    }

    /// Runs `body` while no transaction is active, and none begins.
    ///
    /// - Throws: ``StoreError/Code/busy`` where a transaction does not end within `timeout`.
    func exclusively<Success>(
        within timeout: Duration, _ body: () throws(StoreError) -> Success
    ) throws(StoreError) -> Success {
        let clock = ContinuousClock()
        let deadline = clock.now + timeout
        lock.lock()
        while isExclusive { lock.wait() }
        isExclusive = true
        while active > 0, clock.now < deadline { lock.wait(atMost: deadline - clock.now) }
        let isFree = active == 0
        lock.unlock()
        defer {
            lock.lock()
            isExclusive = false
            lock.unlock()
            lock.broadcast()
        }
        guard isFree else {
            throw StoreError(
                .busy,
                "The map of the LMDB store has to grow, but a transaction of this process did not end within "
                    + "the busy timeout. Try again, or raise busy_timeout.", backend: LMDBBackend.name)
        }
        return try body()
    }

    /// Lets no transaction in any more, and gives each this error: what failed once is not used again.
    func fail(_ error: StoreError) {
        lock.lock()
        failure = failure ?? error
        lock.unlock()
    }

    /// Lets no transaction in any more, waits for those inside, and returns the idle ones for the caller to end.
    func close() -> [TransactionState] {
        lock.lock()
        defer { lock.unlock() }
        isClosed = true
        while active > 0 || isExclusive { lock.wait() }
        defer { idle = [] }
        return idle
    }

    private func requireUsable() throws(StoreError) {
        if let failure { throw failure }
        if isClosed { throw .storeClosed(backend: LMDBBackend.name) }
    }
}
#endif
