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
    /// A group is committed after this long, so that a large change in it does not keep the others waiting for more.
    private static var maximumGroupTime: Duration { .milliseconds(20) }

    /// Whom the next group waits for.
    var gather = GatherPolicy()

    private let engine: Engine
    private let clock = ContinuousClock()
    private let metrics: CommitMetrics
    private let waiting: () -> Int

    /// - Parameters:
    ///   - engine: What the groups are run on.
    ///   - metrics: What is counted and timed.
    ///   - waiting: How many changes have come since the group was taken.
    init(engine: Engine, metrics: CommitMetrics, waiting: @escaping () -> Int = { 0 }) {
        self.engine = engine
        self.metrics = metrics
        self.waiting = waiting
    }

    /// Runs and answers every change of a group.
    mutating func run(_ group: [PendingWrite<Engine.Writer>]) {
        var rest = group[...]
        while !rest.isEmpty {
            let shared = commitFirst(of: rest)
            rest = rest.dropFirst(shared)
        }
    }

    /// Runs as many changes as fit one transaction, and answers them.
    ///
    /// - Returns: How many.
    private mutating func commitFirst(of group: ArraySlice<PendingWrite<Engine.Writer>>) -> Int {
        let start = clock.now
        var taken: [PendingWrite<Engine.Writer>] = []
        var isSpoilt = false
        var hasResult = false
        do {
            try engine.begin()
            // From here: a long wait for the lock is no reason to make small groups, on the contrary.
            let begun = clock.now
            for write in group {
                taken.append(write)
                let before = engine.changeCount
                write.run(&engine.writer)
                isSpoilt = write.failed && engine.changeCount != before
                if isSpoilt || clock.now - begun > Self.maximumGroupTime { break }
            }
            // Where every change failed there is nothing to commit, and no commit that could fail in their place.
            hasResult = !isSpoilt && taken.contains { !$0.failed }
            if hasResult {
                try engine.commit()
            } else {
                engine.rollback()
            }
        } catch {
            // Nothing of the group is stored, unless the engine does not know: then nobody hears success.
            let whole = taken.isEmpty ? Array(group) : taken
            if error.code != .outcomeUnknown, !taken.isEmpty, whole.count > 1 {
                for write in whole { commitAlone(write) }
            } else {
                for write in whole { answer(write, with: error) }
            }
            return whole.count
        }
        if hasResult {
            let time = clock.now - start
            metrics.groupSize.record(taken.count)
            metrics.commitTime.recordNanoseconds(time.wholeNanoseconds)
            // Counted before anybody is answered, as who is back already must not count twice.
            gather.committed(taken.count, waiting: group.count - taken.count + waiting(), in: time)
        }
        for write in taken {
            if isSpoilt, taken.count > 1 { commitAlone(write) } else { write.answer() }
        }
        return taken.count
    }

    private func commitAlone(_ write: PendingWrite<Engine.Writer>) {
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

    private func answer(_ write: PendingWrite<Engine.Writer>, with error: StoreError) {
        write.fail(error)
        write.answer()
    }
}
