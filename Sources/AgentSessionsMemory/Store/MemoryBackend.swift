public import AgentSessions

/// The memory backend as a plugin: `memory:`.
public enum MemoryBackend: StoreBackend {
    public static let name = "memory"
    public static let summary = "sessions in the memory of this process; gone when it ends"
    public static let exampleURL = "memory:"
    public static let capabilities = StoreCapabilities(durability: .memory, scope: .one)
    public static let settings: [SettingDefinition] = []

    public static func open(
        _ url: StoreURL, settings: SettingValues, context: StoreContext
    ) async throws(StoreError) -> MemorySessionStore {
        guard url.location.isEmpty else {
            throw StoreError(
                .invalidArgument, "A store in memory has no location: write memory: and nothing after it.",
                backend: name)
        }
        return MemorySessionStore(limits: context.limits)
    }

    public static func scratchLocation(
        beside url: StoreURL, named name: String, folder: String
    ) throws(StoreError) -> ScratchLocation? {
        ScratchLocation(url)
    }
}
