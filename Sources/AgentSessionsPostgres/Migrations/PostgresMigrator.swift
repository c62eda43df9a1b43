#if Postgres
internal import AgentSessions
internal import AgentSessionsThreads

/// Brings a schema up to date, once, however many processes open it at the same moment.
struct PostgresMigrator {
    /// A race is lost at most a few times: after that the winner's tables are there.
    private static let attempts = 10

    let connection: PostgresConnection
    let schema: SchemaName
    let chain: MigrationChain<PostgresMigrationTarget>
    let partitions: Int

    /// The steps that the schema has.
    ///
    /// - Throws: ``StoreError/Code/newerStore`` where its format is newer than this build's.
    func applied() throws(StoreError) -> [AppliedMigration] {
        guard try exists("SELECT to_regclass($1) IS NOT NULL", schema.table("resource_registry")) else { return [] }
        let registry = try query(
            "SELECT max(format_version) FROM \(schema.table("resource_registry")) HAVING count(*) > 0")
        guard registry.count == 1, let version = registry.number(0, 0).flatMap({ Int(exactly: $0) }) else {
            throw .corrupt("The record of the store", "it has no format version", backend: PostgresBackend.name)
        }
        try StoreFormat.check(version)
        let rows = try query(
            "SELECT name, origin, applied_at, build FROM \(schema.table("schema_migrations")) ORDER BY applied_at, name"
        )
        var applied: [AppliedMigration] = []
        for row in 0..<rows.count {
            guard let name = rows.text(row, 0), let origin = rows.text(row, 1).flatMap(MigrationOrigin.init(rawValue:)),
                let time = rows.time(row, 2), let build = rows.text(row, 3)
            else {
                throw .corrupt("The record of migrations", "row \(row + 1)", backend: PostgresBackend.name)
            }
            applied.append(AppliedMigration(name: name, origin: origin, appliedAt: time, build: build))
        }
        return applied
    }

    /// Applies what is missing. The look and the change are one transaction, so that of several openers one does it:
    /// the first step's tables can be made only once, and from then on the table of steps is locked.
    ///
    /// - Throws: ``StoreError/Code/notFound`` where there must be a store and is none.
    func migrate(_ policy: MigrationPolicy, mustExist: Bool) throws(StoreError) {
        let applied = try applied()
        if mustExist, policy != .inspect, applied.isEmpty { throw try storeNotFound() }
        guard try !chain.pending(after: applied, policy: policy).isEmpty else { return }
        for attempt in 1...Self.attempts {
            do throws(StoreError) {
                return try connection.transaction { () throws(StoreError) in try migrateInTransaction(policy) }
            } catch  where error.isLostRace && attempt < Self.attempts {
                WorkerThread.pause(.milliseconds(5 * attempt))
            }
        }
    }

    private func storeNotFound() throws(StoreError) -> StoreError {
        let database = try query("SELECT current_database()").text(0, 0) ?? ""
        return .storeNotFound(
            "in the schema \(quoted(schema.name)) of the database \(quoted(database))", backend: PostgresBackend.name)
    }

    private func migrateInTransaction(_ policy: MigrationPolicy) throws(StoreError) {
        if try !exists("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", schema.name) {
            _ = try query("CREATE SCHEMA \(schema.identifier)")
        }
        if try exists("SELECT to_regclass($1) IS NOT NULL", schema.table("schema_migrations")) {
            _ = try query("LOCK TABLE \(schema.table("schema_migrations")) IN SHARE ROW EXCLUSIVE MODE")
        }
        for step in try chain.pending(after: applied(), policy: policy) { try apply(step) }
    }

    private func apply(_ step: Migration<PostgresMigrationTarget>) throws(StoreError) {
        var target = PostgresMigrationTarget(connection: connection, schema: schema, partitions: partitions)
        try step.apply(&target)
        let now = Timestamp.now()
        if step.parent == nil {
            var registry = Parameters()
            registry.add(try ULIDGenerator.shared.next())
            registry.add(StoreFormat.version)
            registry.add(BuildInfo.writer)
            registry.add(now)
            _ = try query(
                """
                INSERT INTO \(schema.table("resource_registry")) (store_id, format_version, build, created_at) \
                VALUES ($1, $2, $3, $4)
                """, registry)
        }
        var record = Parameters()
        record.add(step.name)
        record.add(step.parent)
        record.add(step.origin.rawValue)
        record.add(now)
        record.add(BuildInfo.writer)
        _ = try query(
            """
            INSERT INTO \(schema.table("schema_migrations")) (name, parent, origin, applied_at, build) \
            VALUES ($1, $2, $3, $4, $5)
            """, record)
    }

    /// - Parameter sql: A statement that gives one boolean.
    private func exists(_ sql: String, _ text: String) throws(StoreError) -> Bool {
        var parameters = Parameters()
        parameters.add(text)
        return try query(sql, parameters).withBytes(0, 0) { $0.first == 1 } ?? false
    }

    private func query(_ sql: String, _ parameters: Parameters = Parameters()) throws(StoreError) -> PostgresResult {
        do throws(PipelineError) {
            return try connection.query(Statement(sql, parameters))
        } catch {
            throw error.readError
        }
    }
}
#endif
