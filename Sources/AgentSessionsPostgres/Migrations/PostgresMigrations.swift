#if Postgres
public import AgentSessions

/// What a step of the migration chain works on: the store's schema, inside the migration's transaction.
public struct PostgresMigrationTarget {
    let connection: PostgresConnection
    let schema: SchemaName
    /// Into how many partitions by session the store's tables are divided; 0 for none.
    public let partitions: Int

    /// The schema of the store as an identifier, to stand before the name of a table.
    public var schemaIdentifier: String { schema.identifier }

    /// Runs SQL statements, separated by semicolons, that give no rows. Name tables with ``schemaIdentifier``.
    ///
    /// - Throws: What Postgres reports; the migration is undone then.
    public func execute(_ sql: String) throws(StoreError) {
        do throws(PipelineError) {
            try connection.execute(sql)
        } catch {
            throw error.readError
        }
    }
}

/// The steps of this package, for Postgres.
///
/// Every key of `session_messages` holds the session, so that the table can be divided and distributed by it. One index
/// alone begins with it: a plan that is made while the tables are empty has no choice then, and stays right.
/// `updated_at` and the counters have no index, and pages of `sessions` keep room, so that an append changes its
/// session's row in place (a HOT update).
enum PostgresMigrations {
    static func chain(
        followedBy application: [Migration<PostgresMigrationTarget>]
    ) throws(StoreError) -> MigrationChain<PostgresMigrationTarget> {
        try MigrationChain([resourceRegistry, sessionPersistence] + application)
    }

    private static let resourceRegistry = Migration<PostgresMigrationTarget>(
        name: StoreFormat.Step.resourceRegistry, parent: nil, origin: .core
    ) { (target) throws(StoreError) in
        let schema = target.schemaIdentifier
        try target.execute(
            """
            CREATE TABLE \(schema).resource_registry (
                store_id text COLLATE "C" PRIMARY KEY,
                format_version bigint NOT NULL,
                build text NOT NULL,
                created_at timestamptz NOT NULL
            );
            CREATE TABLE \(schema).schema_migrations (
                name text COLLATE "C" PRIMARY KEY,
                parent text,
                origin text NOT NULL,
                applied_at timestamptz NOT NULL,
                build text NOT NULL
            );
            """)
    }

    private static let sessionPersistence = Migration<PostgresMigrationTarget>(
        name: StoreFormat.Step.sessionPersistence, parent: StoreFormat.Step.resourceRegistry, origin: .core
    ) { (target) throws(StoreError) in
        let schema = target.schemaIdentifier
        let sessionStorage = "WITH (fillfactor = 60)"
        try target.execute(
            """
            CREATE TABLE \(schema).sessions (
                id text COLLATE "C" PRIMARY KEY,
                actor_name text COLLATE "C" NOT NULL,
                message_count bigint NOT NULL,
                input_tokens bigint NOT NULL,
                output_tokens bigint NOT NULL,
                estimated_cost bigint NOT NULL,
                metadata json NOT NULL,
                created_at timestamptz NOT NULL,
                updated_at timestamptz NOT NULL
            ) \(target.partitions > 0 ? "PARTITION BY HASH (id)" : sessionStorage);
            CREATE TABLE \(schema).session_messages (
                id text COLLATE "C" NOT NULL,
                session_id text COLLATE "C" NOT NULL REFERENCES \(schema).sessions (id) ON DELETE CASCADE,
                sequence bigint NOT NULL,
                role text COLLATE "C" NOT NULL,
                content text NOT NULL,
                tool_call_id text,
                metadata json NOT NULL,
                created_at timestamptz NOT NULL,
                PRIMARY KEY (id, session_id)
            ) \(target.partitions > 0 ? "PARTITION BY HASH (session_id)" : "");
            """)
        for remainder in 0..<target.partitions {
            let values = "FOR VALUES WITH (MODULUS \(target.partitions), REMAINDER \(remainder))"
            try target.execute(
                """
                CREATE TABLE \(schema).sessions_p\(remainder) PARTITION OF \(schema).sessions \(values) \
                \(sessionStorage);
                CREATE TABLE \(schema).session_messages_p\(remainder) PARTITION OF \(schema).session_messages \(values);
                """)
        }
        try target.execute(
            """
            CREATE INDEX sessions_by_created_at ON \(schema).sessions (created_at, id);
            CREATE INDEX sessions_by_actor_name ON \(schema).sessions (actor_name, created_at, id);
            CREATE UNIQUE INDEX session_messages_by_sequence ON \(schema).session_messages (session_id, sequence);
            """)
    }
}
#endif
