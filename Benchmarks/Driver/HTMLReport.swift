import AgentSessions

extension BenchmarkReport {
    /// The report as one HTML page that needs nothing from outside: charts, tables, and what it ran on.
    ///
    /// - Parameter comparison: What to say beside an earlier benchmark.
    public func html(comparison: Comparison? = nil) -> String {
        var body = ["<h1>Benchmark of session stores</h1>"]
        body += warnings.map { "<p class=\"warning\">\(escaped($0))</p>" }
        body.append(
            "<p>Stores are compared within a durability tier only: one that does not wait for the disk does less. "
                + "Whiskers reach from the slowest to the fastest repetition, bars to the median.</p>")
        for tier in DurabilityTier.allCases.reversed() where results.contains(where: { $0.tier == tier }) {
            body.append("<h2>\(tier.rawValue): \(escaped(tier.heading))</h2>")
            body += sections(of: tier)
        }
        if let comparison { body.append(pre(comparison.markdown)) }
        body.append("<h2>What it ran on</h2>\n<dl>")
        body += environment.facts.map { "<dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd>" }
        body.append("</dl>")
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Benchmark of session stores</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            \(body.joined(separator: "\n"))
            </body>
            </html>

            """
    }

    private static let style = """
        :root { color-scheme: light dark; --line: #8884; }
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
        h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(27rem, 1fr)); gap: 1.5rem; }
        figure { margin: 0; } figcaption { font-weight: 600; }
        svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; } svg text { fill: currentColor; }
        table { border-collapse: collapse; font-size: 13px; margin: 1rem 0; display: block; overflow-x: auto; }
        td, th { padding: .15rem .6rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
        .number { text-align: right; font-variant-numeric: tabular-nums; }
        .warning { background: #e6a70033; border-left: 4px solid #e6a700; padding: .4rem .8rem; }
        pre { overflow-x: auto; font-size: 12px; } dt { font-weight: 600; } dd { margin: 0 0 .5rem; }
        """

    private func sections(of tier: DurabilityTier) -> [String] {
        let mine = results.filter { $0.tier == tier }
        let charts: [(String, [String])] = [
            ("Throughput by clients", throughput(mine)), ("Overhead against the raw engine", overhead(mine)),
            ("Latency", latency(mine)), ("Cost against data size", growth(mine)),
        ]
        var parts: [String] = []
        for (title, figures) in charts where !figures.isEmpty {
            parts.append("<h3>\(title)</h3>\n<div class=\"charts\">\n\(figures.joined(separator: "\n"))\n</div>")
        }
        parts.append("<h3>Figures</h3>\n" + table(rankings.filter { $0.subject.tier == tier }))
        return parts
    }

    // MARK: Charts

    private var largest: Int { results.map(\.key.dataMessages).max() ?? 0 }

    /// Workloads of these results that ran in a closed loop on the largest data, in order, with their results.
    private func byWorkload(_ results: [BenchmarkResult]) -> [(name: String, results: [BenchmarkResult])] {
        let closed = results.filter { $0.key.rate == nil && $0.key.dataMessages == largest && $0.isRankable }
        var names: [String] = []
        for result in closed where !names.contains(result.key.workload) { names.append(result.key.workload) }
        // Stores take turns to be first; on the page each has its place.
        let places = stores
        return names.map { name in
            let mine = closed.filter { $0.key.workload == name }
            return (name, places.flatMap { store in mine.filter { $0.key.store == store } })
        }
    }

    /// The stores of the report in an order of their own: by backend, a raw engine after its store.
    private var stores: [String] {
        Set(results.map { [$0.backend, $0.isRaw ? "1" : "0", $0.key.store] })
            .sorted { $0.lexicographicallyPrecedes($1) }.map { $0[2] }
    }

    private func throughput(_ results: [BenchmarkResult]) -> [String] {
        byWorkload(results).map { name, results in
            BarChart(
                title: "\(name), operations a second",
                groups: Set(results.map(\.key.clients)).sorted().map { clients in
                    BarChart.Group(
                        name: clients == 1 ? "1 client" : "\(clients) clients",
                        bars: results.filter { $0.key.clients == clients }.map { result in
                            BarChart.Bar(
                                name: result.key.store, value: result.operationsPerSecond,
                                range: (result.rates.min() ?? 0)...(result.rates.max() ?? 0),
                                color: color(of: result.key.store))
                        })
                }
            ).svg
        }
    }

    private func overhead(_ results: [BenchmarkResult]) -> [String] {
        let backends = Set(results.map(\.backend)).sorted()
        return backends.compactMap { backend in
            let bars = results.filter { $0.backend == backend && $0.key.dataMessages == largest }.compactMap { result in
                ratioToRaw(result).map { ratio in
                    BarChart.Bar(
                        name: "\(result.key.workload), \(result.key.clients)", value: ratio,
                        range: ratio...ratio, color: color(of: result.key.store))
                }
            }
            guard !bars.isEmpty else { return nil }
            return BarChart(
                title: "\(backend): part of the raw engine's rate, by workload and clients",
                groups: [BarChart.Group(name: "", bars: bars)], mark: 1
            ).svg
        }
    }

    private func latency(_ results: [BenchmarkResult]) -> [String] {
        let open = results.filter { $0.key.rate != nil && $0.isRankable }
        let shown = byWorkload(results).map { ($0.name, $0.results) } + (open.isEmpty ? [] : [("open loop", open)])
        return shown.compactMap { name, results in
            let lines = results.filter { $0.latencies.count > 1 }.map { result in
                let latencies = result.latencies
                let load = result.key.rate.map { "\(result.key.workload) at \($0.short)/s" } ?? "\(result.key.clients)"
                return LineChart.Line(
                    name: "\(result.key.store), \(load)", color: color(of: result.key.store),
                    isDashed: result.key.clients > 1,
                    points: Self.percentiles.enumerated().compactMap { index, percentile in
                        latencies.percentile(percentile).map { (Double(index), $0) }
                    })
            }
            guard !lines.isEmpty else { return nil }
            return LineChart(
                title: "\(name), µs by percentile", lines: lines,
                ticks: Self.percentiles.enumerated().map { (Double($0), $1 == 100 ? "max" : "\($1.short(of: 2))") }
            ).svg
        }
    }

    private static let percentiles: [Double] = [50, 75, 90, 95, 99, 99.9, 99.99, 100]

    private func growth(_ results: [BenchmarkResult]) -> [String] {
        let sizes = Set(results.map(\.key.dataMessages)).sorted()
        guard sizes.count > 1 else { return [] }
        return Workload.all.map(\.name).compactMap { name in
            let mine = results.filter { $0.key.workload == name && $0.key.rate == nil && $0.isRankable }
            let series = Dictionary(grouping: mine) { "\($0.key.store), \($0.key.clients)" }
            let lines = series.sorted { $0.key < $1.key }.map { label, results in
                LineChart.Line(
                    name: label, color: color(of: results[0].key.store), isDashed: results[0].key.clients > 1,
                    points: results.sorted { $0.key.dataMessages < $1.key.dataMessages }.compactMap { result in
                        let place = sizes.firstIndex(of: result.key.dataMessages)
                        return place.map { (Double($0), 1e6 / result.operationsPerSecond) }
                    })
            }
            guard !lines.isEmpty else { return nil }
            return LineChart(
                title: "\(name), µs an operation by messages in the store", lines: lines,
                ticks: sizes.enumerated().map { (Double($0), Double($1).short) }
            ).svg
        }
    }

    /// Each store has one colour throughout; a raw engine has a paler one of its store's.
    private func color(of store: String) -> String {
        let colors = ["#0b7285", "#c2410c", "#6d28d9", "#4d7c0f", "#be185d", "#a16207"]
        let backend = results.first { $0.key.store == store }?.backend ?? store
        var backends: [String] = []
        for result in results where !backends.contains(result.backend) { backends.append(result.backend) }
        let base = colors[(backends.firstIndex(of: backend) ?? 0) % colors.count]
        return results.contains { $0.key.store == store && $0.isRaw } ? base + "77" : base
    }

    // MARK: Tables

    private func table(_ rankings: [Ranking]) -> String {
        let titles = [
            "workload", "clients", "messages", "store", "operations/s", "spread", "p50 µs", "p99 µs", "p99.9 µs",
            "max µs", "of raw", "errors", "retries", "CPU s", "MiB on disk",
        ]
        let head = titles.enumerated().map { index, title in
            index == 0 || index == 3 ? "<th>\(title)</th>" : "<th class=\"number\">\(title)</th>"
        }
        var rows = ["<tr>\(head.joined())</tr>"]
        for result in rankings.flatMap(\.results) {
            let latencies = result.latencies
            let times =
                result.isSaturated
                ? ["saturated", "–", "–", "–"]
                : [50, 99, 99.9, 100].map { latencies.percentile($0)?.short ?? "–" }
            let disk = result.repetitions.compactMap(\.bytesOnDisk).max()
            let cells =
                [
                    result.key.workload + (result.key.rate.map { " at \($0.short)/s" } ?? ""),
                    "\(result.key.clients)", "\(result.key.dataMessages)", result.key.store,
                    result.problem == nil ? result.operationsPerSecond.short : "not verified",
                    result.spread.map { ($0 * 100).formatted(decimals: 0) + " %" } ?? "–",
                ] + times + [
                    ratioToRaw(result).map { $0.formatted(decimals: 2) } ?? "–",
                    "\(result.repetitions.reduce(0) { $0 + $1.errors })",
                    "\(result.repetitions.reduce(0) { $0 + $1.retries })",
                    result.repetitions.reduce(0) { $0 + $1.cpuSeconds }.formatted(decimals: 2),
                    disk.map { (Double($0) / Double(1 << 20)).short } ?? "–",
                ]
            let row = cells.enumerated().map { index, cell in
                index == 0 || index == 3
                    ? "<td>\(escaped(cell))</td>" : "<td class=\"number\">\(escaped(cell))</td>"
            }
            rows.append("<tr>\(row.joined())</tr>")
        }
        return "<table>\n\(rows.joined(separator: "\n"))\n</table>"
    }

    private func pre(_ text: String) -> String {
        "<h2>Compared with the saved benchmark</h2>\n<pre>\(escaped(text))</pre>"
    }
}

extension Double {
    /// Without decimals that are zero.
    fileprivate func short(of decimals: Int) -> String {
        var text = formatted(decimals: decimals)
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }
}

/// Text that means itself in HTML.
func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        .replacing("\"", with: "&quot;")
}
