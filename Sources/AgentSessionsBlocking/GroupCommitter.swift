import AgentSessions
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
    private let clock = ContinuousClock()
    private let metrics: CommitMetrics
    private let arrivals: BlockingQueue<Write>
    private var gather = GatherPolicy()

    /// - Parameters:
    ///   - engine: What the groups are run on.
    ///   - metrics: What is counted and timed.
    ///   - arrivals: Changes that come while a group is run.
    init(engine: Engine, metrics: CommitMetrics, arrivals: BlockingQueue<Write> = BlockingQueue()) {
        self.engine = engine
        self.metrics = metrics
        self.arrivals = arrivals
    }

    /// Runs and answers every change of a group, and those that join it.
    mutating func run(_ group: [Write]) {
        var pending = group
        while !pending.isEmpty { commitFirst(of: &pending) }
    }

    /// Runs as many changes as fit one transaction, and answers them.
    private mutating func commitFirst(of pending: inout [Write]) {
        let start = clock.now
        var run = GroupRun()
        do {
            try engine.begin()
            // From here: a long wait for the lock is no reason to make small groups, on the contrary.
            let begun = clock.now
            runRest(of: pending, &run, since: begun)
            gatherMore(into: &pending, &run, since: begun)
            if run.canCommit {
                try engine.commit()
            } else {
                engine.rollback()
            }
        } catch {
            // Nothing of the group is stored, unless the engine does not know: then nobody hears success.
            let whole = run.count == 0 ? pending : Array(pending.prefix(run.count))
            pending.removeFirst(whole.count)
            if error.code != .outcomeUnknown, run.count > 1 {
                for write in whole { commitAlone(write) }
            } else {
                for write in whole { answer(write, with: error) }
            }
            return
        }
        let taken = Array(pending.prefix(run.count))
        pending.removeFirst(run.count)
        if run.canCommit {
            let time = clock.now - start - run.waited
            metrics.groupSize.record(taken.count)
            metrics.commitTime.recordNanoseconds(time.wholeNanoseconds)
            // Counted before anybody is answered, as who is back already must not count twice.
            gather.committed(taken.count, waiting: pending.count + arrivals.count, in: time)
        }
        for write in taken {
            if run.isSpoilt, taken.count > 1 { commitAlone(write) } else { write.answer() }
        }
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
    private func runRest(of pending: [Write], _ run: inout GroupRun, since begun: ContinuousClock.Instant) {
        for write in pending[run.count...] {
            run.count += 1
            let before = engine.changeCount
            write.run(&engine.writer)
            if write.failed { run.isSpoilt = engine.changeCount != before } else { run.hasResult = true }
            run.isLong = clock.now - begun > Self.maximumGroupTime
            if run.isOver { return }
        }
    }

    /// Runs those who come back from the last commit as they come, so that they do not wait for each other first.
    private mutating func gatherMore(
        into pending: inout [Write], _ run: inout GroupRun, since begun: ContinuousClock.Instant
    ) {
        let patience = gather.patience(with: pending.count)
        guard patience > .zero, !run.isOver else { return }
        while !run.isOver, run.count < gather.expected {
            let start = clock.now
            // Woken for each, the thread would be busy with nothing else.
            let enough = min(gather.expected - run.count, max(1, gather.expected / 4))
            let more = arrivals.takeAll(awaiting: enough, within: max(patience - run.waited, .zero))
            run.waited += clock.now - start
            if more.isEmpty { break }
            pending += more
            runRest(of: pending, &run, since: begun)
        }
        gather.gathered(pending.count)
    }

    private func commitAlone(_ write: Write) {
        do {
            try engine.begin()
            write.run(&engine.writer)
            if write.failed {
                engine.rollback()
            } else {
                try engine.commit()
            }
            write.answer()
        } catch {
            answer(write, with: error)
        }
    }

    private func answer(_ write: Write, with error: StoreError) {
        write.fail(error)
        write.answer()
    }
}
