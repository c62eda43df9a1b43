#if SQLite
public import AgentSessions

// The table is no step of the migration chain: the first copy into a store makes it. It holds notes, which a build that
// does not know them leaves alone.
extension SQLiteTransaction {
    /// Makes the table of records where there is none.
    mutating func makeCopyRecords() throws(StoreError) {
        guard try !hasCopyRecords() else { return }
        try change(
            connection.statement(
                """
                CREATE TABLE session_copies (
                    session_id TEXT PRIMARY KEY NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
                    source_id TEXT NOT NULL,
                    revision INTEGER NOT NULL
                ) STRICT
                """))
    }

    private func hasCopyRecords() throws(StoreError) -> Bool {
        try connection.text(of: "SELECT name FROM sqlite_schema WHERE name = 'session_copies'") != nil
    }

    public func copyRecord(of session: ULID) throws(StoreError) -> CopyRecord? {
        guard try hasCopyRecords() else { return nil }
        let statement = try connection.statement(
            "SELECT source_id, revision FROM session_copies WHERE session_id = ?1")
        defer { statement.reset() }
        try statement.bind(session, at: 1)
        guard try statement.step() else { return nil }
        return try CopyRecord(
            storedIn: SQLiteBackend.name, of: session, source: statement.ulid(0), revision: statement.timestamp(1))
    }

    public mutating func put(_ record: CopyRecord, of session: ULID) throws(StoreError) {
        guard try hasCopyRecords() else { return }
        let statement = try connection.statement(
            "INSERT OR REPLACE INTO session_copies (session_id, source_id, revision) VALUES (?1, ?2, ?3)")
        try statement.bind(session, at: 1)
        try statement.bind(record.source, at: 2)
        try statement.bind(record.revision, at: 3)
        try change(statement)
    }
}
#endif
