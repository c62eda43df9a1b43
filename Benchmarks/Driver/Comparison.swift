public import AgentSessions

/// A benchmark that was saved, as far as a comparison needs it.
public struct SavedBenchmark: Sendable {
    struct Result: Sendable {
        let key: ResultKey
        let backend: String
        let isRaw: Bool
        let tier: String
        let rates: [Double]
    }

    let results: [Result]

    /// Reads what `--save` wrote.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/invalidArgument`` where it is something else.
    public init(parsing text: String, name: String) throws(StoreError) {
        let limits = JSONLimits(maximumBytes: 1 << 28, maximumDepth: 16)
        guard let object = try? JSONObject(parsing: text, limits: limits),
            let results = object["results"]?.arrayValue
        else {
            throw StoreError(
                .invalidArgument, "\(name) is no saved benchmark: give a file that `bench --save` wrote.")
        }
        var read: [Result] = []
        for (index, value) in results.enumerated() {
            guard let store = value["store"]?.stringValue, let workload = value["workload"]?.stringValue,
                let clients = value["clients"]?.integerValue, let repetitions = value["repetitions"]?.arrayValue
            else {
                throw StoreError(
                    .invalidArgument,
                    "Result \(index + 1) of \(name) lacks store, workload, clients or repetitions: save it anew.")
            }
            read.append(
                Result(
                    key: ResultKey(
                        store: store, workload: workload, clients: Int(clients), rate: value["rate"]?.doubleValue,
                        dataMessages: Int(value["data_messages"]?.integerValue ?? 0)),
                    backend: value["backend"]?.stringValue ?? store, isRaw: value["raw"]?.boolValue ?? false,
                    tier: value["tier"]?.stringValue ?? "",
                    rates: repetitions.compactMap { $0["operations_per_second"]?.doubleValue }))
        }
        self.results = read
    }

    init(_ report: BenchmarkReport) {
        results = report.results.filter(\.isRankable).map {
            Result(key: $0.key, backend: $0.backend, isRaw: $0.isRaw, tier: $0.tier.rawValue, rates: $0.rates)
        }
    }
}

/// What may be said of a workload before and after.
public enum Verdict: String, Sendable {
    /// Faster by ``Comparison/leastEffect`` or more, beyond what chance explains.
    case faster
    /// Slower by as much.
    case slower
    /// The same within ``Comparison/leastEffect``, beyond what chance explains.
    case same
    /// The repetitions differ too much among themselves, or are too few, to say anything.
    case undecided
}

/// Two benchmarks, result by result.
///
/// Where both hold the raw engine of a store, a store is compared by its ratio to the raw engine in the same repetition:
/// what the machine did to both, such as a busy neighbour during one of the benchmarks, falls out. The mean of the
/// logarithms has a confidence interval of 99.9 %, after Welch; a verdict needs an interval that allows it.
public struct Comparison: Sendable {
    /// Differences below this part are not called differences: a build moves code about, and that alone makes a few
    /// percent.
    public static let leastEffect = 0.10

    /// One result before and after.
    public struct Line: Sendable {
        /// Which store, workload and load.
        public let key: ResultKey
        /// The medians, in operations a second.
        public let before: Double
        public let after: Double
        /// How much faster it became: 0.2 for a fifth; `nil` with too few repetitions.
        public let change: Double?
        /// The ends of the change's confidence interval.
        public let interval: ClosedRange<Double>?
        /// Whether the change is that of the ratio to the raw engine.
        public let isAgainstRaw: Bool
        /// What may be said.
        public let verdict: Verdict
    }

    /// The results that both hold.
    public let lines: [Line]
    /// The results that only one of them holds, or holds with another durability.
    public let unmatched: [ResultKey]

    /// Compares.
    public init(_ report: BenchmarkReport, to saved: SavedBenchmark) {
        self.init(before: saved, after: SavedBenchmark(report))
    }

    init(before: SavedBenchmark, after: SavedBenchmark) {
        var lines: [Line] = []
        var unmatched: [ResultKey] = []
        for result in after.results {
            guard let old = before.results.first(where: { $0.key == result.key && $0.tier == result.tier }) else {
                unmatched.append(result.key)
                continue
            }
            lines.append(Self.line(old, result, before, after))
        }
        let kept = Set(lines.map(\.key))
        unmatched += before.results.map(\.key).filter { !kept.contains($0) && !unmatched.contains($0) }
        self.lines = lines
        self.unmatched = unmatched
    }

