#if Postgres
public import AgentSessions

extension PostgresSessionStore {
    /// The server, the database and the schema, by whichever address they are reached.
    public func identity() async throws(StoreError) -> StoreIdentity? {
        let sql = """
            SELECT concat_ws(':', extract(epoch FROM pg_postmaster_start_time())::text, current_database(), \
            (SELECT oid FROM pg_namespace WHERE nspname = $1)::text)
            """
        let identity = try await read { [statements] (transaction) throws(StoreError) in
            try transaction.query(Statement(sql, Parameters(statements.schema.name))).text(0, 0)
        }
        return identity.map { StoreIdentity(backend: backendName, place: $0) }
    }

    /// Checks in the catalogue that tables, indexes and constraints exist and are valid, looks for messages without a
    /// session, and compares each index with its table: with `amcheck` where the database has that extension and the user
    /// may use it, otherwise by counting rows with the index and without it.
    ///
    /// Each statement is bounded by ``PostgresConfiguration/statementTimeout``.
    public func engineChecks() async throws(StoreError) -> [VerificationCheck] {
        let (catalogue, indexes) = try await check { (engine) throws(StoreError) in try engine.catalogue() }
        var orphans = VerificationCheck("orphans", "every message has its session")
        var last: String? = ""
        while let after = last {
            (orphans, last) = try await check { [orphans] (engine) throws(StoreError) in
                try engine.orphans(orphans, after: after)
            }
        }
        return [catalogue, orphans, try await compare(indexes)]
    }

    /// Runs `body` in a transaction of its own.
    private func check<Success: Sendable>(
        _ body: @escaping @Sendable (PostgresEngineCheck) throws(StoreError) -> Success
    ) async throws(StoreError) -> Success {
        try await read { (transaction) throws(StoreError) in try body(PostgresEngineCheck(transaction: transaction)) }
    }

    private func compare(_ indexes: [PostgresEngineCheck.Index]) async throws(StoreError) -> VerificationCheck {
        let amcheck = try await check { (engine) throws(StoreError) in try engine.amcheckFunction() }
        var comparison = VerificationCheck(
            "indexes",
            amcheck == nil
                ? "every index has as many entries as its table has rows (amcheck is not available)"
                : "amcheck: the structure of every index, and an entry for each row")
        for index in indexes {
            let problem: VerificationProblem?
            if let amcheck {
                problem = try await verify(index, by: amcheck)
            } else {
                problem = try await check { (engine) throws(StoreError) in try engine.count(index) }
            }
            comparison.examined += 1
            if let problem { comparison.record(problem) }
        }
        return comparison
    }

    /// Has the server check the structure of an index, and that each row has its entry. This is a transaction of its own,
    /// as the server ends it where it finds damage.
    private func verify(
        _ index: PostgresEngineCheck.Index, by amcheck: String
    ) async throws(StoreError) -> VerificationProblem? {
        do throws(StoreError) {
            try await check { (engine) throws(StoreError) in try engine.verify(index, by: amcheck) }
            return nil
        } catch {
            guard error.code == .corrupt else { throw error }
            return VerificationProblem(
                .missingIndexEntry, "amcheck found damage in the index \(quoted(index.name)): \(error.message)")
        }
    }
}

/// What Postgres reports about its own tables, in one transaction.
struct PostgresEngineCheck {
    /// An index of a table that holds rows itself.
    struct Index: Sendable {
        let name: String
        let table: String
        /// The columns as SQL.
        let columns: String
    }

    /// The number of sessions that are examined at a time.
    private static let sessionsAtOnce: Int64 = 1000

    private static let required = [
        "sessions_pkey", "sessions_by_created_at", "sessions_by_actor_name", "session_messages_pkey",
        "session_messages_by_sequence",
    ]

    let transaction: PostgresTransaction

    private var schema: SchemaName { transaction.statements.schema }

    // MARK: The catalogue

    /// Whether tables, indexes and constraints exist and are valid, and the indexes to compare.
    func catalogue() throws(StoreError) -> (VerificationCheck, [Index]) {
        var check = VerificationCheck("catalogue", "indexes and constraints exist and are valid")
        let rows = try query(
            """
            SELECT i.relname::text, t.relname::text, x.indisvalid AND x.indisready AND x.indislive AS works, \
            i.relkind = 'i' AND a.amname = 'btree' AS has_entries, \
            (SELECT string_agg(pg_get_indexdef(i.oid, k, true), ', ' ORDER BY k) \
            FROM generate_series(1, x.indnkeyatts) AS k) \
            FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS t ON t.oid = x.indrelid \
            JOIN pg_am AS a ON a.oid = i.relam JOIN pg_namespace AS n ON n.oid = t.relnamespace \
            WHERE n.nspname = $1 AND t.relname ~ '^(sessions|session_messages)(_p[0-9]+)?$' ORDER BY 2, 1
            """, Parameters(schema.name))
        var indexes: [Index] = []
        var names: Set<String> = []
        for row in 0..<rows.count {
            guard let name = rows.text(row, 0), let table = rows.text(row, 1), let columns = rows.text(row, 4) else {
                continue
            }
            names.insert(name)
            check.examined += 1
            if !rows.isTrue(row, 2) {
                check.record(VerificationProblem(.schema, "The index \(quoted(name)) is not valid."))
            } else if rows.isTrue(row, 3) {
                indexes.append(Index(name: name, table: table, columns: columns))
            }
        }
        for name in Self.required where !names.contains(name) {
            check.record(VerificationProblem(.schema, "The index \(quoted(name)) is missing."))
        }
        try addConstraints(to: &check)
        return (check, indexes)
    }

