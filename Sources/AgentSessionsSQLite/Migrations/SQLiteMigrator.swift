#if SQLite
internal import AgentSessions

/// Brings a database up to date, once, however many processes open it at the same moment.
struct SQLiteMigrator {
    let connection: SQLiteConnection
    let chain: MigrationChain<SQLiteMigrationTarget>

    /// The steps that the database has.
    ///
    /// - Throws: ``StoreError/Code/newerStore`` where its format is newer than this build's;
    ///   ``StoreError/Code/unavailable`` where tables of these names are another application's.
    func applied() throws(StoreError) -> [AppliedMigration] {
        if connection.isInTransaction { return try readApplied() }
        // All of one moment, as another opener may be making the tables.
        return try SQLiteTransaction(on: connection).snapshot { _ throws(StoreError) in try readApplied() }
    }

    private func readApplied() throws(StoreError) -> [AppliedMigration] {
        guard try isStore() else {
            try requireRoom()
            return []
        }
        let version = try connection.text(of: "SELECT max(format_version) FROM resource_registry")
        guard let version = version.flatMap({ Int($0) }) else {
            throw .corrupt("The record of the store", "it has no format version", backend: SQLiteBackend.name)
        }
        try StoreFormat.check(version)
        let statement = try connection.statement(
            "SELECT name, origin, applied_at, build FROM schema_migrations ORDER BY rowid")
        defer { statement.reset() }
        var applied: [AppliedMigration] = []
        while try statement.step() {
            guard let name = statement.text(0), let origin = statement.text(1).flatMap(MigrationOrigin.init(rawValue:)),
                let time = statement.timestamp(2), let build = statement.text(3)
            else {
                throw .corrupt("The record of migrations", "row \(applied.count + 1)", backend: SQLiteBackend.name)
            }
            applied.append(AppliedMigration(name: name, origin: origin, appliedAt: time, build: build))
        }
        return applied
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

    /// Applies what is missing. The look and the change are one transaction, so that of several openers one does it.
    func migrate(_ policy: MigrationPolicy) throws(StoreError) {
        guard try !chain.pending(after: applied(), policy: policy).isEmpty else { return }
        try connection.execute("BEGIN IMMEDIATE")
        do throws(StoreError) {
            for step in try chain.pending(after: applied(), policy: policy) { try apply(step) }
            try connection.execute("COMMIT")
        } catch {
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
            throw error
        }
    }

    private func apply(_ step: Migration<SQLiteMigrationTarget>) throws(StoreError) {
        var target = SQLiteMigrationTarget(connection: connection)
        try step.apply(&target)
        let now = Timestamp.now()
        if step.parent == nil {
            let registry = try connection.statement(
                "INSERT INTO resource_registry (store_id, format_version, build, created_at) VALUES (?1, ?2, ?3, ?4)")
            try registry.bind(try ULIDGenerator.shared.next(), at: 1)
            try registry.bind(StoreFormat.version, at: 2)
            try registry.bind(BuildInfo.writer, at: 3)
            try registry.bind(now, at: 4)
            try registry.run()
        }
        let record = try connection.statement(
            "INSERT INTO schema_migrations (name, parent, origin, applied_at, build) VALUES (?1, ?2, ?3, ?4, ?5)")
        try record.bind(step.name, at: 1)
        try record.bind(step.parent, at: 2)
        try record.bind(step.origin.rawValue, at: 3)
        try record.bind(now, at: 4)
        try record.bind(BuildInfo.writer, at: 5)
        try record.run()
    }
}
#endif
