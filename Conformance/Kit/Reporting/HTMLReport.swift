public import AgentSessions

/// Reports side by side as one page of HTML that needs nothing else, no network either: a matrix of scenarios by
/// backend, failures first, with a search and the details of each failure.
public struct HTMLReport: Sendable {
    /// A report as the page needs it.
    private struct Column {
        let name: String
        let engine: String
        let contract: String
        let seed: String
        let isConformant: Bool
        let settings: [(String, String)]
        let cells: [String: Cell]
        let order: [(id: String, group: String)]

        func count(_ outcome: Outcome) -> Int { cells.values.count { $0.outcome == outcome } }
    }

    private struct Cell {
        let outcome: Outcome
        let seconds: Double
        let message: String
    }

    private let columns: [Column]

    /// A page of reports in their JSON form, a column each.
    public init(_ reports: [JSONObject]) {
        columns = reports.map(Self.column)
    }

    private static func column(_ report: JSONObject) -> Column {
        let scenarios = report["scenarios"]?.arrayValue ?? []
        var cells: [String: Cell] = [:]
        var order: [(id: String, group: String)] = []
        for scenario in scenarios {
            guard let id = scenario["id"]?.stringValue else { continue }
            let outcome = scenario["outcome"]?.stringValue.flatMap(Outcome.init)
            cells[id] = Cell(
                outcome: outcome ?? .notRun, seconds: scenario["seconds"]?.doubleValue ?? 0,
                message: scenario["message"]?.stringValue ?? "")
            order.append((id, scenario["group"]?.stringValue ?? ""))
        }
        return Column(
            name: report["backend"]?.stringValue ?? "", engine: report["engine"]?.stringValue ?? "",
            contract: report["contract"]?.stringValue ?? "",
            seed: report["seed"]?.integerValue.map { "\(UInt64(bitPattern: $0))" } ?? "",
            isConformant: report["conformant"]?.boolValue ?? false,
            settings: (report["settings"]?.objectValue ?? [:]).map { ($0.key, $0.value.stringValue ?? "") },
            cells: cells, order: order)
    }

    /// The page.
    public var page: String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Conformance: \(markup(columns.map(\.name).joined(separator: ", ")))</title>
        <style>\(Self.style)</style></head><body>
        <h1>Conformance</h1>
        <section class="verdicts">\(columns.map(verdict).joined())</section>
        \(failures)
        <h2>All scenarios</h2>
        <p class="tools"><input id="search" type="search" placeholder="Search ids, rules, groups and messages" \
        aria-label="Search"><label><input id="notable" type="checkbox"> only what did not pass</label>
        <span id="shown"></span></p>
        <table><thead><tr><th>Scenario</th>\(columns.map { "<th>\(markup($0.name))</th>" }.joined())</tr></thead>
        \(groups)</table>
        <script>\(Self.script)</script>
        </body></html>

