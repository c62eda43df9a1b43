import Synchronization

/// How long calls may stay on the thread of who makes them before other tasks have it for a moment.
///
/// A call that is answered on the caller's thread never suspends its task. As many tasks as there are cores that do
/// nothing but read would have every thread of Swift's pool to themselves, and no other task of the process would run.
/// So the time of such calls is added up, and after each ``length`` one of them gives way by `Task.yield()`.
///
/// This one is for a place that serves one call at a time, such as a connection; ``SharedInlineTurn`` for others.
package struct InlineTurn: Sendable {
    /// Nanoseconds of calls in a turn. To give way takes a microsecond or a few.
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

/// An ``InlineTurn`` of calls from any number of tasks. Which of them gives way does not matter: it is its thread that
/// the others get.
package final class SharedInlineTurn: Sendable {
    private let used = Atomic<UInt64>(0)

    package init() {}

    /// Whether the next call is to give way.
    package var isOver: Bool { used.load(ordering: .relaxed) >= InlineTurn.length }

    /// Adds the time that a call took.
    package func add(_ nanoseconds: UInt64) {
        used.wrappingAdd(nanoseconds, ordering: .relaxed)
    }

    /// Gives way where the turn is over, before a call.
    package func giveWay() async {
        guard isOver else { return }
        used.store(0, ordering: .relaxed)
        await Task.yield()
    }
}
