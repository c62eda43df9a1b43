import AgentSessions

/// What an environment lacks that a scenario needs.
struct EnvironmentMissing: Error {
    let what: String
}

extension Requirement {
    /// Whether the store does not have what it does not declare.
    func isAbsent(in test: ScenarioContext) async throws -> Bool {
        let id = try await test.access.create().id
        do throws(StoreError) {
            switch self {
            case .ability(.reopen), .durability:
                // A store that can be opened again, and survives no crash, declares the one without the other.
                if self != .ability(.reopen), test.store.capabilities.abilities.contains(.reopen) { return true }
                try await test.reopen()
                return try await test.access.get(id) == nil
            case .ability(.multipleInstances):
                let second = try await test.secondInstance()
                return try await second.get(id) == nil
            case .manyProcesses:
                guard let helper = try await test.startHelperIfPossible(.read(id), at: test.place) else { return true }
                let answer = await helper.output()
                return answer.first != "found"
            case .ability:
                return true
            }
        } catch {
            // A refusal is an absence too, as long as it says what it is.
            return [.unsupported, .busy, .unavailable, .closed].contains(error.code)
        }
    }
}
