import AgentSessionsConformance
public import AgentSessionsMutants
public import Testing

extension Mutant: CustomTestStringConvertible {
    /// What the test navigator shows.
    public var testDescription: String { "\(id): \(mistake)" }
}

@Suite("Conformance mutants")
struct MutantTests {
    @Test("The unmutated store is conformant, so that every failure of a mutant is caused by its mistake")
    func honest() async {
        let report = await ConformanceRunner(MutantStores(nil), options: .init(seed: 1)).run()
        #expect(report.isConformant)
        #expect(report.results.filter { $0.outcome.isFailure }.map(\.scenario.id) == [])
    }

    @Test("Each mutant is caught by every scenario of the rule that it breaks", arguments: Mutant.all)
    func caught(_ mutant: Mutant) async {
        let finding = await SelfTest.finding(on: mutant)
        #expect(finding.isCaught, "not caught by \(finding.missedBy), only by \(finding.failing)")
    }

    @Test("Mutants name existing scenarios, and each has a name of its own")
    func names() {
        let scenarios = Set(Scenario.all.map { $0.id.prefix { $0 != "@" } })
        for mutant in Mutant.all {
            #expect(!mutant.caughtBy.isEmpty, "\(mutant.id) names no scenario")
            for name in mutant.caughtBy { #expect(scenarios.contains(name[...]), "\(mutant.id): \(name)") }
        }
        #expect(Set(Mutant.all.map(\.id)).count == Mutant.all.count)
    }
}