    private func addConstraints(to check: inout VerificationCheck) throws(StoreError) {
        let rows = try query(
            """
            SELECT c.conname::text, c.convalidated, c.contype = 'f' AND t.relname = 'session_messages' \
            FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid \
            JOIN pg_namespace AS n ON n.oid = t.relnamespace WHERE n.nspname = $1 \
            AND t.relname ~ '^(sessions|session_messages)(_p[0-9]+)?$' ORDER BY 1
            """, Parameters(schema.name))
        var hasForeignKey = false
        for row in 0..<rows.count {
            check.examined += 1
            if rows.isTrue(row, 2) { hasForeignKey = true }
            guard !rows.isTrue(row, 1) else { continue }
            check.record(
                VerificationProblem(.schema, "The constraint \(quoted(rows.text(row, 0) ?? "?")) is not validated."))
        }
        if !hasForeignKey {
            check.record(
                VerificationProblem(.schema, "The foreign key of session_messages to sessions is missing."))
        }
    }

    // MARK: Orphans

    /// Examines sessions that have messages, after one of them. The index gives each without reading its messages.
    ///
    /// - Returns: The check so far, and the session to continue after; `nil` at the end.
    func orphans(
        _ check: VerificationCheck, after: String
    ) throws(StoreError) -> (VerificationCheck, last: String?) {
        let messages = schema.table("session_messages")
        var parameters = Parameters()
        parameters.add(after)
        parameters.add(Self.sessionsAtOnce)
        let rows = try query(
            """
            WITH RECURSIVE owners (id, number) AS ( \
            (SELECT session_id, 1::bigint FROM \(messages) WHERE session_id > $1::text COLLATE "C" \
            ORDER BY session_id LIMIT 1) \
            UNION ALL SELECT (SELECT m.session_id FROM \(messages) AS m WHERE m.session_id > o.id \
            ORDER BY m.session_id LIMIT 1), o.number + 1 FROM owners AS o WHERE o.id IS NOT NULL AND o.number < $2) \
            SELECT o.id, EXISTS (SELECT FROM \(schema.table("sessions")) AS s WHERE s.id = o.id), \
            (SELECT min(sequence) FROM \(messages) AS m WHERE m.session_id = o.id) \
            FROM owners AS o WHERE o.id IS NOT NULL ORDER BY o.number
            """, parameters)
        var check = check
        var last: String?
        for row in 0..<rows.count {
            last = rows.text(row, 0)
            check.examined += 1
            guard !rows.isTrue(row, 1) else { continue }
            check.record(
                VerificationProblem(
                    .orphan, "Messages exist without their session.", sessionID: last.flatMap { ULID($0) },
                    sequence: rows.number(row, 2).flatMap { Int(exactly: $0) }))
        }
        return (check, rows.count < Int(Self.sessionsAtOnce) ? nil : last)
    }

    // MARK: Indexes

    /// The function of `amcheck` as SQL, where the user may call it.
    func amcheckFunction() throws(StoreError) -> String? {
        let rows = try query(
            """
            SELECT quote_ident(n.nspname) || '.bt_index_check' FROM pg_proc AS p \
            JOIN pg_namespace AS n ON n.oid = p.pronamespace \
            JOIN pg_depend AS d ON d.objid = p.oid AND d.deptype = 'e' \
            JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'amcheck' \
            WHERE p.proname = 'bt_index_check' AND p.pronargs = 2 AND has_function_privilege(p.oid, 'EXECUTE')
            """)
        return rows.count > 0 ? rows.text(0, 0) : nil
    }

    /// - Throws: ``StoreError/Code/corrupt`` where the server finds damage.
    func verify(_ index: Index, by amcheck: String) throws(StoreError) {
        _ = try query("SELECT \(amcheck)(to_regclass('\(escaped(index.name))'), true)")
    }

    /// Counts the rows of a table with an index, and without any.
    func count(_ index: Index) throws(StoreError) -> VerificationProblem? {
        let table = schema.table(index.table)
        try plan(seqscan: false)
        let entries = try query(
            "SELECT count(*) FROM (SELECT 1 FROM \(table) ORDER BY \(index.columns) OFFSET 0) AS run"
        ).number(0, 0)
        try plan(seqscan: true)
        let rows = try query("SELECT count(*) FROM \(table)").number(0, 0)
        guard entries != rows, let entries, let rows else { return nil }
        return VerificationProblem(
            entries < rows ? .missingIndexEntry : .danglingIndexEntry,
            "The index \(quoted(index.name)) does not have one entry for each row of its table.", expected: "\(rows)",
            actual: "\(entries)")
    }

    /// Makes the next statements of the transaction read tables with indexes only, or without any.
    private func plan(seqscan: Bool) throws(StoreError) {
        let settings =
            [("enable_seqscan", seqscan), ("enable_sort", seqscan), ("enable_bitmapscan", false)]
            + [("enable_indexscan", !seqscan), ("enable_indexonlyscan", !seqscan)]
        let calls = settings.map { "set_config('\($0)', '\($1 ? "on" : "off")', true)" }
        _ = try query("SELECT \(calls.joined(separator: ", "))")
    }

    private func escaped(_ name: String) -> String {
        let doubled = schema.table(name).split(separator: "'", omittingEmptySubsequences: false)
        return doubled.joined(separator: "''")
    }

    private func query(_ sql: String, _ parameters: Parameters = Parameters()) throws(StoreError) -> PostgresResult {
        try transaction.query(Statement(sql, parameters))
    }
}

extension PostgresResult {
    /// Whether a `boolean` is true.
    fileprivate func isTrue(_ row: Int, _ column: Int) -> Bool {
        withBytes(row, column) { $0.first == 1 } ?? false
    }
}
#endif
