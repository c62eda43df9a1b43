#if Postgres
public import AgentSessions

/// The Postgres backend as a plugin: `postgres://user@host/database`.
public enum PostgresBackend: StoreBackend {
    public static let name = "postgres"
    public static let aliases = ["postgresql"]
    public static let summary = "a PostgreSQL server, 12 or later, shared by any number of processes and machines"
    public static let exampleURL =
        "postgres://user@host1,host2/db?sslmode=verify-full&target_session_attrs=read-write&pool_max=16"
    public static let capabilities = PostgresConfiguration().capabilities(isDurable: true)
    public static let settings = own + ConnectionSettings.definitions

    private static let own: [SettingDefinition] = [
        SettingDefinition("schema", .text, default: "agent_sessions", "the schema that holds the tables of the store"),
        SettingDefinition("pool_min", .count(0...1000), default: "0", "connections that stay open while idle"),
        SettingDefinition("pool_max", .count(1...1000), default: "8", "the largest number of connections"),
        SettingDefinition(
            "lease_timeout", .duration(1...3_600_000), default: "5s", "how long to wait for a free connection"),
        SettingDefinition(
            "idle_timeout", .duration(1000...86_400_000), default: "10min",
            "how long an idle connection above pool_min stays open"),
        SettingDefinition(
            "max_lifetime", .duration(1000...604_800_000), default: "60min",
            "the age at which a connection is replaced"),
        SettingDefinition(
            "statement_timeout", .duration(1...86_400_000), default: "30s", "how long a statement may take"),
        SettingDefinition(
            "lock_timeout", .duration(1...86_400_000), default: "5s", "how long to wait for another transaction's lock"),
        SettingDefinition(
            "prepared_statements", .choice(["on", "off"]), default: "on",
            "off behind a pooler in transaction mode, such as PgBouncer"),
        SettingDefinition(
            "synchronous_commit",
            .choice(["server"] + PostgresConfiguration.SynchronousCommit.allCases.map(\.rawValue)), default: "server",
            "when a commit is acknowledged; server keeps the server's setting, off may lose the last commits in a crash"
        ),
        SettingDefinition(
            "partitions", .count(0...1024), default: "0",
            "into how many partitions by session new tables are divided; 0 for none"),
    ]

    public static func open(
        _ url: StoreURL, settings: SettingValues, context: StoreContext
    ) async throws(StoreError) -> PostgresSessionStore {
        var configuration = try configuration(url, settings)
        configuration.migrationPolicy = context.migrationPolicy
        configuration.limits = context.limits
        configuration.mustExist = context.mustExist
        return try await PostgresSessionStore.open(
            configuration, retryPolicy: context.retryPolicy, logger: context.logger)
    }

    private static func configuration(
        _ url: StoreURL, _ settings: SettingValues
    ) throws(StoreError) -> PostgresConfiguration {
        var configuration = PostgresConfiguration(connection: try ConnectionSettings.parameters(url, settings))
        configuration.schema = try settings.text("schema")
        configuration.minimumConnections = try settings.count("pool_min")
        configuration.maximumConnections = try settings.count("pool_max")
        configuration.leaseTimeout = try settings.duration("lease_timeout")
        configuration.idleTimeout = try settings.duration("idle_timeout")
        configuration.maximumLifetime = try settings.duration("max_lifetime")
        configuration.statementTimeout = try settings.duration("statement_timeout")
        configuration.lockTimeout = try settings.duration("lock_timeout")
        configuration.preparesStatements = try settings.text("prepared_statements") == "on"
        configuration.synchronousCommit = .init(rawValue: try settings.text("synchronous_commit"))
        configuration.partitions = try settings.count("partitions")
        return configuration
    }

    // MARK: Scratch stores

    public static func scratchLocation(
        beside url: StoreURL, named name: String, folder: String
    ) throws(StoreError) -> ScratchLocation? {
        ScratchLocation(url.with("schema", name), settings: ["schema": name])
    }

    public static func removeScratch(_ url: StoreURL, settings: SettingValues) async throws(StoreError) {
        try await PostgresSessionStore.drop(try configuration(url, settings))
    }

    public static func scratchBytes(_ url: StoreURL, settings: SettingValues) async throws(StoreError) -> Int? {
        try await PostgresSessionStore.bytes(try configuration(url, settings))
    }
}
#endif
