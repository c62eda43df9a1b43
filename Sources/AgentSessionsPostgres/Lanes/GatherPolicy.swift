#if Postgres
/// How long a group waits for more operations before it goes.
///
/// Those who shared the last commit hear of it at the same moment, and most come back at once. Where a commit takes
/// long, waiting for them for a small part of that time lets them share the next one too, rather than have half of them
/// miss it. Where a commit is fast, or one task works alone, there is no wait.
struct GatherPolicy {
    /// The part of the last commit's time that is waited at the most.
    private static let share = 8
    /// The longest wait.
    private static let longest = Duration.milliseconds(2)
    /// A shorter wait costs more than it brings.
    private static let shortest = Duration.microseconds(40)

    private var lastCount = 0
    private var lastTime = Duration.zero

    /// A group was committed.
    mutating func committed(_ count: Int, in time: Duration) {
        lastCount = count
        lastTime = time
    }

    /// How long to wait at the most, with so many operations there already.
    func patience(with count: Int) -> Duration {
        guard lastCount > 1, count < lastCount else { return .zero }
        let patience = min(lastTime / Self.share, Self.longest)
        return patience < Self.shortest ? .zero : patience
    }
}
#endif
