import Synchronization

/// How long calls may run on their caller's thread before the caller yields it to other tasks.
///
/// A call that is answered on the caller's thread never suspends its task. As many such tasks as there are cores could
/// occupy every thread of Swift's pool, and no other task of the process would run. So the time of these calls is added
/// up, and after each ``length`` one of the callers yields (`Task.yield()`).
///
/// This one is for an object that serves one call at a time, such as a connection; ``SharedInlineTurn`` is for others.
package struct InlineTurn: Sendable {
    /// Nanoseconds of calls in a turn. A yield takes a few microseconds.
    package static let length: UInt64 = 1_000_000

    private var used: UInt64 = 0

    package init() {}

    /// Adds the time that a call took.
    ///
    /// - Returns: Whether the turn is over. The next one has begun then.
    package mutating func isOver(after nanoseconds: UInt64) -> Bool {
        let (sum, overflow) = used.addingReportingOverflow(nanoseconds)
        guard overflow || sum >= Self.length else {
            used = sum
            return false
        }
        used = 0
        return true
    }
}

/// An ``InlineTurn`` of calls from any number of tasks. It does not matter which of them yields its thread.
package final class SharedInlineTurn: Sendable {
    private let used = Atomic<UInt64>(0)

    package init() {}

    /// Whether the next caller should yield.
    package var isOver: Bool { used.load(ordering: .relaxed) >= InlineTurn.length }

    /// Adds the time that a call took.
    package func add(_ nanoseconds: UInt64) {
        used.wrappingAdd(nanoseconds, ordering: .relaxed)
    }

    /// Yields before a call, where the turn is over.
    package func giveWay() async {
        guard isOver else { return }
        used.store(0, ordering: .relaxed)
        await Task.yield()
    }
}
