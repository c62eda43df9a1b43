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

/// Runs groups of changes on an engine: the part of the group commit that needs no thread of its own to be tested.
struct GroupCommitter<Engine: CommitEngine> {
    typealias Write = PendingWrite<Engine.Writer>

    /// A group is committed after this long, so that a large change in it does not keep the others waiting for more.
    private static var maximumGroupTime: Duration { .milliseconds(20) }

    private let engine: Engine
    private let now: () -> ContinuousClock.Instant
    private let metrics: CommitMetrics
    private let waiting: WaitingWrites<Engine.Writer>
    private var gather = GroupCommitDelay()
    private var isAfterLong = false

    /// - Parameters:
    ///   - engine: What the groups are run on.
    ///   - metrics: What is counted and timed.
    ///   - waiting: The changes to run.
    ///   - now: The clock that tells how long a group takes.
    init(
        engine: Engine, metrics: CommitMetrics, waiting: WaitingWrites<Engine.Writer>,
        now: @escaping () -> ContinuousClock.Instant = { .now }
    ) {
        self.engine = engine
        self.metrics = metrics
        self.waiting = waiting
        self.now = now
    }

    /// Runs and answers the changes that are next, with those that join them; waits while there are none.
    ///
    /// - Returns: Whether there can be more; `false` when the queue is closed and empty.
    mutating func runNext() -> Bool {
        guard var group = waiting.next(isAfterLong: isAfterLong) else { return false }
        isAfterLong = group[0].isAlone
        commit(&group)
        return true
    }

    /// Runs as many changes of a group as fit one transaction, and answers them. The others have to wait again.
    private mutating func commit(_ group: inout [Write]) {
        let start = now()
        var run = GroupRun()
        do {
            try engine.begin()
            // From here: a long wait for the lock is no reason to make small groups, on the contrary.
            let begun = now()
            runRest(of: group, &run, since: begun)
            if !isAfterLong { gatherMore(into: &group, &run, since: begun) }
            waiting.putBack(group[run.count...])
            group.removeSubrange(run.count...)
            if run.canCommit {
                try engine.commit()
            } else {
                engine.rollback()
            }
        } catch {
            return end(group, after: error, hasRun: run.count > 0)
        }
        if run.isSpoilt, group.count > 1 { return runAgainAlone(group) }
        if run.canCommit { record(group.count, now() - start - run.waited) }
        for write in group { write.answer() }
    }

    /// A transaction could not begin, or was not committed: nothing of it is stored, unless the engine does not know.
    private func end(_ group: [Write], after error: StoreError, hasRun: Bool) {
        if hasRun, error.code != .outcomeUnknown, group.count > 1 { return runAgainAlone(group) }
        for write in group {
            // Nobody hears success. One that was refused has changed nothing, whatever became of the others, and hears
            // why.
            if !hasRun || !write.failed { write.fail(error) }
            write.answer()
        }
    }

    /// A transaction of several was undone: each is run again by itself, so that it has an outcome of its own.
    private func runAgainAlone(_ group: [Write]) {
        for write in group { write.isAlone = true }
        waiting.putBack(group)
    }

    private mutating func record(_ count: Int, _ time: Duration) {
        metrics.groupSize.record(count)
        metrics.commitTime.recordNanoseconds(time.wholeNanoseconds)
        // Counted before anybody is answered, as who is back already must not count twice.
        if !isAfterLong { gather.committed(count, waiting: waiting.count, in: time) }
    }

    /// How far a transaction has come.
    private struct GroupRun {
        /// Changes that were run.
        var count = 0
        /// Whether one of them has a result to keep.
        var hasResult = false
        /// Whether one threw after it had changed something, so that none can be kept.
        var isSpoilt = false
        /// Whether it took so long that it has to end.
        var isLong = false
        /// The time in which it waited for more.
        var waited = Duration.zero

        /// Whether no more changes can be run.
        var isOver: Bool { isSpoilt || isLong }

        /// Where every change failed there is nothing to commit, and no commit that could fail in their place.
        var canCommit: Bool { hasResult && !isSpoilt }
    }

    /// Runs the changes that were not run yet.
    private func runRest(of group: [Write], _ run: inout GroupRun, since begun: ContinuousClock.Instant) {
        for write in group[run.count...] {
            run.count += 1
            let before = engine.changeCount
            write.run(&engine.writer)
            if write.failed { run.isSpoilt = engine.changeCount != before } else { run.hasResult = true }
            run.isLong = now() - begun > Self.maximumGroupTime
            if run.isOver { return }
        }
    }

    /// Runs those who come back from the last commit as they come, so that they do not wait for each other first.
    private mutating func gatherMore(
        into group: inout [Write], _ run: inout GroupRun, since begun: ContinuousClock.Instant
    ) {
        let patience = gather.patience(with: group.count)
        guard patience > .zero, !run.isOver else { return }
        while !run.isOver, run.count < gather.expected {
            let start = now()
            // Woken for each, the thread would be busy with nothing else.
            let enough = min(gather.expected - run.count, max(1, gather.expected / 4))
            let more = waiting.joining(enough, within: max(patience - run.waited, .zero))
            run.waited += now() - start
            if more.isEmpty { break }
            group += more
            runRest(of: group, &run, since: begun)
        }
        gather.gathered(group.count)
    }
}