    private static func line(
        _ old: SavedBenchmark.Result, _ new: SavedBenchmark.Result, _ before: SavedBenchmark, _ after: SavedBenchmark
    ) -> Line {
        let oldRaw = rawRates(of: old, in: before)
        let newRaw = rawRates(of: new, in: after)
        let isAgainstRaw = oldRaw != nil && newRaw != nil
        let left = logarithms(old.rates, over: isAgainstRaw ? oldRaw : nil)
        let right = logarithms(new.rates, over: isAgainstRaw ? newRaw : nil)
        let medians = (Statistics.median(old.rates) ?? 0, Statistics.median(new.rates) ?? 0)
        guard let (difference, halfWidth) = Statistics.welch(left, right) else {
            return Line(
                key: new.key, before: medians.0, after: medians.1, change: nil, interval: nil,
                isAgainstRaw: isAgainstRaw, verdict: .undecided)
        }
        let interval =
            Statistics.exponential(difference - halfWidth) - 1...Statistics.exponential(difference + halfWidth) - 1
        let change = Statistics.exponential(difference) - 1
        return Line(
            key: new.key, before: medians.0, after: medians.1, change: change, interval: interval,
            isAgainstRaw: isAgainstRaw, verdict: verdict(change, interval))
    }

    /// What a change with its confidence interval allows to say.
    static func verdict(_ change: Double, _ interval: ClosedRange<Double>) -> Verdict {
        if change >= leastEffect, interval.lowerBound > 0 { return .faster }
        if change <= -leastEffect, interval.upperBound < 0 { return .slower }
        if interval.lowerBound > -leastEffect, interval.upperBound < leastEffect { return .same }
        return .undecided
    }

    /// The rates of the raw engine below a store, a repetition each.
    private static func rawRates(of result: SavedBenchmark.Result, in benchmark: SavedBenchmark) -> [Double]? {
        guard !result.isRaw else { return nil }
        return benchmark.results.first {
            $0.isRaw && $0.backend == result.backend && $0.key.workload == result.key.workload
                && $0.key.clients == result.key.clients && $0.key.dataMessages == result.key.dataMessages
                && result.key.rate == nil && $0.rates.count == result.rates.count
        }?.rates
    }

    private static func logarithms(_ rates: [Double], over raw: [Double]?) -> [Double] {
        guard let raw else { return rates.filter { $0 > 0 }.map(Statistics.logarithm) }
        return zip(rates, raw).filter { $0 > 0 && $1 > 0 }.map { Statistics.logarithm($0 / $1) }
    }
}

extension Comparison {
    /// The comparison as JSON.
    public var json: JSONValue {
        .array(
            lines.map { line in
                [
                    "store": .string(line.key.store), "workload": .string(line.key.workload),
                    "clients": .integer(Int64(line.key.clients)), "rate": .number(line.key.rate, decimals: 3),
                    "data_messages": .integer(Int64(line.key.dataMessages)),
                    "before": .number(line.before, decimals: 2), "after": .number(line.after, decimals: 2),
                    "change": .number(line.change, decimals: 4),
                    "change_low": .number(line.interval?.lowerBound, decimals: 4),
                    "change_high": .number(line.interval?.upperBound, decimals: 4),
                    "against_raw": .bool(line.isAgainstRaw), "verdict": .string(line.verdict.rawValue),
                ]
            })
    }

    /// The comparison as a Markdown table, what differs first.
    public var markdown: String {
        let order: [Verdict] = [.slower, .faster, .undecided, .same]
        let sorted = order.flatMap { verdict in lines.filter { $0.verdict == verdict } }
        var table = MarkdownTable(
            ["verdict", "workload", "store", "clients", "before/s", "after/s", "change", "99.9 % interval"],
            numbers: 3...7)
        for line in sorted {
            table.add([
                line.verdict.rawValue, line.key.workload, line.key.store, "\(line.key.clients)", line.before.short,
                line.after.short, line.change.map(percent) ?? "–",
                line.interval.map { "\(percent($0.lowerBound)) … \(percent($0.upperBound))" } ?? "–",
            ])
        }
        let counts = order.map { verdict in "\(lines.count { $0.verdict == verdict }) \(verdict.rawValue)" }
        return "## Compared\n\n\(counts.joined(separator: ", ")). A store whose raw engine was measured both times is "
            + "compared by its ratio to it, so that a busier machine falls out.\n\n" + table.text
    }

    private func percent(_ part: Double) -> String {
        (part >= 0 ? "+" : "") + (part * 100).formatted(decimals: 1) + " %"
    }
}
