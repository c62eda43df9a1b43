import AgentSessions

extension BenchmarkReport {
    /// The report as Markdown: a table a durability tier, and what it ran on.
    public var markdown: String {
        var parts = ["# Benchmark"]
        parts += warnings.map { "> \($0)" }
        for tier in DurabilityTier.allCases.reversed() {
            let rankings = rankings.filter { $0.subject.tier == tier }
            guard !rankings.isEmpty else { continue }
            parts.append("## \(tier.rawValue): \(tier.heading)")
            parts.append(table(of: rankings))
        }
        parts.append("## Environment")
        parts.append(environment.markdown)
        return parts.joined(separator: "\n\n")
    }

    private func table(of rankings: [Ranking]) -> String {
        let manySizes = Set(results.map(\.key.dataMessages)).count > 1
        var titles = [
            "workload", "clients", "store", "operations/s", "spread", "p50 µs", "p99 µs", "p99.9 µs", "of raw",
        ]
        if manySizes { titles.insert("messages", at: 1) }
        var table = MarkdownTable(titles, numbers: manySizes ? 3...9 : 3...8)
        for ranking in rankings {
            for result in ranking.results {
                var cells = [
                    result.key.workload + (result.key.rate.map { " at \($0.short)/s" } ?? ""), "\(result.key.clients)",
                    result.key.store,
                    result.problem == nil ? result.operationsPerSecond.short : "not verified",
                    result.spread.map { ($0 * 100).formatted(decimals: 0) + " %" } ?? "–",
                ]
                if result.isSaturated {
                    cells += ["saturated", "–", "–"]
                } else {
                    cells += [50, 99, 99.9].map { result.latencies.percentile($0)?.short ?? "–" }
                }
                cells.append(ratioToRaw(result).map { $0.formatted(decimals: 2) } ?? "–")
                if manySizes { cells.insert("\(result.key.dataMessages)", at: 1) }
                table.add(cells)
            }
        }
        return table.text
    }
}

extension BenchmarkEnvironment {
    /// What the benchmark ran on, as a list.
    var facts: [(name: String, value: String)] {
        let mebibytes = (Double(memoryBytes) / Double(1 << 20)).short
        return [
            ("build", build), ("started", startedAt.description),
            (
                "machine",
                "\(processor), \(cores) cores, \(mebibytes) MiB, load average \(loadAverage.formatted(decimals: 2))"
            ),
            ("system", "\(system), \(filesystem)"),
            ("corpus", "\(corpus): \(corpusMessages) messages, \(corpusBytes) bytes, seed \(options.seed)"),
            ("messages in a store", options.sizes.map { "\($0)" }.joined(separator: ", ")),
            (
                "runs",
                "\(options.repetitions) of \((options.duration / .seconds(1)).formatted(decimals: 2)) s after "
                    + "\((options.warmUp / .seconds(1)).formatted(decimals: 2)) s of warm-up; stores take turns"
            ),
        ]
            + stores.map { store in
                (
                    store.store,
                    "\(store.tier.rawValue); "
                        + store.settings.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
                )
            }
    }

    fileprivate var markdown: String {
        facts.map { "- **\($0.name)**: \($0.value)" }.joined(separator: "\n")
    }
}

extension DurabilityTier {
    /// What a section of a report is called.
    var heading: String {
        switch self {
        case .memory: "gone with the process"
        case .processCrash: "survives a crash of the process"
        case .powerLoss: "survives the loss of power"
        }
    }
}

/// A table in Markdown, its columns lined up so that it reads as plain text too.
struct MarkdownTable {
    private var rows: [[String]]
    private let numbers: ClosedRange<Int>

    /// - Parameter numbers: The columns that are lined up on the right.
    init(_ titles: [String], numbers: ClosedRange<Int>) {
        rows = [titles]
        self.numbers = numbers
    }

    mutating func add(_ cells: [String]) {
        rows.append(cells.map { $0.replacing("|", with: "\\|").replacing("\n", with: " ") })
    }

    var text: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { cells in
            let padded = cells.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return numbers.contains(column) ? space + cell : cell + space
            }
            return "| " + padded.joined(separator: " | ") + " |"
        }
        let rules = widths.enumerated().map { column, width in
            String(repeating: "-", count: width - (numbers.contains(column) ? 1 : 0))
                + (numbers.contains(column) ? ":" : "")
        }
        lines.insert("| " + rules.joined(separator: " | ") + " |", at: 1)
        return lines.joined(separator: "\n")
    }
}
