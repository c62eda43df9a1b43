/// How long and how often the service tries again what failed for a passing reason.
///
/// Only errors that say that nothing was written (``StoreError/isTransient``) are tried again, and only whole calls.
/// The pause before attempt *n* is drawn evenly from zero to `baseDelay` · 2ⁿ⁻², but at most `maximumDelay`: "full
/// jitter", <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.
public struct RetryPolicy: Sendable, Hashable {
    /// Attempts in all, the first one included; at least one.
    public var maximumAttempts: Int
    /// The bound on the first pause.
    public var baseDelay: Duration
    /// The bound on any pause.
    public var maximumDelay: Duration
    /// No attempt begins later than this after the first.
    public var totalTime: Duration

    /// Five attempts within fifteen seconds.
    public static let standard = RetryPolicy()
    /// One attempt.
    public static let never = RetryPolicy(maximumAttempts: 1)

    /// A policy.
    public init(
        maximumAttempts: Int = 5, baseDelay: Duration = .milliseconds(20), maximumDelay: Duration = .seconds(1),
        totalTime: Duration = .seconds(15)
    ) {
        self.maximumAttempts = max(1, maximumAttempts)
        self.baseDelay = baseDelay
        self.maximumDelay = maximumDelay
        self.totalTime = totalTime
    }

    /// The pause before an attempt; the second one is number 2.
    ///
    /// - Parameters:
    ///   - attempt: The number of the attempt.
    ///   - jitter: Which part of the longest pause to take, drawn evenly from 0 to 1.
    func delay(beforeAttempt attempt: Int, jitter: Double) -> Duration {
        var bound = max(.zero, min(baseDelay, maximumDelay))
        var doublings = attempt - 2
        while doublings > 0, bound > .zero, bound < maximumDelay {
            // Subtracting before doubling cannot overflow, whatever delays were configured.
            bound = bound < maximumDelay - bound ? bound + bound : maximumDelay
            doublings -= 1
        }
        // A product with a floating-point number may be rounded up.
        return min(bound * jitter, bound)
    }
}
