/// How long a group waits for more operations before it is committed (PostgreSQL's `commit_delay`).
///
/// The callers of one commit are answered at the same moment, and most come back at once with their next operation.
/// Where a commit takes long, it is worth waiting for them for a part of that time: they then share the next commit
/// with the operations that are queued already. Otherwise callers split into two halves that alternate, and each waits
/// for two commits. There is no delay where commits are fast or a single task works; it shrinks where callers do not
/// come back.
package struct GroupCommitDelay {
    /// The longest delay is the time of the last commit divided by this: at first, and after many delays in vain.
    private static let shares = 3...96
    /// The longest delay.
    private static let longest = Duration.milliseconds(4)
    /// A shorter delay costs more than it gains.
    private static let shortest = Duration.microseconds(40)

    private var share = shares.lowerBound
    /// How many operations the next group should have.
    package private(set) var expected = 0
    private var lastTime = Duration.zero
    /// The time of the fastest recent commit. It grows a little with each commit, so that an old one is forgotten.
    private var fastest: Duration?
    private let leastTime: Duration

    /// - Parameter leastTime: There is no delay where the fastest recent commit took less than this. It is for engines
    ///   that commit several groups at a time, where small groups cost little.
    package init(leastTime: Duration = .zero) {
        self.leastTime = leastTime
    }

    /// Notes that a group was committed, before its callers are answered.
    ///
    /// - Parameters:
    ///   - count: Operations of the group.
    ///   - waiting: Operations that were queued in the meantime.
    ///   - time: How long the commit took.
    package mutating func committed(_ count: Int, waiting: Int, in time: Duration) {
        expected = count + waiting
        lastTime = time
        fastest = fastest.map { min($0 + $0 / 64, time) } ?? time
    }

    /// The longest delay for a group that has `count` operations already.
    package func patience(with count: Int) -> Duration {
        guard expected > 1, count < expected, let fastest, fastest >= leastTime else { return .zero }
        let patience = min(lastTime / share, Self.longest)
        return patience < Self.shortest ? .zero : patience
    }

    /// Notes that a group has `count` operations after a delay.
    package mutating func gathered(_ count: Int) {
        // Three quarters are enough: some tasks end, or do something else in between.
        let hasPaid = count * 4 >= expected * 3
        share = hasPaid ? Self.shares.lowerBound : min(share * 2, Self.shares.upperBound)
    }
}
