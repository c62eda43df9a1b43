/// A queue between tasks, which add elements without waiting, and threads, which wait for them.
///
/// `@unchecked Sendable`: every access to `elements`, `isClosed`, `waiting` and `wanted` is between `lock()` and
/// `unlock()` of the one lock, which lives as long as the queue. Elements are `Sendable`.
package final class BlockingQueue<Element: Sendable>: @unchecked Sendable {
    private let lock = ConditionLock()
    private var elements: [Element] = []
    private var isClosed = false
    private var waiting = 0
    /// How many elements it takes to wake a waiting thread.
    private var wanted = 1

    package init() {}

    /// How many elements the queue has.
    package var count: Int { withElements { $0.count } }

    /// Adds an element and wakes one waiting thread.
    ///
    /// - Returns: Whether it was added; `false` after ``close()``.
    package func add(_ element: Element) -> Bool {
        lock.lock()
        let added = !isClosed
        if added { elements.append(element) }
        // Under the mutex: a thread that takes the element may drop the last reference to the queue as soon as the
        // mutex is unlocked.
        if added, waiting > 0, elements.count >= wanted { lock.signal() }
        lock.unlock()
        return added
    }

    /// Takes some of the elements, and waits while there are none. Meant for one thread.
    ///
    /// - Parameter choose: Takes at least one of the elements out.
    /// - Returns: What `choose` returns, or `nil` when the queue is closed and empty.
    package func take(_ choose: (inout [Element]) -> [Element]) -> [Element]? {
        lockUntilFilled()
        defer { lock.unlock() }
        return elements.isEmpty ? nil : choose(&elements)
    }

    /// Takes some of the elements, after waiting until there are enough. Meant for one thread.
    ///
    /// - Parameters:
    ///   - count: How many elements are enough. Closing the queue ends the wait, too.
    ///   - longest: The longest wait.
    ///   - choose: Takes some of the elements, which may be none, out.
    package func take(
        awaiting count: Int, within longest: Duration, _ choose: (inout [Element]) -> [Element]
    ) -> [Element] {
        lock.lock()
        defer { lock.unlock() }
        waitForMore(count, within: longest)
        return choose(&elements)
    }

    /// Gives `body` the elements, to look at, take out or put back; also after the queue was closed. Never waits, and
    /// wakes no thread.
    package func withElements<Result>(_ body: (inout [Element]) -> Result) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return body(&elements)
    }

    /// Takes the oldest element, and waits while there is none.
    ///
    /// - Returns: An element, or `nil` when the queue is closed and empty.
    package func takeFirst() -> Element? {
        lockUntilFilled()
        defer { lock.unlock() }
        return elements.isEmpty ? nil : elements.removeFirst()
    }

    /// Refuses elements from now on. Those in the queue are still taken.
    package func close() {
        lock.lock()
        isClosed = true
        lock.broadcast()
        lock.unlock()
    }

    private func lockUntilFilled() {
        lock.lock()
        waiting += 1
        while elements.isEmpty && !isClosed { lock.wait() }
        waiting -= 1
    }

    /// Waits, with the mutex held, for so many elements, for the close, or for the longest wait to end.
    private func waitForMore(_ count: Int, within longest: Duration) {
        (waiting, wanted) = (waiting + 1, count)
        defer { (waiting, wanted) = (waiting - 1, 1) }
        let clock = ContinuousClock()
        let deadline = clock.now + longest
        while elements.count < count, !isClosed {
            let rest = deadline - clock.now
            guard rest > .zero else { return }
            lock.wait(atMost: rest)
        }
    }
}
