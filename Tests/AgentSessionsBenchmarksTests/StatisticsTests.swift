import AgentSessions
import Testing

@testable import AgentSessionsBenchmarks

@Suite("Statistics and verdicts")
struct StatisticsTests {
    @Test("The median is the middle value, or the mean of the two middle values")
    func median() {
        #expect(Statistics.median([]) == nil)
        #expect(Statistics.median([3, 1, 2]) == 2)
        #expect(Statistics.median([4, 1, 3, 2]) == 2.5)
    }

    @Test("The spread is the range as a part of the median")
    func spread() throws {
        #expect(Statistics.spread([5]) == nil)
        #expect(try #require(Statistics.spread([90, 100, 120])) == 0.3)
    }

    @Test("Welch's interval is as computed by hand")
    func welch() throws {
        // Variances 1 and 4, each over 3 values: 5/3; degrees of freedom (5/3)² / ((1/3)²/2 + (4/3)²/2) = 2.94.
        let (difference, halfWidth) = try #require(Statistics.welch([1, 2, 3], [8, 10, 12]))
        #expect(difference == 8)
        #expect(abs(halfWidth - 31.60 * (5.0 / 3).squareRoot()) < 1e-9)
        #expect(Statistics.welch([1, 2], [1, 2, 3]) == nil)
    }

    @Test("Percentiles are exact to a thousandth and never beyond the maximum")
    func percentiles() throws {
        var latencies = Latencies()
        #expect(latencies.percentile(50) == nil)
        for value in 1...10_000 as ClosedRange<UInt64> { latencies.record(value * 1000) }
        for (percent, expected) in [(50.0, 5000.0), (99, 9900), (99.9, 9990), (100, 10_000)] {
            let found = try #require(latencies.percentile(percent))
            #expect(abs(found - expected) <= expected / 1000)
        }
        #expect(latencies.maximum == 10_000_000)
        var other = Latencies()
        other.record(20_000_000)
        latencies.add(other)
        #expect(latencies.percentile(100) == 20_000)
        #expect(latencies.count == 10_001)
    }

    private func saved(_ rates: [Double], raw: [Double]? = nil) throws -> SavedBenchmark {
        func result(_ store: String, _ isRaw: Bool, _ rates: [Double]) -> String {
            let repetitions = rates.map { "{\"operations_per_second\":\($0)}" }.joined(separator: ",")
            return """
                {"store":"\(store)","backend":"sqlite","raw":\(isRaw),"workload":"message_append","clients":1,\
                "data_messages":100,"tier":"T2","repetitions":[\(repetitions)]}
                """
        }
        let results = [result("sqlite", false, rates)] + (raw.map { [result("raw-sqlite", true, $0)] } ?? [])
        return try SavedBenchmark(parsing: "{\"results\":[\(results.joined(separator: ","))]}", name: "test")
    }

    private func verdict(_ before: SavedBenchmark, _ after: SavedBenchmark) throws -> Verdict {
        try #require(Comparison(before: before, after: after).lines.first { $0.key.store == "sqlite" }).verdict
    }

    @Test(
        "A verdict needs an effect that the spread does not explain",
        arguments: [
            ([1000, 1010, 990, 1005, 995], [800, 805, 795, 810, 790], Verdict.slower),
            ([1000, 1010, 990, 1005, 995], [1250, 1240, 1260, 1245, 1255], .faster),
            ([1000, 1010, 990, 1005, 995], [1002, 998, 1008, 992, 1000], .same),
            ([1000, 1300, 700, 1100, 900], [800, 1100, 500, 900, 700], .undecided),
            ([1000, 1010], [500, 505], .undecided),
            ([1000, 1001, 999, 1000, 1000], [950, 951, 949, 950, 950], .same),
        ] as [([Double], [Double], Verdict)])
    func verdicts(_ before: [Double], _ after: [Double], _ expected: Verdict) throws {
        #expect(try verdict(saved(before), saved(after)) == expected)
    }

    @Test("A slower machine, on which the raw engine is slower too, does not make a store slower")
    func drift() throws {
        let before = try saved([900, 880, 910, 905, 890], raw: [1000, 980, 1010, 1005, 990])
        let after = try saved([450, 440, 455, 452, 445], raw: [500, 490, 505, 502, 495])
        #expect(try verdict(before, after) == .same)
        let worse = try saved([360, 352, 364, 361, 356], raw: [500, 490, 505, 502, 495])
        #expect(try verdict(before, worse) == .slower)
        // The raw engine itself is compared by its own figures.
        let raw = try #require(Comparison(before: before, after: after).lines.first { $0.key.store == "raw-sqlite" })
        #expect(raw.verdict == .slower)
        #expect(!raw.isAgainstRaw)
    }

    @Test("A file that is not a saved benchmark is refused", arguments: ["", "[]", "{}", "{\"results\":[{}]}"])
    func refusals(_ text: String) {
        #expect(throws: StoreError.self) { try SavedBenchmark(parsing: text, name: "x.json") }
    }

    @Test(
        "Figures are written with three significant digits",
        arguments: [(43_612.4, "43,612"), (868.2, "868"), (12.34, "12.3"), (1.0, "1.00"), (0.0421, "0.042")])
    func figures(_ value: Double, _ expected: String) {
        #expect(value.short == expected)
    }

    @Test("Decimals are rounded and padded")
    func decimals() {
        #expect(1.005.formatted(decimals: 1) == "1.0")
        #expect((-0.05).formatted(decimals: 2) == "-0.05")
        #expect(2.0.formatted(decimals: 2) == "2.00")
    }
}
