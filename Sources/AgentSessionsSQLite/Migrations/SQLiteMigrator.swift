#if SQLite
internal import AgentSessions

/// Brings a database up to date, once, however many processes open it at the same moment.
struct SQLiteMigrator {
    let connection: SQLiteConnection
    let chain: MigrationChain<SQLiteMigrationTarget>

    /// The steps that the database has.
    ///
    /// - Throws: ``StoreError/Code/newerStore`` where its format is newer than this build's.
    func applied() throws(StoreError) -> [AppliedMigration] {
        let table = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'resource_registry'"
        guard try connection.text(of: table) != nil else { return [] }
        let version = try connection.text(of: "SELECT CAST(max(format_version) AS TEXT) FROM resource_registry")
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
                let time = Timestamp(microseconds: statement.integer(2)), let build = statement.text(3)
            else {
                throw .corrupt("The record of migrations", "row \(applied.count + 1)", backend: SQLiteBackend.name)
            }
            applied.append(AppliedMigration(name: name, origin: origin, appliedAt: time, build: build))
        }
        return applied
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
