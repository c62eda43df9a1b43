#if Postgres
package import AgentSessions
internal import AgentSessionsThreads

/// Brings a schema up to date.
struct PostgresMigrator: Migrator {
    /// A race is lost at most a few times: after that the winner's tables are there.
    private static let attempts = 10

    let target: PostgresMigrationTarget
    let chain: MigrationChain<PostgresMigrationTarget>

    init(
        connection: PostgresConnection, schema: SchemaName, chain: MigrationChain<PostgresMigrationTarget>,
        partitions: Int
    ) {
        target = PostgresMigrationTarget(connection: connection, schema: schema, partitions: partitions)
        self.chain = chain
    }

    func read<Result>(
        _ body: (PostgresMigrationTarget) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try body(target)
    }

    /// The first step's tables can be made only once, and from then on the table of steps is locked.
    func write(_ body: (inout PostgresMigrationTarget) throws(StoreError) -> Void) throws(StoreError) {
        for attempt in 1...Self.attempts {
            do throws(StoreError) {
                return try target.connection.transaction { () throws(StoreError) in
                    try target.takeTurn()
                    var target = target
                    try body(&target)
                }
            } catch  where error.isLostRace && attempt < Self.attempts {
                WorkerThread.pause(.milliseconds(5 * attempt))
            }
        }
    }

    func storeNotFound() throws(StoreError) -> StoreError {
        let database = try target.connection.read("SELECT current_database()").text(0, 0) ?? ""
        return .storeNotFound(
            "in the schema \(quoted(target.schema.name)) of the database \(quoted(database))",
            backend: PostgresBackend.name)
    }
}

extension PostgresMigrationTarget: MigrationTarget {
    private var registry: String { schema.table("resource_registry") }
    private var migrations: String { schema.table("schema_migrations") }

    package func formatVersion() throws(StoreError) -> Int? {
        guard try exists("SELECT to_regclass($1) IS NOT NULL", registry) else { return nil }
        let rows = try connection.read("SELECT max(format_version) FROM \(registry) HAVING count(*) > 0")
        guard rows.count == 1, let version = rows.number(0, 0).flatMap({ Int(exactly: $0) }) else {
            throw .corrupt("The record of the store", "it has no format version", backend: PostgresBackend.name)
        }
        return version
    }

    package func recordedMigrations() throws(StoreError) -> [AppliedMigration] {
        let rows = try connection.read(
            "SELECT name, origin, applied_at, build FROM \(migrations) ORDER BY applied_at, name")
        var applied: [AppliedMigration] = []
        for row in 0..<rows.count {
            applied.append(
                try AppliedMigration(
                    storedIn: PostgresBackend.name, row: row + 1, name: rows.text(row, 0), origin: rows.text(row, 1),
                    appliedAt: rows.time(row, 2), build: rows.text(row, 3)))
        }
        return applied
    }

    /// Makes the schema where there is none, and locks the record of steps where it is there.
    fileprivate func takeTurn() throws(StoreError) {
        if try !exists("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", schema.name) {
            _ = try connection.read("CREATE SCHEMA \(schema.identifier)")
        }
        if try exists("SELECT to_regclass($1) IS NOT NULL", migrations) {
            _ = try connection.read("LOCK TABLE \(migrations) IN SHARE ROW EXCLUSIVE MODE")
        }
    }

    package func keep(_ record: StoreRecord) throws(StoreError) {
        var parameters = Parameters()
        parameters.add(record.storeID)
        parameters.add(record.formatVersion)
        parameters.add(record.build)
        parameters.add(record.createdAt)
        _ = try connection.read(
            "INSERT INTO \(registry) (store_id, format_version, build, created_at) VALUES ($1, $2, $3, $4)", parameters)
    }

    package func keep(_ migration: AppliedMigration, parent: String?, number: Int) throws(StoreError) {
        var parameters = Parameters()
        parameters.add(migration.name)
        parameters.add(parent)
        parameters.add(migration.origin.rawValue)
        parameters.add(migration.appliedAt)
        parameters.add(migration.build)
        _ = try connection.read(
            "INSERT INTO \(migrations) (name, parent, origin, applied_at, build) VALUES ($1, $2, $3, $4, $5)",
            parameters)
    }

    /// - Parameter sql: A statement that gives one boolean.
    private func exists(_ sql: String, _ text: String) throws(StoreError) -> Bool {
        var parameters = Parameters()
        parameters.add(text)
        return try connection.read(sql, parameters).withBytes(0, 0) { $0.first == 1 } ?? false
    }
}
#endif
