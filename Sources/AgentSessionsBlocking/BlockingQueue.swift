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
/// `@unchecked Sendable`: every access to `elements`, `isClosed` and `waiting` is between `pthread_mutex_lock` and
/// `pthread_mutex_unlock` of the one mutex, which lives as long as the queue. Elements are `Sendable`.
package final class BlockingQueue<Element: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var elements: [Element] = []
    private var isClosed = false
    private var waiting = 0

    package init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        // Without attributes these only fail for want of memory, which Swift does not survive anyway.
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Adds an element and wakes one waiting thread.
    ///
    /// - Returns: Whether it was added; `false` after ``close()``.
    package func add(_ element: Element) -> Bool {
        pthread_mutex_lock(mutex)
        let added = !isClosed
        if added { elements.append(element) }
        let wakes = added && waiting > 0
        pthread_mutex_unlock(mutex)
        // After the unlock, so that the woken thread does not run into the mutex.
        if wakes { pthread_cond_signal(condition) }
        return added
    }

    /// Takes everything that is there, in order, and waits while there is nothing.
    ///
    /// - Returns: At least one element, or `nil` when the queue is closed and empty.
    package func takeAll() -> [Element]? {
        lockUntilFilled()
        defer { pthread_mutex_unlock(mutex) }
        guard !elements.isEmpty else { return nil }
        let taken = elements
        elements = []
        return taken
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
        pthread_mutex_unlock(mutex)
        pthread_cond_broadcast(condition)
    }

    private func lockUntilFilled() {
        pthread_mutex_lock(mutex)
        waiting += 1
        while elements.isEmpty && !isClosed { pthread_cond_wait(condition, mutex) }
        waiting -= 1
    }
}
