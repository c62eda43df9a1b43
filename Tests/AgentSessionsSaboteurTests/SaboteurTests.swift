import AgentSessionsConformance
public import AgentSessionsSaboteurs
public import Testing

extension Saboteur: CustomTestStringConvertible {
    /// What the test navigator shows.
    public var testDescription: String { "\(id): \(mistake)" }
}

@Suite("Saboteurs")
struct SaboteurTests {
    @Test("A store without a mistake is conformant, so that what fails a saboteur is its mistake")
    func honest() async {
        let report = await ConformanceRunner(SabotagedStores(nil), options: .init(seed: 1)).run()
        #expect(report.isConformant)
        #expect(report.results.filter { $0.outcome == .failed }.map(\.scenario.id) == [])
    }

    @Test("Each saboteur is caught by every scenario of the rule that it breaks", arguments: Saboteur.all)
    func caught(_ saboteur: Saboteur) async {
        let finding = await SelfTest.finding(on: saboteur)
        #expect(finding.isCaught, "not caught by \(finding.missedBy), only by \(finding.failing)")
    }

    @Test("Saboteurs name scenarios that there are, and each has a name of its own")
    func names() {
        let scenarios = Set(Scenario.all.map { $0.id.prefix { $0 != "@" } })
        for saboteur in Saboteur.all {
            #expect(!saboteur.caughtBy.isEmpty, "\(saboteur.id) names no scenario")
            for name in saboteur.caughtBy { #expect(scenarios.contains(name[...]), "\(saboteur.id): \(name)") }
        }
        #expect(Set(Saboteur.all.map(\.id)).count == Saboteur.all.count)
    }
}
