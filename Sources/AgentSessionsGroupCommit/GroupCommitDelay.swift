/// How long a group waits for more operations before it goes.
///
/// Those who shared a commit hear of it at the same moment, and most come back at once. Where a commit takes long,
/// waiting for them for a part of that time lets them share the next one with those who wait already; otherwise the two
/// halves take turns for ever, and each waits for two commits. Where a commit is fast, or one task works alone, nobody
/// waits; where nobody comes back, less and less.
package struct GroupCommitDelay {
    /// The part of the last commit's time that is waited at the most, at first and at last: one in so many.
    private static let shares = 3...96
    /// The longest wait.
    private static let longest = Duration.milliseconds(4)
    /// A shorter wait costs more than it brings.
    private static let shortest = Duration.microseconds(40)

    private var share = shares.lowerBound
    /// Operations that are waited for.
    package private(set) var expected = 0
    private var lastTime = Duration.zero
    /// The fastest of the last commits: one that was faster than those of today is forgotten little by little.
    private var fastest: Duration?
    private let leastTime: Duration

    /// - Parameter leastTime: Nobody is waited for where the fastest of the last commits took less: for engines that
    ///   commit several groups at a time, of which the small ones then lose little.
    package init(leastTime: Duration = .zero) {
        self.leastTime = leastTime
    }

    /// A group was committed, and its members are about to hear of it.
    ///
    /// - Parameters:
    ///   - count: Its members.
    ///   - waiting: Operations that came in the meantime.
    ///   - time: How long it took.
    package mutating func committed(_ count: Int, waiting: Int, in time: Duration) {
        expected = count + waiting
        lastTime = time
        fastest = fastest.map { min($0 + $0 / 64, time) } ?? time
    }

    /// How long to wait at the most, with so many operations there already.
    package func patience(with count: Int) -> Duration {
        guard expected > 1, count < expected, let fastest, fastest >= leastTime else { return .zero }
        let patience = min(lastTime / share, Self.longest)
        return patience < Self.shortest ? .zero : patience
    }

    /// A group was waited for, and so many operations are there now.
    package mutating func gathered(_ count: Int) {
        // Most of them will do: some tasks end, or do something else in between.
        let hasPaid = count * 4 >= expected * 3
        share = hasPaid ? Self.shares.lowerBound : min(share * 2, Self.shares.upperBound)
    }
}
