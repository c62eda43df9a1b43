#if LMDB
public import AgentSessions

/// The LMDB backend as a plugin: `lmdb:sessions`.
public enum LMDBBackend: StoreBackend {
    /// The scheme of its store URLs.
    public static let name = "lmdb"
    /// What the backend is.
    public static let summary = "a folder of this machine, mapped into memory; the fastest reads, nothing to run"
    /// A store URL of this backend.
    public static let exampleURL = "lmdb:///var/lib/app/sessions?map_size=64GiB"
    /// What a store with the default settings promises.
    public static let capabilities = LMDBConfiguration(path: "").capabilities

    /// The settings that it knows.
    public static let settings: [SettingDefinition] = [
        SettingDefinition(
            "map_size", .size(1 << 20...1 << 45), default: "1TiB", "bytes that the store may grow to"),
        SettingDefinition(
            "initial_map_size", .size(1 << 20...1 << 45), default: "256MiB",
            "bytes of address space that it begins with; they double whenever they are used up"),
        SettingDefinition(
            "sync", .choice(LMDBConfiguration.Sync.allCases.map(\.rawValue)), default: "full",
            "when a commit is acknowledged: full survives the loss of power, nometa and none a crash"),
        SettingDefinition(
            "max_readers", .count(8...65_536), default: "512",
            "read transactions at one moment, of all processes together; the first process to open decides"),
        SettingDefinition(
            "busy_timeout", .duration(0...3_600_000), default: "5s",
            "how long a change waits for its turn, and then for another writer's lock"),
    ]

    /// Opens the store in the folder that `url` names, making it where there is none.
    ///
    /// - Throws: What ``LMDBSessionStore/open(_:retryPolicy:logger:)`` throws.
    public static func open(
        _ url: StoreURL, settings: SettingValues, context: StoreContext
    ) async throws(StoreError) -> LMDBSessionStore {
        var configuration = LMDBConfiguration(path: try url.filePath())
        configuration.mapSize = try settings.bytes("map_size")
        configuration.initialMapSize = try settings.bytes("initial_map_size")
        configuration.sync = .init(rawValue: try settings.text("sync")) ?? .full
        configuration.maxReaders = try settings.count("max_readers")
        configuration.busyTimeout = try settings.duration("busy_timeout")
        configuration.migrationPolicy = context.migrationPolicy
        configuration.limits = context.limits
        configuration.mustExist = context.mustExist
        return try await LMDBSessionStore.open(configuration, retryPolicy: context.retryPolicy, logger: context.logger)
    }

    public static func storeExists(at url: StoreURL) throws(StoreError) -> Bool {
        EnvironmentFolder.mayHoldData(try url.filePath())
    }

    public static func storeFiles(at url: StoreURL) throws(StoreError) -> [String] {
        let path = try url.filePath()
        return [EnvironmentFolder.dataFile, EnvironmentFolder.lockFile].map { "\(path)/\($0)" }
    }

    public static func scratchLocation(
        beside url: StoreURL, named name: String, folder: String
    ) throws(StoreError) -> ScratchLocation? {
        .file("scratch", in: folder, beside: url)
    }
}
#endif
