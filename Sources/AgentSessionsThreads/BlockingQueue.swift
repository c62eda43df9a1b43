#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A queue between tasks, which add to it without waiting, and threads, which wait for what is added.
///
/// Swift's `Mutex` has no condition to wait on, so this is a POSIX mutex with a condition variable.
///
/// `@unchecked Sendable`: every access to `elements`, `isClosed`, `waiting` and `wanted` is between `pthread_mutex_lock` and
/// `pthread_mutex_unlock` of the one mutex, which lives as long as the queue. Elements are `Sendable`.
package final class BlockingQueue<Element: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var elements: [Element] = []
    private var isClosed = false
    private var waiting = 0
    /// Elements that have to be there before a waiting thread is woken.
    private var wanted = 1

    package init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        // Without attributes these only fail for want of memory, which Swift does not survive anyway.
        pthread_mutex_init(mutex, nil)
        #if canImport(Darwin)
        pthread_cond_init(condition, nil)
        #else
        // A wait with a bound must not grow when somebody sets the clock.
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

    /// How many elements are there.
    package var count: Int { withElements { $0.count } }

    /// Adds an element and wakes one waiting thread.
    ///
    /// - Returns: Whether it was added; `false` after ``close()``.
    package func add(_ element: Element) -> Bool {
        pthread_mutex_lock(mutex)
        let added = !isClosed
        if added { elements.append(element) }
        // Under the mutex: who takes the element may let go of the queue as soon as it is unlocked, and nobody else may
        // hold it then.
        if added, waiting > 0, elements.count >= wanted { pthread_cond_signal(condition) }
        pthread_mutex_unlock(mutex)
        return added
    }

    /// Takes some of what is there, and waits while there is nothing. Meant for one thread.
    ///
    /// - Parameter choose: Takes at least one element out of those that are there.
    /// - Returns: What `choose` gives, or `nil` when the queue is closed and empty.
    package func take(_ choose: (inout [Element]) -> [Element]) -> [Element]? {
        lockUntilFilled()
        defer { pthread_mutex_unlock(mutex) }
        return elements.isEmpty ? nil : choose(&elements)
    }

    /// Takes some of what is there, after waiting until it is enough. Meant for one thread.
    ///
    /// - Parameters:
    ///   - count: So many elements are enough; the close ends the waiting, too.
    ///   - patience: The longest wait.
    ///   - choose: Takes elements out of those that are there, which may be none.
    package func take(
        awaiting count: Int, within patience: Duration, _ choose: (inout [Element]) -> [Element]
    ) -> [Element] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        gather(count, within: patience)
        return choose(&elements)
    }

    /// Looks at what is there, and takes or puts back what `body` does, also after the close. Waits for nothing and wakes
    /// no thread.
    package func withElements<Result>(_ body: (inout [Element]) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&elements)
    }

    /// Takes the oldest element, and waits while there is none.
    ///
    /// - Returns: An element, or `nil` when the queue is closed and empty.
    package func takeFirst() -> Element? {
        lockUntilFilled()
        defer { pthread_mutex_unlock(mutex) }
        return elements.isEmpty ? nil : elements.removeFirst()
    }

    /// Refuses elements from now on. Those that are there are still taken.
    package func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    private func lockUntilFilled() {
        pthread_mutex_lock(mutex)
        waiting += 1
        while elements.isEmpty && !isClosed { pthread_cond_wait(condition, mutex) }
        waiting -= 1
    }

    /// Waits, with the mutex held, for so many elements, for the close, or for the end of `patience`.
    private func gather(_ count: Int, within patience: Duration) {
        (waiting, wanted) = (waiting + 1, count)
        defer { (waiting, wanted) = (waiting - 1, 1) }
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while elements.count < count, !isClosed {
            let rest = deadline - clock.now
            guard rest > .zero else { return }
            wait(nanoseconds: rest.wholeNanoseconds)
        }
    }

    private func wait(nanoseconds: Int64) {
        #if canImport(Darwin)
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        pthread_cond_timedwait_relative_np(condition, mutex, &time)
        #else
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let nanoseconds = Int64(time.tv_nsec) + nanoseconds
        time.tv_sec += Int(nanoseconds / 1_000_000_000)
        time.tv_nsec = Int(nanoseconds % 1_000_000_000)
        pthread_cond_timedwait(condition, mutex, &time)
        #endif
    }
}
