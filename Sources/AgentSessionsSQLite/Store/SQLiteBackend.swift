#if SQLite
public import AgentSessions

/// The SQLite backend as a plugin: `sqlite:sessions.db`.
public enum SQLiteBackend: StoreBackend {
    public static let name = "sqlite"
    public static let summary = "a file of this machine, shared by any number of processes; nothing to run"
    public static let exampleURL = "sqlite:///var/lib/app/sessions.db?synchronous=full"
    public static let capabilities = SQLiteConfiguration(path: "").capabilities

    public static let settings: [SettingDefinition] = [
        SettingDefinition(
            "synchronous", .choice(SQLiteConfiguration.Synchronous.allCases.map(\.rawValue)), default: "full",
            "when a commit is acknowledged: full and extra survive the loss of power, normal and off a crash"),
        SettingDefinition(
            "busy_timeout", .duration(0...3_600_000), default: "5s",
            "how long a change waits for its turn, and then for another process's lock"),
        SettingDefinition(
            "cache_size", .size(1 << 16...1 << 40), default: "8MiB", "pages that the writer keeps in memory"),
        SettingDefinition(
            "reader_cache_size", .size(1 << 16...1 << 40), default: "16MiB", "pages that each reader keeps in memory"),
        SettingDefinition(
            "checkpoint_pages", .count(1...1_000_000), default: "1000",
            "pages in the write-ahead log at which a commit moves them to the database"),
    ]

    public static func open(
        _ url: StoreURL, settings: SettingValues, context: StoreContext
    ) async throws(StoreError) -> SQLiteSessionStore {
        var configuration = SQLiteConfiguration(path: try path(of: url))
        configuration.synchronous = .init(rawValue: try settings.text("synchronous")) ?? .full
        configuration.busyTimeout = try settings.duration("busy_timeout")
        configuration.cacheBytes = try settings.bytes("cache_size")
        configuration.readerCacheBytes = try settings.bytes("reader_cache_size")
        configuration.checkpointPages = try settings.count("checkpoint_pages")
        configuration.migrationPolicy = context.migrationPolicy
        configuration.limits = context.limits
        configuration.mustExist = context.mustExist
        return try await SQLiteSessionStore.open(
            configuration, retryPolicy: context.retryPolicy, logger: context.logger)
    }

    private static func path(of url: StoreURL) throws(StoreError) -> String {
        let path = try url.filePath()
        try DatabaseFile.requireName(path)
        return path
    }

    public static func storeExists(at url: StoreURL) throws(StoreError) -> Bool {
        DatabaseFile.mayBeStore(try path(of: url))
    }

    public static func storeFiles(at url: StoreURL) throws(StoreError) -> [String] {
        DatabaseFile.all(of: try path(of: url))
    }

    public static func scratchLocation(
        beside url: StoreURL, named name: String, folder: String
    ) throws(StoreError) -> ScratchLocation? {
        .file("scratch.db", in: folder, beside: url)
    }
}
#endif
