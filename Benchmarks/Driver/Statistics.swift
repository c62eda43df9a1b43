#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What is computed of a handful of repetitions.
enum Statistics {
    /// The value in the middle, or the mean of the two; `nil` of none.
    static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    /// The distance from the smallest to the largest, as a part of the median; `nil` of fewer than two.
    static func spread(_ values: [Double]) -> Double? {
        guard values.count > 1, let median = median(values), median > 0, let low = values.min(), let high = values.max()
        else { return nil }
        return (high - low) / median
    }

    static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// The unbiased variance.
    static func variance(_ values: [Double]) -> Double {
        let mean = mean(values)
        return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
    }

    /// The difference of two means with the half-width of its confidence interval, after Welch, "The generalization of
    /// Student's problem when several different population variances are involved", 1947.
    ///
    /// - Returns: `nil` where either has fewer than three values.
    static func welch(_ left: [Double], _ right: [Double]) -> (difference: Double, halfWidth: Double)? {
        guard left.count >= 3, right.count >= 3 else { return nil }
        let (a, b) = (variance(left) / Double(left.count), variance(right) / Double(right.count))
        let difference = mean(right) - mean(left)
        guard a + b > 0 else { return (difference, 0) }
        let freedom =
            (a + b) * (a + b) / (a * a / Double(left.count - 1) + b * b / Double(right.count - 1))
        return (difference, studentQuantile(freedom) * (a + b).squareRoot())
    }

    /// Student's t for a two-sided confidence of 99.9 %, so that of the hundred cells of two equal runs hardly one is
    /// called different. Between the degrees of freedom of the table, the smaller counts.
    static func studentQuantile(_ freedom: Double) -> Double {
        let table: [Double] = [
            636.6, 31.60, 12.92, 8.610, 6.869, 5.959, 5.408, 5.041, 4.781, 4.587, 4.437, 4.318, 4.221, 4.140, 4.073,
            4.015, 3.965, 3.922, 3.883, 3.850,
        ]
        let degrees = max(1, Int(freedom))
        return degrees <= table.count ? table[degrees - 1] : degrees <= 60 ? 3.850 : 3.460
    }

    static func logarithm(_ value: Double) -> Double { log(value) }
    static func exponential(_ value: Double) -> Double { exp(value) }
}
