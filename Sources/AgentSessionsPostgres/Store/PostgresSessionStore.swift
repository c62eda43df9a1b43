#if Postgres
public import AgentSessions
internal import AgentSessionsThreads
public import Logging

/// Sessions in a PostgreSQL database.
///
/// ```swift
/// let store = try await PostgresSessionStore.open(
///     PostgresConfiguration(connection: ["host": "db.example", "dbname": "app", "sslmode": "verify-full"]))
/// let service = PersistentSessionService(store)
/// ```
///
/// Calls that are made at the same moment share a round trip, and the changes among them a commit. No call returns before
/// its commit is confirmed.
public final class PostgresSessionStore: TransactionalSessionStore {
    public let backendName = PostgresBackend.name
    public let capabilities: StoreCapabilities

    let statements: StoreStatements
    let writes: StatementBatcher
    let reads: StatementBatcher
    private let configuration: PostgresConfiguration
    private let pool: ConnectionPool

    /// Opens the store. It makes the schema and its tables if there are none, unless ``PostgresConfiguration/mustExist``.
    ///
    /// - Parameters:
    ///   - configuration: Where the server is, and how the store is opened.
    ///   - retryPolicy: How to try again where the server cannot be reached, has no connection free, or is starting.
    ///   - logger: Where the store logs.
    /// - Throws: ``StoreError/Code/unavailable`` where the server cannot be reached or refuses the user,
    ///   ``StoreError/Code/notFound`` where the store must exist and does not, ``StoreError/Code/unsupported``
    ///   where the server is too old or the database does not store UTF-8,
    ///   ``StoreError/Code/newerStore``, ``StoreError/Code/migrationRequired``, ``StoreError/Code/invalidArgument``.
    public static func open(
        _ configuration: PostgresConfiguration, retryPolicy: RetryPolicy = .standard,
        logger: Logger = Logger(label: "agent-sessions", factory: { _ in SwiftLogNoOpLogHandler() })
    ) async throws(StoreError) -> PostgresSessionStore {
        let schema = try SchemaName(configuration.schema)
        let chain = try PostgresMigrations.chain(followedBy: configuration.migrations)
        let pool = ConnectionPool(configuration, logger: logger)
        do throws(StoreError) {
            let settings = try await retryPolicy.opening(logger: logger, isPassing: \.isPassingAtOpening) {
                () throws(StoreError) in
                try await pool.use { (connection) throws(StoreError) in
                    let migrator = PostgresMigrator(
                        connection: connection, schema: schema, chain: chain, partitions: configuration.partitions)
                    if try migrator.isBehind(configuration.migrationPolicy, mustExist: configuration.mustExist) {
                        try migrator.applyPending(configuration.migrationPolicy)
                    }
                    return try EffectiveSettings.read(connection, schema)
                }
            }
            logger.debug(
                "store opened", metadata: ["backend": "\(PostgresBackend.name)", "store": "\(configuration)"])
            return PostgresSessionStore(
                configuration, schema: schema, pool: pool,
                capabilities: configuration.capabilities(isDurable: EffectiveSettings.areDurable(settings)))
        } catch {
            // Not waited for: a server that does not answer occupies a thread for longer than a lease may wait.
            pool.stop()
            throw error
        }
    }

    private init(
        _ configuration: PostgresConfiguration, schema: SchemaName, pool: ConnectionPool,
        capabilities: StoreCapabilities
    ) {
        self.configuration = configuration
        self.capabilities = capabilities
        self.pool = pool
        statements = StoreStatements(schema)
        writes = StatementBatcher(
            pool, rules: .init(isWriting: true, maximumConnections: 4, batchSize: 128, expandThreshold: 8))
        reads = StatementBatcher(
            pool, rules: .init(isWriting: false, maximumConnections: 4, batchSize: 16, expandThreshold: 16))
    }

    deinit {
        // A store that was not closed closes its connections, too; nothing waits for that.
        pool.stop()
    }

    /// Runs `body` in a read transaction, on a connection of its own.
    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (inout PostgresTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await pool.use { [statements] (connection) throws(StoreError) in
            try connection.snapshot { () throws(StoreError) in
                var transaction = PostgresTransaction(
                    connection: connection, statements: statements, isWriting: false)
                return try body(&transaction)
            }
        }
    }

    /// Runs `body` in a write transaction, on a connection of its own. The transaction locks each session that it reads.
    public func write<Result: Sendable>(
        _ body: @escaping @Sendable (inout PostgresTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await pool.use { [statements] (connection) throws(StoreError) in
            try connection.transaction { () throws(StoreError) in
                var transaction = PostgresTransaction(connection: connection, statements: statements, isWriting: true)
                return try body(&transaction)
            }
        }
    }

    public func effectiveSettings() async throws(StoreError) -> [StoreSetting] {
        let settings = try await pool.use { [statements] (connection) throws(StoreError) in
            try EffectiveSettings.read(connection, statements.schema)
        }
        return settings + [
            StoreSetting("prepared_statements", configuration.preparesStatements ? "on" : "off"),
            StoreSetting("pool_max", "\(configuration.maximumConnections)"),
        ]
    }

    public func migrations() async throws(StoreError) -> [MigrationStatus] {
        let chain = try PostgresMigrations.chain(followedBy: configuration.migrations)
        let (schema, partitions) = (statements.schema, configuration.partitions)
        return try await pool.use { (connection) throws(StoreError) in
            let target = PostgresMigrationTarget(connection: connection, schema: schema, partitions: partitions)
            return chain.status(applied: try target.applied())
        }
    }

    public func close() async {
        // Statements that wait are still sent: they need connections, which close last.
        await writes.close()
        await reads.close()
        await pool.close()
    }
}

extension ConnectionPool {
    /// Runs `body` with a connection, on its thread.
    ///
    /// - Throws: What `body` throws; ``StoreError/Code/timeout`` where no connection was free in time,
    ///   ``StoreError/Code/unavailable`` where none could be opened, ``StoreError/Code/closed``, and
    ///   ``StoreError/Code/cancelled`` where the task was cancelled before it had a connection. After that the task
    ///   waits for the result.
    func use<Success: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws(StoreError) -> Success
    ) async throws(StoreError) -> Success {
        let outcome = OneShot<Result<Success, StoreError>>()
        let lease = lease { connection in
            switch connection {
            case .failure(let error):
                return { outcome.send(.failure(error)) }
            case .success(let connection):
                let result = Result { () throws(StoreError) in try body(connection) }
                return { outcome.send(result) }
            }
        }
        let result = await withTaskCancellationHandler {
            await outcome.value()
        } onCancel: {
            cancel(lease)
        }
        return try result.get()
    }
}
#endif
