import AgentSessionsConformance
import AgentSessionsSaboteurs

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "--timings" {
    let report = await ConformanceRunner(SabotagedStores(nil), options: .init(seed: 1)).run()
    for result in report.results.sorted(by: { $0.duration > $1.duration }).prefix(60) {
        print(result.scenario.id, result.outcome, result.duration, result.message)
    }
    print(report.isConformant, report.totals)
} else {
    let pattern = arguments.first ?? ""
    let skipped = arguments.dropFirst()
    let scenarios = Scenario.all.filter { scenario in !skipped.contains { scenario.id.hasPrefix($0) } }
    let test = await SelfTest(of: Saboteur.all.filter { $0.id.hasPrefix(pattern) }, by: scenarios) { finding in
        print("\(finding.saboteur.id): \(finding.failing.sorted().joined(separator: " "))")
    }
    print("IDLE \(test.idle.joined(separator: " "))")
}
