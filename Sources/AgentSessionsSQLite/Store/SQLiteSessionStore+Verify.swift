#if SQLite
public import AgentSessions

extension SQLiteSessionStore {
    /// The file, however its path is written.
    public func identity() async throws(StoreError) -> StoreIdentity? {
        // Throws where the store was closed.
        _ = try await read { _ throws(StoreError) in true }
        return FileIdentity(at: configuration.path)?.store(of: backendName)
    }

    /// `PRAGMA integrity_check`, `PRAGMA foreign_key_check` and a search for orphans, on a connection of their own and
    /// of one moment. While they run, the write-ahead log keeps what others write.
    public func engineChecks() async throws(StoreError) -> [VerificationCheck] {
        // Throws where the store was closed.
        _ = try await read { _ throws(StoreError) in true }
        let (configuration, files) = (configuration, files)
        return try await onOwnThread { (cancellation) throws(StoreError) in
            let connection = try SQLiteConnection.reader(configuration, of: files)
            // All of one moment. The connection ends it as it goes: after damage, SQLite may refuse to commit even this.
            try connection.execute("BEGIN")
            let check = SQLiteEngineCheck(connection: connection)
            var checks = [try check.integrity()]
            try cancellation.check()
            checks.append(try check.foreignKeys())
            try cancellation.check()
            checks.append(try check.orphans())
            return checks
        }
    }
}

/// What SQLite finds in its own file.
struct SQLiteEngineCheck {
    let connection: SQLiteConnection

    /// Pages, indexes against rows, and types of columns.
    func integrity() throws(StoreError) -> VerificationCheck {
        var check = VerificationCheck(
            "integrity_check", "PRAGMA integrity_check: every page, every index against its rows, types of columns")
        try count(&check, "PRAGMA page_count")
        try collect(&check, "PRAGMA integrity_check(1000)") { row in
            guard let text = row.shown(0), text != "ok" else { return nil }
            return VerificationProblem(Self.kind(of: text), text)
        }
        return check
    }

    /// SQLite says in words what it found: `row 3 missing from index …`, `wrong # of entries in index …`.
    private static func kind(of text: String) -> VerificationProblem.Kind {
        if text.contains("missing from index") { return .missingIndexEntry }
        if text.contains("entries in index") { return .danglingIndexEntry }
        return .engine
    }

    /// References to rows that are not there, in every table of the file.
    func foreignKeys() throws(StoreError) -> VerificationCheck {
        var check = VerificationCheck(
            "foreign_key_check", "PRAGMA foreign_key_check: no row refers to one that is not there")
        try count(&check, "SELECT count(*) FROM session_messages")
        // Those of session_messages are told session by session: the next check.
        try collect(&check, "PRAGMA foreign_key_check") { row in
            guard let table = row.shown(0), table != "session_messages" else { return nil }
            return VerificationProblem(
                .orphan, "Row \(row.shown(1) ?? "?") of \(quoted(table)) refers to a row that is not there.")
        }
        return check
    }

    func orphans() throws(StoreError) -> VerificationCheck {
        var check = VerificationCheck("orphans", "every message has its session")
        try count(&check, "SELECT count(*) FROM session_messages")
        try collect(
            &check,
            """
            SELECT m.session_id, count(*), min(m.sequence) FROM session_messages AS m \
            LEFT JOIN sessions AS s ON s.id = m.session_id WHERE s.id IS NULL GROUP BY m.session_id
            """
        ) { row in
            VerificationProblem(
                .orphan, "\(row.shown(1) ?? "?") messages are there without their session.",
                sessionID: row.shown(0).flatMap { ULID($0) }, sequence: row.integer(2).flatMap { Int(exactly: $0) })
        }
        return check
    }

    /// Counts what is looked at. Damage that keeps SQLite from counting shows in what follows.
    private func count(_ check: inout VerificationCheck, _ sql: String) throws(StoreError) {
        do throws(StoreError) {
            check.examined = try connection.text(of: sql).flatMap { Int($0) } ?? 0
        } catch {
            guard error.code == .corrupt else { throw error }
        }
    }

    /// Makes a problem of each row; a statement that SQLite cannot run to its end because of damage is one too.
    private func collect(
        _ check: inout VerificationCheck, _ sql: String, _ problem: (SQLiteStatement) -> VerificationProblem?
    ) throws(StoreError) {
        do throws(StoreError) {
            let statement = try connection.statement(text: sql)
            defer { statement.reset() }
            while try statement.step() {
                if let found = problem(statement) { check.record(found) }
            }
        } catch {
            guard error.code == .corrupt else { throw error }
            check.record(VerificationProblem(.engine, error.message))
        }
    }
}
#endif
