import AgentSessionsConformance
import AgentSessionsMutants
import Testing

@Suite("Random sequences")
struct RandomTests {
    /// The message of a random scenario on the stores of a mutant.
    private func message(_ scenario: String, on mutant: String, seed: UInt64 = 1) async throws -> String {
        let scenario = try #require(Scenario.all.first { $0.id == scenario })
        let mutant = try #require(Mutant.all.first { $0.id == mutant })
        let result = await ConformanceRunner(mutant.stores, options: .init(seed: seed)).run(scenario)
        #expect(result.outcome == .failed)
        return result.message
    }

    @Test("A failing random sequence is shown in its shortest form")
    func shortest() async throws {
        let message = try await message("random.model@1", on: "rewind.resets-usage")
        // A session, usage, a rewind: nothing else is needed to show the mistake.
        let steps = message.split(separator: "\n").filter {
            $0.hasPrefix("1. ") || $0.hasPrefix("2. ") || $0.hasPrefix("3. ")
        }
        #expect(message.contains("3. rewind("))
        #expect(!message.contains("4. "), "\(steps)")
    }

    @Test("The same seed shows the same failure")
    func repeatable() async throws {
        let first = try await message("random.lists@1", on: "list.ties-oldest-first", seed: 7)
        #expect(try await message("random.lists@1", on: "list.ties-oldest-first", seed: 7) == first)
        #expect(first.contains("seed 7"))
    }
}
