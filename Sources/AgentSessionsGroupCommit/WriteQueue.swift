import AgentSessions
import AgentSessionsThreads
import Synchronization

/// The changes that wait for the writer thread: decides which are next, and bounds how long each waits.
///
/// A change is taken out of the queue by one of three: by the writer thread, by the deadline watch, or by the
/// cancellation of its task. Each does so under the queue's mutex, and the one that takes a change answers it. A change
/// that the watch or a cancellation has taken is never run.
final class WriteQueue<Writer: SendableMetatype>: Sendable {
    typealias Write = QueuedWrite<Writer>

    private let queue = BlockingQueue<Write>()
    private let backend: String
    private let clock = ContinuousClock()
    private let isWatched = Atomic(false)

    /// The longest sleep of the deadline watch. The watch of an idle store ends after it at the latest.
    private static var longestSleep: Duration { .seconds(1) }

    init(backend: String) {
        self.backend = backend
    }

    var count: Int { queue.count }

    /// Refuses changes from now on. Those in the queue are still taken.
    func close() {
        queue.close()
    }

    /// Adds a change, or answers it at once where the store is closed.
    func add(_ write: Write) {
        guard queue.add(write) else { return refuse(write, .storeClosed(backend: backend)) }
        if !isWatched.load(ordering: .sequentiallyConsistent) { watch() }
    }

    /// Takes out the change of a cancelled task, if it is still in the queue. One that is running is left alone, so
    /// that the task learns its outcome.
    func cancel(_ operation: any PendingOperation<Writer, StoreError>) {
        let write = queue.withElements { queued in
            queued.firstIndex { $0.operation === operation }.map { queued.remove(at: $0) }
        }
        guard let write else { return }
        refuse(
            write,
            StoreError(
                .cancelled, "The task was cancelled before the operation began. Nothing was written.", backend: backend)
        )
    }

    // MARK: The writer thread

    /// The changes of the next transaction: all that can share one, or a single exclusive one. Waits while the queue is
    /// empty.
    ///
    /// - Parameter isAfterExclusive: Whether the last transaction was exclusive, so that shared changes go first now.
    /// - Returns: `nil` when the queue is closed and empty.
    func next(isAfterExclusive: Bool) -> [Write]? {
        queue.take { queued in
            let sharedGoFirst = isAfterExclusive && queued.contains { !$0.isExclusive }
            return queued[0].isExclusive && !sharedGoFirst ? [queued.removeFirst()] : Self.takeShared(from: &queued)
        }
    }

    /// The changes that can join the open transaction, after a wait for `count` of them.
    func joining(_ count: Int, within delay: Duration) -> [Write] {
        queue.take(awaiting: count, within: delay) { Self.takeShared(from: &$0) }
    }

    /// Puts changes back at the head of the queue: they were not run, or their transaction was rolled back.
    func putBack(_ writes: some Collection<Write>) {
        guard !writes.isEmpty else { return }
        queue.withElements { $0 = writes + $0 }
    }

    private static func takeShared(from queued: inout [Write]) -> [Write] {
        guard queued.contains(where: \.isExclusive) else {
            defer { queued = [] }
            return queued
        }
        defer { queued.removeAll { !$0.isExclusive } }
        return queued.filter { !$0.isExclusive }
    }

    // MARK: The deadline watch

    /// Starts the one task that refuses the changes whose deadline has passed, where it does not run yet.
    private func watch() {
        guard startWatching() else { return }
        Task.detached { [self] in
            while true {
                if let deadline = refuseOverdue() {
                    try? await Task.sleep(until: min(deadline, clock.now + Self.longestSleep), clock: clock)
                } else {
                    isWatched.store(false, ordering: .sequentiallyConsistent)
                    // A caller that added a change just before may have relied on this watch.
                    guard count > 0, startWatching() else { return }
                }
            }
        }
    }

    private func startWatching() -> Bool {
        isWatched.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent).exchanged
    }

    /// Refuses the changes whose deadline has passed.
    ///
    /// - Returns: When to look again; `nil` where the queue is empty.
    private func refuseOverdue() -> ContinuousClock.Instant? {
        let now = clock.now
        let (overdue, next) = queue.withElements { queued in
            let overdue = queued.filter { $0.deadline <= now }
            if !overdue.isEmpty { queued.removeAll { $0.deadline <= now } }
            return (overdue, queued.lazy.map(\.deadline).min())
        }
        for write in overdue {
            refuse(
                write,
                StoreError(
                    .busy,
                    "The change waited for other changes of this process, perhaps a long import, until its busy "
                        + "timeout was over. Nothing of it was written. Try again, or raise busy_timeout.",
                    backend: backend))
        }
        return next
    }

    private func refuse(_ write: Write, _ error: StoreError) {
        write.operation.fail(error)
        write.operation.answer()
    }
}
