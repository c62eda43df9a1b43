#if Postgres
public import AgentSessions

// The table of records is not a step of the migration chain: the first copy into a store makes it. It holds notes, which a
// build that does not know them leaves alone.
extension PostgresSessionStore {
    /// How often to look again for a table that another copy may have made at the same moment.
    private static let attempts = 3

    /// The id in the store's own record.
    public func storeID() async throws(StoreError) -> ULID? {
        try await read { [statements] (transaction) throws(StoreError) in
            let registry = statements.schema.table("resource_registry")
            let rows = try transaction.query(Statement("SELECT store_id FROM \(registry)"))
            return rows.count > 0 ? rows.text(0, 0).flatMap { ULID($0) } : nil
        }
    }

    /// Makes the table of records if there is none.
    ///
    /// - Returns: Whether the user may use the table. A user without the rights for it copies without records.
    public func keepCopyRecords() async throws(StoreError) -> Bool {
        for attempt in 1... {
            do throws(StoreError) {
                return try await write { (transaction) throws(StoreError) in
                    if let mayUse = try transaction.mayUseCopyRecords() { return mayUse }
                    try transaction.makeCopyRecords()
                    return true
                }
            } catch {
                if error.nativeCode == SQLState.noPrivilege { return false }
                guard error.isLostRace, attempt < Self.attempts else { throw error }
            }
        }
        return false
    }
}

extension PostgresTransaction {
    /// Whether the user may read and write the table of records; `nil` where there is none.
    fileprivate func mayUseCopyRecords() throws(StoreError) -> Bool? {
        let table = Parameters(statements.schema.table(StoreStatements.copiesTable))
        let rows = try query(
            Statement(
                """
                SELECT CASE WHEN to_regclass($1::text) IS NULL THEN 0 \
                WHEN has_table_privilege($1::text, 'SELECT') AND has_table_privilege($1::text, 'INSERT') \
                AND has_table_privilege($1::text, 'UPDATE') THEN 2 ELSE 1 END::bigint
                """, table))
        switch rows.number(0, 0) {
        case 2: return true
        case 1: return false
        default: return nil
        }
    }

    fileprivate func makeCopyRecords() throws(StoreError) {
        let (copies, sessions) = (
            statements.schema.table(StoreStatements.copiesTable), statements.schema.table("sessions")
        )
        try query(
            Statement(
                """
                CREATE TABLE \(copies) (
                    session_id text COLLATE "C" PRIMARY KEY REFERENCES \(sessions) (id) ON DELETE CASCADE,
                    source_id text COLLATE "C" NOT NULL,
                    revision timestamptz NOT NULL
                )
                """))
    }

    public func copyRecord(of session: ULID) throws(StoreError) -> CopyRecord? {
        guard try mayUseCopyRecords() == true else { return nil }
        let rows = try query(statements.copyRecord.with(Parameters(session)))
        guard rows.count > 0 else { return nil }
        return try CopyRecord(
            storedIn: PostgresBackend.name, of: session, source: rows.text(0, 0).flatMap { ULID($0) },
            revision: rows.time(0, 1))
    }

    public func put(_ record: CopyRecord, of session: ULID) throws(StoreError) {
        var parameters = Parameters()
        parameters.add(session)
        parameters.add(record.source)
        parameters.add(record.revision)
        try query(statements.putCopyRecord.with(parameters))
    }
}
#endif
