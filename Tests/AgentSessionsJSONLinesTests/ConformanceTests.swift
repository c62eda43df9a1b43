import AgentSessionsConformance
import AgentSessionsConformanceTesting
import AgentSessionsJSONLinesExample
import Testing

let stores = Stores { place in try JSONLinesStore(folder: place.folder) }

@Test("The store of JSON lines keeps the contract", arguments: Scenario.all)
func conformance(_ scenario: Scenario) async throws { try await scenario.verify(on: stores) }
