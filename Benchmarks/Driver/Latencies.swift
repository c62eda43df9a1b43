internal import Histogram

/// How long calls took: a histogram of high dynamic range, which keeps three digits of each value from a nanosecond to
/// an hour in constant memory, and the exact maximum.
struct Latencies: Sendable {
    private static let hour: UInt64 = 3_600_000_000_000

    private var histogram = Histogram<UInt32>(
        lowestDiscernibleValue: 1, highestTrackableValue: hour, numberOfSignificantValueDigits: .three)
    /// The longest, in nanoseconds.
    private(set) var maximum: UInt64 = 0

    /// The number of calls.
    var count: UInt64 { histogram.totalCount }

    mutating func record(_ nanoseconds: UInt64) {
        histogram.record(min(nanoseconds, Self.hour))
        maximum = max(maximum, nanoseconds)
    }

    mutating func add(_ other: Latencies) {
        histogram.add(other.histogram)
        maximum = max(maximum, other.maximum)
    }

    /// The time in microseconds that so many percent of the calls did not exceed; `nil` where there was none.
    func percentile(_ percent: Double) -> Double? {
        guard count > 0 else { return nil }
        // A value stands for its whole bucket, whose end may lie beyond the maximum.
        return Double(min(histogram.valueAtPercentile(percent), maximum)) / 1000
    }
}
