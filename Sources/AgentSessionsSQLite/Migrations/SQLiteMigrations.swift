#if SQLite
public import AgentSessions

/// What a step of the migration chain works on: the store's database, inside the migration's transaction.
public struct SQLiteMigrationTarget {
    let connection: SQLiteConnection

    /// Runs SQL statements, separated by semicolons, that give no rows.
    ///
    /// - Throws: What SQLite reports; the migration is undone then.
    public func execute(_ sql: String) throws(StoreError) {
        try connection.execute(sql)
    }
}

/// The steps of this package, for SQLite. The tables are described in `docs/reference/database_schema.md`, and why
/// they are laid out like this in `docs/decisions/0001-sqlite-table-layout.md`.
enum SQLiteMigrations {
    static func chain(
        followedBy application: [Migration<SQLiteMigrationTarget>]
    ) throws(StoreError) -> MigrationChain<SQLiteMigrationTarget> {
        try MigrationChain([resourceRegistry, sessionPersistence] + application)
    }

    private static let resourceRegistry = Migration<SQLiteMigrationTarget>(
        name: StoreFormat.Step.resourceRegistry, parent: nil, origin: .core
    ) { (target) throws(StoreError) in
        try target.execute(
            """
            CREATE TABLE resource_registry (
                store_id TEXT PRIMARY KEY NOT NULL,
                format_version INTEGER NOT NULL,
                build TEXT NOT NULL,
                created_at INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE schema_migrations (
                name TEXT PRIMARY KEY NOT NULL,
                parent TEXT,
                origin TEXT NOT NULL,
                applied_at INTEGER NOT NULL,
                build TEXT NOT NULL
            ) STRICT;
            """)
    }

    private static let sessionPersistence = Migration<SQLiteMigrationTarget>(
        name: StoreFormat.Step.sessionPersistence, parent: StoreFormat.Step.resourceRegistry, origin: .core
    ) { (target) throws(StoreError) in
        try target.execute(
            """
            CREATE TABLE sessions (
                id TEXT PRIMARY KEY NOT NULL,
                actor_name TEXT NOT NULL,
                message_count INTEGER NOT NULL,
                input_tokens INTEGER NOT NULL,
                output_tokens INTEGER NOT NULL,
                estimated_cost INTEGER NOT NULL,
                metadata TEXT NOT NULL,
                created_at INTEGER NOT NULL,
                updated_at INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX sessions_by_created_at ON sessions (created_at, id);
            CREATE INDEX sessions_by_actor_name ON sessions (actor_name, created_at, id);
            CREATE TABLE session_messages (
                id TEXT NOT NULL,
                session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
                sequence INTEGER NOT NULL,
                role TEXT NOT NULL,
                content TEXT NOT NULL,
                tool_call_id TEXT,
                metadata TEXT NOT NULL,
                created_at INTEGER NOT NULL,
                PRIMARY KEY (id, session_id)
            ) STRICT;
            CREATE UNIQUE INDEX session_messages_by_sequence ON session_messages (session_id, sequence);
            """)
    }
}
#endif
