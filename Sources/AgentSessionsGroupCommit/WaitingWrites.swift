import AgentSessions
import AgentSessionsThreads
import Synchronization

/// The changes that wait for the writer's thread: which of them are next, and that none waits for longer than it may.
///
/// What waits is taken out by one of three, each under the queue's mutex, and whoever takes it answers it: the writer's
/// thread, the watch when its time is over, or the cancellation of its task. Nothing of it is written then.
final class WaitingWrites<Writer>: Sendable {
    typealias Write = PendingWrite<Writer>

    private let queue = BlockingQueue<Write>()
    private let backend: String
    private let clock = ContinuousClock()
    private let isWatched = Atomic(false)

    /// The watch of a store that nobody writes to any more ends after this long at the latest.
    private static var longestSleep: Duration { .seconds(1) }

    init(backend: String) {
        self.backend = backend
    }

    var count: Int { queue.count }

    /// Refuses writes from now on. Those that are there are still taken.
    func close() {
        queue.close()
    }

    /// Adds a write, and answers it at once where the store is closed.
    func add(_ write: Write) {
        guard queue.add(write) else { return refuse(write, .storeClosed(backend: backend)) }
        if !isWatched.load(ordering: .sequentiallyConsistent) { watch() }
    }

    /// Takes out a write whose task was cancelled, if it still waits. What is under way is waited for, so that the task
    /// learns what became of it.
    func cancel(_ write: Write) {
        let isWaiting = queue.withElements { waiting in
            guard let index = waiting.firstIndex(where: { $0 === write }) else { return false }
            waiting.remove(at: index)
            return true
        }
        guard isWaiting else { return }
        refuse(
            write,
            StoreError(
                .cancelled, "The task was cancelled before the operation began. Nothing was written.", backend: backend)
        )
    }

    // MARK: The writer's thread

    /// The writes of the next transaction: all that can share one, or one that goes alone. Waits while there is none.
    ///
    /// - Parameter isAfterLong: Whether the last one went alone, so that it is the turn of the others.
    /// - Returns: `nil` when the queue is closed and empty.
    func next(isAfterLong: Bool) -> [Write]? {
        queue.take { waiting in
            let hasOthers = isAfterLong && waiting.contains { !$0.isAlone }
            return waiting[0].isAlone && !hasOthers ? [waiting.removeFirst()] : Self.takeShared(from: &waiting)
        }
    }

    /// The writes that can join an open transaction, after a wait for so many.
    func joining(_ count: Int, within patience: Duration) -> [Write] {
        queue.take(awaiting: count, within: patience) { Self.takeShared(from: &$0) }
    }

    /// Puts back writes that were taken and not run, or whose transaction was undone: they are the first again.
    func putBack(_ writes: some Collection<Write>) {
        guard !writes.isEmpty else { return }
        queue.withElements { $0 = writes + $0 }
    }

    private static func takeShared(from waiting: inout [Write]) -> [Write] {
        guard waiting.contains(where: \.isAlone) else {
            defer { waiting = [] }
            return waiting
        }
        defer { waiting.removeAll { !$0.isAlone } }
        return waiting.filter { !$0.isAlone }
    }

    // MARK: The watch

    /// Sees to it, by one task for all that wait, that nothing waits for too long.
    private func watch() {
        guard startWatching() else { return }
        Task.detached { [self] in
            while true {
                if let deadline = refuseOverdue() {
                    try? await Task.sleep(until: min(deadline, clock.now + Self.longestSleep), clock: clock)
                } else {
                    isWatched.store(false, ordering: .sequentiallyConsistent)
                    // Who has added one in the meantime may have counted on this watch.
                    guard count > 0, startWatching() else { return }
                }
            }
        }
    }

    private func startWatching() -> Bool {
        isWatched.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent).exchanged
    }

    /// Answers the writes whose time is over.
    ///
    /// - Returns: When to look again; `nil` where nothing waits.
    private func refuseOverdue() -> ContinuousClock.Instant? {
        let now = clock.now
        let (overdue, next) = queue.withElements { waiting in
            let overdue = waiting.filter { $0.deadline <= now }
            if !overdue.isEmpty { waiting.removeAll { $0.deadline <= now } }
            return (overdue, waiting.lazy.map(\.deadline).min())
        }
        for write in overdue {
            refuse(
                write,
                StoreError(
                    .busy,
                    "The change did not have its turn within the busy timeout, as others of this process were being "
                        + "written, perhaps a long import. Nothing of it was written. Try again, or raise busy_timeout.",
                    backend: backend))
        }
        return next
    }

    private func refuse(_ write: Write, _ error: StoreError) {
        write.fail(error)
        write.answer()
    }
}
