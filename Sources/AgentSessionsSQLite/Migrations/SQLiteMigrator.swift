#if SQLite
package import AgentSessions

/// Brings a database up to date.
struct SQLiteMigrator: Migrator {
    let connection: SQLiteConnection
    let chain: MigrationChain<SQLiteMigrationTarget>

    func read<Result>(
        _ body: (SQLiteMigrationTarget) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        // All of one moment, as another opener may be making the tables.
        try SQLiteTransaction(on: connection).snapshot { _ throws(StoreError) in
            try body(SQLiteMigrationTarget(connection: connection))
        }
    }

    func write(_ body: (inout SQLiteMigrationTarget) throws(StoreError) -> Void) throws(StoreError) {
        try connection.execute("BEGIN IMMEDIATE")
        do throws(StoreError) {
            var target = SQLiteMigrationTarget(connection: connection)
            try body(&target)
            try connection.execute("COMMIT")
        } catch {
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
            throw error
        }
    }

    func storeNotFound() -> StoreError { DatabaseFile.storeNotFound(connection.path) }
}

extension SQLiteMigrationTarget: MigrationTarget {
    package func formatVersion() throws(StoreError) -> Int? {
        guard try isStore() else {
            try requireRoom()
            return nil
        }
        let version = try connection.text(of: "SELECT max(format_version) FROM resource_registry")
        guard let version = version.flatMap({ Int($0) }) else {
            throw .corrupt("The record of the store", "it has no format version", backend: SQLiteBackend.name)
        }
        return version
    }

    /// Whether the database has the store's own record.
    private func isStore() throws(StoreError) -> Bool {
        try connection.text(
            of: "SELECT name FROM pragma_table_info('resource_registry') WHERE name = 'format_version'") != nil
    }

    /// Checks that a database without the store's record is fit to take the store.
    private func requireRoom() throws(StoreError) {
        // Texts in UTF-16 would come back changed: SQLite has no U+FFFE there.
        let encoding = try connection.text(of: "PRAGMA encoding")
        guard encoding == "UTF-8" else {
            throw unfit("keeps text in \(encoding ?? "no encoding"), and a store needs UTF-8")
        }
        let taken = try connection.text(
            of: """
                SELECT name FROM sqlite_schema WHERE lower(name) IN ('resource_registry', 'schema_migrations', \
                'sessions', 'session_messages') ORDER BY name
                """)
        if let taken { throw unfit("has a table \(quoted(taken)) of another application") }
    }

    private func unfit(_ reason: String) -> StoreError {
        StoreError(
            .unavailable,
            "The database \(quoted(connection.path, limit: 200)) \(reason). It was left untouched. Name another file.",
            backend: SQLiteBackend.name)
    }

    package func recordedMigrations() throws(StoreError) -> [AppliedMigration] {
        let statement = try connection.statement(
            "SELECT name, origin, applied_at, build FROM schema_migrations ORDER BY rowid")
        defer { statement.reset() }
        var applied: [AppliedMigration] = []
        while try statement.step() {
            applied.append(
                try AppliedMigration(
                    storedIn: SQLiteBackend.name, row: applied.count + 1, name: statement.text(0),
                    origin: statement.text(1), appliedAt: statement.timestamp(2), build: statement.text(3)))
        }
        return applied
    }

    package func keep(_ record: StoreRecord) throws(StoreError) {
        let statement = try connection.statement(
            "INSERT INTO resource_registry (store_id, format_version, build, created_at) VALUES (?1, ?2, ?3, ?4)")
        try statement.bind(record.storeID, at: 1)
        try statement.bind(record.formatVersion, at: 2)
        try statement.bind(record.build, at: 3)
        try statement.bind(record.createdAt, at: 4)
        try statement.run()
    }

    package func keep(_ migration: AppliedMigration, parent: String?, number: Int) throws(StoreError) {
        let statement = try connection.statement(
            "INSERT INTO schema_migrations (name, parent, origin, applied_at, build) VALUES (?1, ?2, ?3, ?4, ?5)")
        try statement.bind(migration.name, at: 1)
        try statement.bind(parent, at: 2)
        try statement.bind(migration.origin.rawValue, at: 3)
        try statement.bind(migration.appliedAt, at: 4)
        try statement.bind(migration.build, at: 5)
        try statement.run()
    }
}
#endif
