import AgentSessionsConformance
import AgentSessionsSaboteurs
import Testing

@Test("A store without a mistake is conformant") func honest() async {
    let report = await ConformanceRunner(SabotagedStores(nil), options: .init(seed: 1)).run()
    #expect(report.isConformant)
}
