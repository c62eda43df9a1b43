#if Postgres
internal import AgentSessions
internal import Logging

// What the tool does to the schema of a scratch store without opening the store.
extension PostgresSessionStore {
    /// Removes the schema of a store with all that is in it.
    static func drop(_ configuration: PostgresConfiguration) async throws(StoreError) {
        try await withConnection(configuration) { (connection, schema) throws(StoreError) in
            do throws(PipelineError) {
                try connection.execute("DROP SCHEMA IF EXISTS \(schema.identifier) CASCADE")
            } catch {
                throw error.writeError
            }
        }
    }

    /// The bytes that the tables of a store take, with their indexes; `nil` where there is no such schema.
    static func bytes(_ configuration: PostgresConfiguration) async throws(StoreError) -> Int? {
        let sql = """
            SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c \
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'
            """
        return try await withConnection(configuration) { (connection, schema) throws(StoreError) in
            try connection.read(sql, Parameters(schema.name)).number(0, 0).map { Int($0) }
        }
    }

    /// Lends a connection that is closed afterwards.
    private static func withConnection<Success: Sendable>(
        _ configuration: PostgresConfiguration,
        _ body: @escaping @Sendable (PostgresConnection, SchemaName) throws(StoreError) -> Success
    ) async throws(StoreError) -> Success {
        let schema = try SchemaName(configuration.schema)
        let pool = ConnectionPool(configuration, logger: Logger(label: "", factory: { _ in SwiftLogNoOpLogHandler() }))
        let outcome: Result<Success, StoreError>
        do throws(StoreError) {
            outcome = .success(
                try await pool.use { (connection) throws(StoreError) in try body(connection, schema) })
        } catch {
            outcome = .failure(error)
        }
        await pool.close()
        return try outcome.get()
    }
}
#endif
