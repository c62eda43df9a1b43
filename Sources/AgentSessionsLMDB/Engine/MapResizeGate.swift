#if LMDB
internal import AgentSessions
internal import CAgentSessionsLMDB

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Who may use the map of an environment: any number of transactions, or one change of the map's size.
///
/// LMDB changes the size of a map only while this process has no transaction, and leaves it to the caller to see to
/// that. The gate counts the transactions, and keeps the read transactions that wait for their next use.
///
/// `@unchecked Sendable`: every access to the variables is between `pthread_mutex_lock` and `pthread_mutex_unlock` of
/// the one mutex, which lives as long as the gate. What it keeps is handed to one caller at a time.
final class MapResizeGate: @unchecked Sendable {
    /// Read transactions kept for reuse. Reads on callers' threads never pause, so no more are in use at once than
    /// Swift's pool has threads.
    private static let maximumIdle = 16

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var idle: [TransactionState] = []
    private var active = 0
    private var isExclusive = false
    private var isClosed = false
    private var failure: StoreError?

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        // Without attributes these only fail for want of memory, which Swift does not survive anyway.
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        idle.reserveCapacity(Self.maximumIdle)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Enters without waiting, with a read transaction that was used before.
    ///
    /// - Returns: `nil` where there is none, or where the map is about to change.
    func enterIdle() throws(StoreError) -> TransactionState? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        try requireUsable()
        guard !isExclusive, let state = idle.popLast() else { return nil }
        active += 1
        return state
    }

    /// Enters, after a change of the map that is under way.
    func enter() throws(StoreError) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while isExclusive { pthread_cond_wait(condition, mutex) }
        try requireUsable()
        active += 1
    }

    /// Leaves, and keeps a read transaction for the next to enter.
    ///
    /// - Returns: Whether it was kept. Where it was not, the caller is still inside, ends it, and leaves without it.
    @discardableResult
    func leave(keeping state: TransactionState? = nil) -> Bool {
        pthread_mutex_lock(mutex)
        if let state {
            guard !isClosed, idle.count < Self.maximumIdle else {
                pthread_mutex_unlock(mutex)
                return false
            }
            idle.append(state)
        }
        active -= 1
        // Under the mutex: who waits may destroy the gate as soon as it is unlocked.
        if active == 0, isExclusive || isClosed { pthread_cond_broadcast(condition) }
        pthread_mutex_unlock(mutex)
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
        pthread_mutex_lock(mutex)
        while isExclusive { pthread_cond_wait(condition, mutex) }
        isExclusive = true
        while active > 0, clock.now < deadline { waitBriefly() }
        let isFree = active == 0
        pthread_mutex_unlock(mutex)
        defer {
            pthread_mutex_lock(mutex)
            isExclusive = false
            pthread_mutex_unlock(mutex)
            pthread_cond_broadcast(condition)
        }
        guard isFree else {
            throw StoreError(
                .busy,
                "The map of the LMDB store has to grow, and a transaction of this process did not end within "
                    + "the busy timeout. Try again, or raise busy_timeout.", backend: LMDBBackend.name)
        }
        return try body()
    }

    /// Lets nobody in any more: what failed once is not used again.
    func fail(_ error: StoreError) {
        pthread_mutex_lock(mutex)
        failure = failure ?? error
        pthread_mutex_unlock(mutex)
    }

    /// Lets nobody in any more, waits for those inside, and gives what they left to be ended.
    func close() -> [TransactionState] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        isClosed = true
        while active > 0 || isExclusive { pthread_cond_wait(condition, mutex) }
        defer { idle = [] }
        return idle
    }

    private func requireUsable() throws(StoreError) {
        if let failure { throw failure }
        if isClosed { throw .storeClosed(backend: LMDBBackend.name) }
    }

    /// Waits for a signal, or a little while: what is waited for is looked at again by the caller's own clock.
    private func waitBriefly() {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        time.tv_nsec += 20_000_000
        if time.tv_nsec >= 1_000_000_000 {
            time.tv_nsec -= 1_000_000_000
            time.tv_sec += 1
        }
        pthread_cond_timedwait(condition, mutex, &time)
    }
}
#endif
