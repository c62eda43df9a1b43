import AgentSessionsConformance
import AgentSessionsConformanceTesting
import AgentSessionsMemory
import Testing

let memoryStores = Stores { _ in MemorySessionStore() }

@Test("The memory backend keeps the contract", arguments: Scenario.all)
func memory(_ scenario: Scenario) async throws {
    try await scenario.verify(on: memoryStores)
}
