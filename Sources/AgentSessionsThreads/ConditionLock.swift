#if canImport(Glibc)
package import Glibc
#elseif canImport(Musl)
package import Musl
#else
package import Darwin
#endif

/// A mutex with a condition variable of POSIX: Swift's `Mutex` has no condition to wait on.
///
/// It is the owner's task to access what the lock guards only between ``lock()`` and ``unlock()``.
package struct ConditionLock: ~Copyable {
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        // These only fail for want of memory, which Swift does not survive anyway.
        pthread_mutex_init(mutex, nil)
        #if canImport(Darwin)
        pthread_cond_init(condition, nil)
        #else
        // A bounded wait must not become longer when the system clock is set.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    @inlinable
    package func lock() { pthread_mutex_lock(mutex) }

    @inlinable
    package func unlock() { pthread_mutex_unlock(mutex) }

    /// Wakes one thread that waits.
    package func signal() { pthread_cond_signal(condition) }

    /// Wakes every thread that waits.
    package func broadcast() { pthread_cond_broadcast(condition) }

    /// Unlocks, waits for a signal, and locks again. It may also return without one.
    package func wait() { pthread_cond_wait(condition, mutex) }

    /// Unlocks, waits for a signal, at most for so long, and locks again.
    package func wait(atMost longest: Duration) {
        let nanoseconds = max(longest, .zero).wholeNanoseconds
        #if canImport(Darwin)
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        pthread_cond_timedwait_relative_np(condition, mutex, &time)
        #else
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let sum = Int64(time.tv_nsec) + rest
        time.tv_sec += Int(seconds + sum / 1_000_000_000)
        time.tv_nsec = Int(sum % 1_000_000_000)
        pthread_cond_timedwait(condition, mutex, &time)
        #endif
    }
}
