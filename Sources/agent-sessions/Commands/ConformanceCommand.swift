import AgentSessions
import AgentSessionsConformance
import ArgumentParser
import Synchronization

/// `conformance`: whether the configured store keeps the contract.
struct ConformanceCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance", abstract: "Prove that a store keeps the contract.",
        discussion: """
            Runs the conformance kit on stores of its own beside the configured one (a file, a folder, a schema) and \
            does not touch your data. Each scenario runs in a process of its own: what ends that process is a result of \
            the scenario (crashed), and the run goes on. The exit status is 1 if the store is not conformant.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: "base: what every application needs; full: the whole contract.")
    var level = Level.full

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Only scenarios whose id or group contains this; * matches anything.", valueName: "pattern"))
    var only: String?

    @Option(help: "Repeat a run with the seed that its report names.")
    var seed: UInt64?

    @Flag(help: "Stop at the first failure: no scenario begins after it.")
    var failFast = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Write a report as the run goes on. The suffix is its format: .json, .xml (JUnit) or .html.",
            valueName: "file"))
    var report: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A JSON report of another store, to show beside this one in HTML.", valueName: "file"))
    var beside: [String] = []

    /// The values of `--level`.
    enum Level: String, ExpressibleByArgument, CaseIterable {
        case base
        case full

        var level: Scenario.Level { self == .base ? .base : .full }
    }

    func validate() throws {
        if let report, ReportFormat(fileName: report) == nil {
            throw ValidationError("The report \(quoted(report)) must end with .json, .xml or .html.")
        }
        try requireValues(beside.map { ("--beside", $0) })
    }

    func run(in context: ToolContext) async throws(StoreError) {
        let stores = ConfiguredStores(configuration: try context.configuration(global), options: global)
        if let report { try stores.configuration.requireNoFile(ofStore: report) }
        let scenarios = Scenario.all.filter { matches($0) && $0.level <= level.level }
        guard !scenarios.isEmpty else {
            throw StoreError(
                .invalidArgument,
                "No scenario of this level has an id or group that contains \(quoted(only ?? "")). Give for example --only 'append.*'."
            )
        }
        let others = try beside.map { (path) throws(StoreError) in try Self.readReport(path) }
        var options = ConformanceRunner.Options(level: level.level)
        if let seed { options.seed = seed }
        options.failFast = failFast
        let bar = ProgressBar("Conformance", on: context.console)
        options.inChildProcesses = true
        let done = Mutex(0)
        let output = ReportOutput(path: report, others: others)
        let writer = Task { await output.writeAsItGoes() }
        let found = await ConformanceRunner(stores, options: options).run(
            scenarios,
            progress: { _ in
                let count = done.withLock { done in
                    done += 1
                    return done
                }
                bar.show(Double(count) / Double(scenarios.count))
            }, partial: { output.show($0) })
        writer.cancel()
        await writer.value
        bar.clear()
        try await output.write(found)
        if global.json {
            try context.console.print(.object(found.json))
        } else {
            try context.console.output.print(found.text)
        }
        guard found.isConformant else {
            throw StoreError(
                StoreError.Code("notConformant"),
                "The store is not conformant at level \(level.rawValue): see the scenarios that did not pass.")
        }
    }

    private func matches(_ scenario: Scenario) -> Bool {
        guard let only else { return true }
        let pattern = only.contains("*") ? only : "*\(only)*"
        return [scenario.id, scenario.group.rawValue].contains { fits(pattern[...], $0[...]) }
    }

    /// Whether `text` fits a pattern in which `*` matches anything.
    private func fits(_ pattern: Substring, _ text: Substring) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        if first == "*" {
            return fits(rest, text) || (!text.isEmpty && fits(pattern, text.dropFirst()))
        }
        return text.first == first && fits(rest, text.dropFirst())
    }

    private static func readReport(_ path: String) throws(StoreError) -> JSONObject {
        let text = try InputFile.reading(path) { (input) throws(StoreError) in
            try input.readText(limit: 64 << 20, what: "The report")
        }
        do {
            return try JSONObject(
                parsing: text, limits: JSONLimits(maximumBytes: .max))
        } catch {
            throw StoreError(invalidJSON: error, in: "The report \(quoted(path, limit: 200))")
        }
    }
}

/// The file of a report, which is replaced while the run goes, so that it tells how far the run came whatever ends it.
private final class ReportOutput: Sendable {
    private let path: String?
    private let others: [JSONObject]
    /// The report as it stands, until it was written.
    private let latest = Mutex<ConformanceReport?>(nil)

    init(path: String?, others: [JSONObject]) {
        self.path = path
        self.others = others
    }

    /// Takes the report as it stands.
    func show(_ report: ConformanceReport) {
        latest.withLock { $0 = report }
    }

    /// Writes what was shown, as long as its task is not cancelled. What cannot be written is told by the last writing.
    func writeAsItGoes() async {
        while !Task.isCancelled {
            let report = latest.withLock { report in
                defer { report = nil }
                return report
            }
            if let report { try? await write(report) }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    func write(_ report: ConformanceReport) async throws(StoreError) {
        guard let path, let format = ReportFormat(fileName: path) else { return }
        let text = try format.text(report, beside: others)
        try await ReplacingFile.write(to: path) { (output) throws(StoreError) in try output.print(text) }
    }
}

/// How a report is written, by the name of its file.
enum ReportFormat {
    case json
    case junit
    case html

    init?(fileName: String) {
        switch fileName.split(separator: ".").last {
        case "json": self = .json
        case "xml": self = .junit
        case "html": self = .html
        default: return nil
        }
    }

    func text(_ report: ConformanceReport, beside others: [JSONObject]) throws(StoreError) -> String {
        switch self {
        case .json: try jsonText(.object(report.json))
        case .junit: report.junit
        case .html: HTMLReport([report.json] + others).page
        }
    }
}

extension ConformanceReport {
    /// The report for people: failures first, then the totals and the verdict.
    fileprivate var text: String {
        var text = ""
        let order: [Outcome] = [.crashed, .failed, .timedOut, .unexpectedPass, .notRun, .waived]
        for result in order.flatMap({ outcome in results.filter { $0.outcome == outcome } }) {
            text += "\(result.outcome.rawValue)  \(result.scenario.id)\n  \(result.scenario.rule)\n"
            for line in result.message.split(separator: "\n").prefix(8) { text += "    \(visible(String(line)))\n" }
        }
        if !text.isEmpty { text += "\n" }
        let counts = Outcome.allCases.compactMap { outcome in totals[outcome].map { "\($0) \(outcome.rawValue)" } }
        text += keyValueBlock([
            ("backend", "\(visible(backend)), \(visible(engine))"), ("contract", "\(contract)"), ("seed", "\(seed)"),
            ("scenarios", counts.joined(separator: ", ")), ("conformant", isConformant ? "yes" : "no"),
        ])
        return text
    }
}
