import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory
import Testing

@Suite("Limits that a store declares", .serialized)
struct DeclaredLimitsTests {
    /// A store whose limits are all the same number, whatever it takes.
    private struct Declaring: ForwardingSessionStore {
        let base: any SessionStore = MemorySessionStore()
        let number: Int

        var capabilities: StoreCapabilities {
            var capabilities = base.capabilities
            capabilities.limits = StoreLimits(
                contentBytes: number, metadataBytes: number, metadataDepth: number, toolCallIDBytes: number,
                actorNameBytes: number, batchMessages: number, pageItems: number)
            return capabilities
        }
    }

    // The last one is a right declaration, and lower than what scenarios usually store.
    @Test("No number ends a run, and those that cannot be used are told of", arguments: [Int.min, -1, 1, .max, 2])
    func numbers(_ number: Int) async throws {
        let stores = Stores { _ in Declaring(number: number) }
        let report = await ConformanceRunner(stores, options: .init(seed: 1)).run()
        #expect(report.results.count == Scenario.all.count)
        let declared = try #require(report.results.first { $0.scenario.id == "limits.declared@1" })
        #expect(declared.outcome == (number == 2 ? .passed : .failed))
        if number != 2 {
            #expect(declared.message.contains("metadataBytes"), "\(declared.message)")
            #expect(declared.message.contains("the store declares \(number), and may declare 2 to 1048576"))
        }
        #expect(!report.results.contains { $0.outcome == .timedOut }, "a limit of \(number) takes too long")
    }
}
