import AgentSessions
import AgentSessionsBackends
import AgentSessionsMemory

/// A backend with a setting of every kind, which keeps its sessions in memory.
enum ExampleBackend: StoreBackend {
    static let name = "example"
    static let summary = "a backend for tests"
    static let exampleURL = "example:anywhere?mode=fast"
    static let capabilities = StoreCapabilities(durability: .memory, scope: .one)
    static let settings = [
        SettingDefinition("mode", .choice(["fast", "slow", "medium", "odd"]), default: "slow", "how fast"),
        SettingDefinition("workers", .count(1...64), default: "1", "how many"),
        SettingDefinition("cache", .size(1...(1 << 30)), default: "1MiB", "how much"),
        SettingDefinition("wait", .duration(0...3_600_000), default: "1s", "how long"),
        SettingDefinition("label", .text, default: "", "what to call it"),
        SettingDefinition("password", .text, default: "", "what nobody is shown", isSecret: true),
    ]

    static func open(
        _ url: StoreURL, settings: SettingValues, context: StoreContext
    ) async throws(StoreError) -> MemorySessionStore {
        guard context.migrationPolicy == .apply else {
            throw StoreError(.migrationRequired, "The example always lacks a step.", backend: name)
        }
        return MemorySessionStore(limits: context.limits)
    }
}

/// Another backend, whose settings the first does not have.
enum OtherBackend: StoreBackend {
    static let name = "other"
    static let summary = "another backend for tests"
    static let exampleURL = "other:"
    static let capabilities = StoreCapabilities(durability: .memory, scope: .one)
    static let settings = [SettingDefinition("pool", .count(1...8), default: "1", "connections")]

    static func open(
        _ url: StoreURL, settings: SettingValues, context: StoreContext
    ) async throws(StoreError) -> MemorySessionStore {
        MemorySessionStore(limits: context.limits)
    }
}

extension BackendRegistry {
    /// Both backends of the tests.
    static func examples() throws -> BackendRegistry {
        var registry = BackendRegistry()
        try registry.register(ExampleBackend.self)
        try registry.register(OtherBackend.self)
        return registry
    }
}