        """
    }

    private func verdict(_ column: Column) -> String {
        let counts = Outcome.allCases.filter { column.count($0) > 0 }
            .map { "<span class=\"\($0.rawValue)\">\(column.count($0)) \(Self.words[$0] ?? "")</span>" }
            .joined(separator: " ")
        let seconds = column.cells.values.reduce(0) { $0 + $1.seconds }
        let settings = column.settings.map { "<dt>\(markup($0.0))</dt><dd>\(markup($0.1))</dd>" }.joined()
        return """
            <article class="\(column.isConformant ? "good" : "bad")"><h2>\(markup(column.name)) \
            <b>\(column.isConformant ? "conformant" : "not conformant")</b></h2><p>\(counts)</p>
            <p class="small">\(markup(column.engine)) · contract \(markup(column.contract)) · seed \
            \(markup(column.seed)) · \(Int(seconds * 10) / 10).\(Int(seconds * 10) % 10) s of scenarios</p>
            <details><summary>settings in force</summary><dl>\(settings)</dl></details></article>
            """
    }

    private var failures: String {
        let found = columns.flatMap { column in
            column.order.compactMap { entry -> String? in
                guard let cell = column.cells[entry.id], cell.outcome.isFailure else {
                    return nil
                }
                return """
                    <article class="bad"><h3>\(markup(entry.id)) <small>\(markup(column.name)), \
                    \(Self.words[cell.outcome] ?? "")</small></h3><p>\(markup(Self.rule(entry.id)))</p>
                    <pre>\(markup(cell.message))</pre></article>
                    """
            }
        }
        return found.isEmpty ? "" : "<h2>Failures (\(found.count))</h2>" + found.joined()
    }

    private var groups: String {
        var order: [String] = []
        var rows: [String: [String]] = [:]
        var seen: Set<String> = []
        for column in columns {
            for entry in column.order where seen.insert(entry.id).inserted {
                if rows[entry.group] == nil { order.append(entry.group) }
                rows[entry.group, default: []].append(entry.id)
            }
        }
        return order.map { group in
            """
            <tbody><tr class="group"><th colspan="\(columns.count + 1)">\(markup(group))</th></tr>
            \((rows[group] ?? []).map(row).joined(separator: "\n"))</tbody>
            """
        }.joined(separator: "\n")
    }

    private func row(_ id: String) -> String {
        let cells = columns.map { column -> String in
            guard let cell = column.cells[id] else { return "<td>–</td>" }
            let word = Self.words[cell.outcome] ?? ""
            return "<td class=\"\(cell.outcome.rawValue)\" title=\"\(Int(cell.seconds * 1000)) ms\">\(word)</td>"
        }
        let messages = columns.compactMap { column -> String? in
            guard let cell = column.cells[id], !cell.message.isEmpty else { return nil }
            return "<pre>\(markup(column.name)): \(markup(cell.message))</pre>"
        }
        let notable = columns.contains { $0.cells[id].map { $0.outcome != .passed } ?? true }
        let details = messages.isEmpty ? "" : "<details><summary>why</summary>\(messages.joined())</details>"
        return """
            <tr class="scenario\(notable ? " notable" : "")"><td><code>\(markup(id))</code> \
            <span class="small">\(markup(Self.rule(id)))</span>\(details)</td>\(cells.joined())</tr>
            """
    }

    private static let rules = Dictionary(Scenario.all.map { ($0.id, $0.rule) }) { first, _ in first }
    private static func rule(_ id: String) -> String { rules[id] ?? "" }

    private static let words: [Outcome: String] = [
        .passed: "passed", .failed: "failed", .timedOut: "timed out", .crashed: "crashed", .unsupported: "not declared",
        .waived: "waived", .notRun: "not run",
        .unexpectedPass: "unexpected pass",
    ]

    private static let style = """
        :root{color-scheme:light dark;--line:#8884;--good:#1a7f37;--bad:#cf222e;--dim:#777;--warn:#9a6700}
        body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}
        h1{font-size:1.6rem}h2{font-size:1.2rem;margin:1.4rem 0 .6rem}h3{font-size:1rem;margin:0}
        .verdicts{display:grid;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr));gap:1rem}
        article{border:1px solid var(--line);border-left:.4rem solid var(--good);border-radius:.3rem;padding:.6rem 1rem;
        margin:.5rem 0}article.bad{border-left-color:var(--bad)}article h2{margin:0}article p{margin:.3rem 0}
        .good b,.passed{color:var(--good)}.bad b,.failed,.timedOut,.crashed,.unexpectedPass{color:var(--bad);font-weight:600}
        .unsupported,.notRun{color:var(--dim)}.waived{color:var(--warn)}
        .small,small{color:var(--dim);font-size:.85em;font-weight:normal}
        table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid var(--line);padding:.25rem .6rem;
        text-align:left;vertical-align:top}thead th{position:sticky;top:0;background:Canvas}
        tr.group th{padding-top:1rem}td:not(:first-child){white-space:nowrap}
        pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0;font-size:.85em}dt{float:left;clear:left;
        margin-right:.5rem;color:var(--dim)}dd{margin:0 0 0 10rem}input[type=search]{width:24rem;max-width:100%;
        padding:.3rem}.tools{display:flex;gap:1rem;flex-wrap:wrap;align-items:center}
        """

    private static let script = """
        const search=document.getElementById('search'),notable=document.getElementById('notable'),
        rows=[...document.querySelectorAll('tr.scenario')],texts=rows.map(r=>(r.textContent+' '+
        r.parentElement.querySelector('.group').textContent).toLowerCase());
        function show(){const words=search.value.toLowerCase().split(/\\s+/);let n=0;rows.forEach((r,i)=>{
        const on=words.every(w=>texts[i].includes(w))&&(!notable.checked||r.classList.contains('notable'));
        r.hidden=!on;if(on)n++});document.querySelectorAll('tbody').forEach(b=>{
        b.querySelector('.group').hidden=!b.querySelector('tr.scenario:not([hidden])')});
        document.getElementById('shown').textContent=n+' of '+rows.length+' scenarios'}
        search.addEventListener('input',show);notable.addEventListener('change',show);show();
        """
}
