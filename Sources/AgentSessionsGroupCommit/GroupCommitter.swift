import AgentSessions
import AgentSessionsThreads
import Metrics

/// What the group commit counts and times.
struct CommitMetrics: Sendable {
    let groupSize: Recorder
    let commitTime: Metrics.Timer

    init(backend: String) {
        let dimensions = [("backend", backend)]
        groupSize = Recorder(label: "agent_sessions_commit_group_size", dimensions: dimensions)
        commitTime = Metrics.Timer(label: "agent_sessions_commit_seconds", dimensions: dimensions)
    }
}

/// Runs groups of changes on an engine. It starts no thread, so that a test can run it step by step.
struct GroupCommitter<Engine: CommitEngine> {
    typealias Write = QueuedWrite<Engine.Writer>

    /// A group is committed after this long, so that a large change in it does not delay the others further.
    private static var maximumGroupTime: Duration { .milliseconds(20) }

    private let engine: Engine
    private let now: () -> ContinuousClock.Instant
    private let metrics: CommitMetrics
    private let queue: WriteQueue<Engine.Writer>
    private var delay = GroupCommitDelay()
    /// Whether the last transaction was exclusive.
    private var isAfterExclusive = false

    /// - Parameters:
    ///   - engine: What the groups are run on.
    ///   - metrics: What is counted and timed.
    ///   - queue: The changes to run.
    ///   - now: The clock that tells how long a group takes.
    init(
        engine: Engine, metrics: CommitMetrics, queue: WriteQueue<Engine.Writer>,
        now: @escaping () -> ContinuousClock.Instant = { .now }
    ) {
        self.engine = engine
        self.metrics = metrics
        self.queue = queue
        self.now = now
    }

    /// Runs and answers the next changes and those that join them. Waits while the queue is empty.
    ///
    /// - Returns: Whether there can be more; `false` when the queue is closed and empty.
    mutating func runNext() -> Bool {
        guard var group = queue.next(isAfterExclusive: isAfterExclusive) else { return false }
        isAfterExclusive = group[0].isExclusive
        commit(&group)
        return true
    }

    /// Runs as many changes of a group as fit one transaction, and answers them. The others go back to the queue.
    private mutating func commit(_ group: inout [Write]) {
        let start = now()
        var run = GroupRun()
        do {
            try engine.begin()
            // The time counts from here: after a long wait for the lock, a group should be large rather than small.
            let begun = now()
            runRest(of: group, &run, since: begun)
            if !isAfterExclusive { awaitMore(for: &group, &run, since: begun) }
            queue.putBack(group[run.count...])
            group.removeSubrange(run.count...)
            if run.canCommit {
                try engine.commit()
            } else {
                engine.rollback()
            }
        } catch {
            return end(group, after: error, hasRun: run.count > 0)
        }
        if run.mustRollBack, group.count > 1 { return runAgainExclusively(group) }
        if run.canCommit { record(group.count, now() - start - run.waited) }
        for write in group { write.operation.answer() }
    }

    /// Answers a group whose transaction could not begin or was not committed: nothing of it is stored, unless the
    /// engine does not know.
    private func end(_ group: [Write], after error: StoreError, hasRun: Bool) {
        if hasRun, error.code != .outcomeUnknown, group.count > 1 { return runAgainExclusively(group) }
        for write in group {
            // No change succeeded. One that was refused has changed nothing, whatever became of the others, and keeps
            // its own error.
            if !hasRun || !write.operation.hasFailed { write.operation.fail(error) }
            write.operation.answer()
        }
    }

    /// After a rollback of several changes: each is run again in a transaction of its own, and so has its own outcome.
    private func runAgainExclusively(_ group: [Write]) {
        queue.putBack(
            group.map { write in
                var write = write
                write.isExclusive = true
                return write
            })
    }

    private mutating func record(_ count: Int, _ time: Duration) {
        metrics.groupSize.record(count)
        metrics.commitTime.recordNanoseconds(time.wholeNanoseconds)
        // The queue is counted before any caller is answered: one that comes back at once would count twice.
        if !isAfterExclusive { delay.committed(count, waiting: queue.count, in: time) }
    }

    /// How far a transaction has come.
    private struct GroupRun {
        /// Changes that were run.
        var count = 0
        /// Whether one of them has a result to keep.
        var hasResult = false
        /// Whether one threw after it had changed something, so that the transaction cannot be kept.
        var mustRollBack = false
        /// Whether it took so long that it has to end.
        var isLong = false
        /// How long it waited for more changes.
        var waited = Duration.zero

        /// Whether no more changes can be run.
        var isOver: Bool { mustRollBack || isLong }

        /// Where every change failed there is nothing to commit, and no commit that could fail in their place.
        var canCommit: Bool { hasResult && !mustRollBack }
    }

    /// Runs the changes that were not run yet.
    private func runRest(of group: [Write], _ run: inout GroupRun, since begun: ContinuousClock.Instant) {
        for write in group[run.count...] {
            run.count += 1
            let before = engine.changeCount
            write.operation.run(&engine.writer)
            if write.operation.hasFailed {
                run.mustRollBack = engine.changeCount != before
            } else {
                run.hasResult = true
            }
            run.isLong = now() - begun > Self.maximumGroupTime
            if run.isOver { return }
        }
    }

    /// Waits for the callers of the last commit to come back, and runs their changes as they arrive.
    private mutating func awaitMore(
        for group: inout [Write], _ run: inout GroupRun, since begun: ContinuousClock.Instant
    ) {
        let longest = delay.patience(with: group.count)
        guard longest > .zero, !run.isOver else { return }
        while !run.isOver, run.count < delay.expected {
            let start = now()
            // A thread that is woken for each change would do nothing else.
            let enough = min(delay.expected - run.count, max(1, delay.expected / 4))
            let more = queue.joining(enough, within: max(longest - run.waited, .zero))
            run.waited += now() - start
            if more.isEmpty { break }
            group += more
            runRest(of: group, &run, since: begun)
        }
        delay.gathered(group.count)
    }
}
