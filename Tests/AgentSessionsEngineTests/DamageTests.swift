#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsBackends
import AgentSessionsLMDB
import AgentSessionsMemory
import Foundation
import AgentSessionsPostgresServer
import Testing

/// Damage that bypasses the store, and the problem that `verify` must name.
struct Damage: Sendable, CustomTestStringConvertible {
    /// `{id}` stands for the id of the session.
    let sql: String
    let kind: String
    /// Whether reading the session's messages must fail as corrupt.
    var breaksReading = true

    var testDescription: String { sql }
}

@Suite("Verification of damaged stores", .serialized, .enabled(if: PostgresCluster.isInstalled))
struct DamageTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    /// A store with three sessions; gives the one to damage.
    private func fill(_ url: String) async throws -> Session {
        try await shop.withStore(url) { store in
            let service = store.makeService()
            _ = try await service.filled(3, actor: "first")
            let session = try await service.filled(5, actor: "middle")
            _ = try await service.filled(450, actor: "last")
            return session
        }
    }

    private func expectNamed(
        _ damage: Damage, in url: String, _ session: Session, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let (status, report) = try await shop.verify(url)
        #expect(status == 1, sourceLocation: location)
        #expect(!report.problems(damage.kind).isEmpty, "\(report)", sourceLocation: location)
        let text = try await shop.tool("--store", url, "verify")
        #expect(text.status == 1 && text.output.contains(damage.kind), sourceLocation: location)
        #expect(text.errors.contains("The store is damaged"), sourceLocation: location)
        guard damage.breaksReading else { return }
        #expect(
            "\(report)".contains(session.id.description) || damage.kind == "undecodable", "\(report)",
            sourceLocation: location)
        try await shop.withStore(url) { store in
            let error = try await storeError { () async throws(StoreError) in
                try await store.makeService().messages(in: session.id, .after(0), limit: 100)
            }
            #expect(error.code == .corrupt, "\(error)", sourceLocation: location)
        }
    }

    @Test("A verification finds no damage in an intact store", arguments: Engine.allCases)
    func intact(engine: Engine) async throws {
        let url = try shop.url(engine)
        _ = try await fill(url)
        let (status, report) = try await shop.verify(url)
        #expect(status == 0, "\(report)")
        #expect(report["sessions"] == 3 && report["messages"] == 458 && report["problems"] == [])
        let checks = try #require(report["checks"]?.arrayValue)
        #expect(checks.count > 6 && checks.allSatisfy { ($0["examined"]?.integerValue ?? 0) > 0 }, "\(checks)")
    }

    // MARK: SQLite

    @Test(
        "A verification names damaged rows in SQLite",
        arguments: [
            Damage(sql: "DELETE FROM session_messages WHERE session_id = '{id}' AND sequence = 3", kind: "gap"),
            Damage(
                sql: "DELETE FROM session_messages WHERE session_id = '{id}' AND sequence = 5", kind: "messageCount"),
            Damage(sql: "UPDATE sessions SET message_count = 4 WHERE id = '{id}'", kind: "messageCount"),
            Damage(
                sql: "UPDATE sessions SET message_count = 9223372036854775807 WHERE id = '{id}'", kind: "messageCount"),
            Damage(sql: "DELETE FROM sessions WHERE id = '{id}'", kind: "orphan", breaksReading: false),
            Damage(
                sql:
                    "UPDATE session_messages SET content = CAST(x'61ff' AS TEXT) WHERE session_id = '{id}' AND sequence = 2",
                kind: "undecodable"),
            Damage(
                sql: "UPDATE session_messages SET role = 'USER' WHERE session_id = '{id}' AND sequence = 5",
                kind: "undecodable"),
            Damage(sql: "UPDATE sessions SET metadata = '[' WHERE id = '{id}'", kind: "undecodable"),
            Damage(
                sql: "UPDATE sessions SET actor_name = 'a' || char(10) WHERE id = '{id}'", kind: "outsideLimits",
                breaksReading: false),
            Damage(
                sql: "UPDATE sessions SET updated_at = 5 WHERE id = '{id}'", kind: "outsideLimits", breaksReading: false
            ),
        ])
    func sqlite(damage: Damage) async throws {
        let url = try shop.url(.sqlite, "a")
        let session = try await fill(url)
        let file = try RawFile("\(shop.path)/a.db")
        try file.execute(damage.sql.replacing("{id}", with: session.id.description))
        try await expectNamed(damage, in: url, session)
    }

    @Test(
        "A verification names a damaged index in SQLite",
        arguments: ["sessions_by_created_at", "sessions_by_actor_name", "session_messages_by_sequence"])
    func sqliteIndex(index: String) async throws {
        let url = try shop.url(.sqlite, "a")
        let session = try await fill(url)
        let path = "\(shop.path)/a.db"
        // A row is deleted while the index is hidden, so its entry stays; then a row is added without an entry.
        let other = session.id.description
        let hidden = try RawFile(path)
        let schema = try #require(try hidden.value("SELECT sql FROM sqlite_schema WHERE name = '\(index)'"))
        let root = try #require(try hidden.value("SELECT rootpage FROM sqlite_schema WHERE name = '\(index)'"))
        let table = index.hasPrefix("sessions") ? "sessions" : "session_messages"
        try hidden.execute(
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = '\(index)'; PRAGMA writable_schema = RESET"
        )
        try RawFile(path).execute(
            table == "sessions"
                ? "DELETE FROM sessions WHERE id = '\(other)'"
                : "DELETE FROM session_messages WHERE session_id = '\(other)' AND sequence = 2")
        try RawFile(path).execute(
            """
            PRAGMA writable_schema = ON; INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) \
            VALUES ('index', '\(index)', '\(table)', \(root), '\(schema)')
            """)
        try await expectNamed(
            Damage(sql: "", kind: "danglingIndexEntry", breaksReading: false), in: url, session)
    }

    @Test("A verification names damaged pages in SQLite")
    func sqlitePages() async throws {
        let url = try shop.url(.sqlite, "a")
        let session = try await fill(url)
        let path = "\(shop.path)/a.db"
        let root = try #require(
            try RawFile(path).value("SELECT rootpage FROM sqlite_schema WHERE name = 'session_messages_by_sequence'")
                .flatMap { Int($0) })
        var bytes = try Data(contentsOf: URL(filePath: path))
        for offset in 0..<40 { bytes[(root - 1) * 4096 + offset] ^= 0xFF }
        try bytes.write(to: URL(filePath: path))
        try await expectNamed(Damage(sql: "", kind: "engine"), in: url, session)
    }

    // MARK: Postgres

    @Test(
        "A verification names damaged rows in Postgres",
        arguments: [
            Damage(sql: "DELETE FROM session_messages WHERE session_id = '{id}' AND sequence = 3", kind: "gap"),
            Damage(sql: "UPDATE sessions SET message_count = 7 WHERE id = '{id}'", kind: "messageCount"),
            Damage(
                sql: "SET session_replication_role = replica; DELETE FROM sessions WHERE id = '{id}'", kind: "orphan",
                breaksReading: false),
            Damage(
                sql: "UPDATE session_messages SET content = chr(1) || 'x' WHERE session_id = '{id}' AND sequence = 2",
                kind: "undecodable"),
            Damage(
                sql: "UPDATE session_messages SET role = 'USER' WHERE session_id = '{id}' AND sequence = 2",
                kind: "undecodable"),
            Damage(
                sql: "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'sessions_by_actor_name'::regclass",
                kind: "schema", breaksReading: false),
            Damage(sql: "DROP INDEX sessions_by_actor_name", kind: "schema", breaksReading: false),
            Damage(
                sql: "ALTER TABLE session_messages DROP CONSTRAINT session_messages_session_id_fkey", kind: "schema",
                breaksReading: false),
            Damage(
                sql: """
                    ALTER TABLE session_messages DROP CONSTRAINT session_messages_session_id_fkey; \
                    ALTER TABLE session_messages ADD FOREIGN KEY (session_id) REFERENCES sessions (id) NOT VALID
                    """, kind: "schema", breaksReading: false),
        ])
    func postgres(damage: Damage) async throws {
        let schema = PostgresCluster.freshSchema()
        let url = try shop.url(.postgres, schema)
        let session = try await fill(url)
        try await PostgresCluster.shared().sql(
            "SET search_path = \(schema); " + damage.sql.replacing("{id}", with: session.id.description))
        try await expectNamed(damage, in: url, session)
    }

    @Test("A verification names a damaged index in Postgres", arguments: [false, true])
    func postgresIndex(withExtension: Bool) async throws {
        let server = try PostgresCluster.shared()
        let schema = PostgresCluster.freshSchema()
        var url = try shop.url(.postgres, schema)
        if withExtension {
            let database = "d\(schema)"
            try await server.sql("CREATE DATABASE \(database)")
            url = url.replacing("///postgres?", with: "///\(database)?")
            try server.asUser(
                "psql", ["-h", server.folder, "-U", "postgres", "-d", database, "-c", "CREATE EXTENSION amcheck"])
        }
        let session = try await fill(url)
        // A row that is added while the index is not maintained has no entry.
        let database = withExtension ? "d\(schema)" : "postgres"
        for sql in [
            "UPDATE pg_index SET indisready = false WHERE indexrelid = '\(schema).sessions_by_actor_name'::regclass",
            """
            INSERT INTO \(schema).sessions SELECT '7ZZZZZZZZZZZZZZZZZZZZZZZZZ', actor_name, 0, 0, 0, 0, metadata, \
            created_at, updated_at FROM \(schema).sessions LIMIT 1
            """,
            "UPDATE pg_index SET indisready = true WHERE indexrelid = '\(schema).sessions_by_actor_name'::regclass",
        ] {
            try server.asUser("psql", ["-h", server.folder, "-U", "postgres", "-d", database, "-c", sql])
        }
        try await expectNamed(
            Damage(sql: "", kind: "missingIndexEntry", breaksReading: false), in: url, session)
        let (_, report) = try await shop.verify(url)
        let check = try #require(report["checks"]?.arrayValue?.first { $0["name"] == "indexes" })
        #expect(check["summary"]?.stringValue?.hasPrefix("amcheck:") == withExtension)
        #expect(check["problems"] == 1)
    }

    @Test("A verification finds damage in a partitioned Postgres store too")
    func postgresPartitions() async throws {
        let schema = PostgresCluster.freshSchema()
        let url = try shop.url(.postgres, schema) + "&partitions=4"
        let session = try await fill(url)
        #expect(try await shop.verify(url).status == 0)
        try await PostgresCluster.shared().sql(
            "DELETE FROM \(schema).session_messages WHERE session_id = '\(session.id)' AND sequence = 1")
        try await expectNamed(Damage(sql: "", kind: "gap"), in: url, session)
    }

    // MARK: LMDB

    @Test(
        "A verification names an entry that was removed from LMDB",
        arguments: [
            ("session_messages", "gap"), ("sessions", "orphan"), ("sessions", "danglingIndexEntry"),
            ("sessions_by_created_at", "missingIndexEntry"), ("sessions_by_actor_name", "missingIndexEntry"),
            ("session_messages_by_id", "missingIndexEntry"), ("session_messages", "danglingIndexEntry"),
        ])
    func lmdbMissingEntry(database: String, kind: String) async throws {
        let url = try shop.url(.lmdb, "a")
        let session = try await fill(url)
        try RawEnvironment("\(shop.path)/a").change(in: database) { key, _ in
            // The third message of the session; the one session; any entry of it.
            let isMessage = database == "session_messages"
            let isOurs = key.firstRange(of: session.id.bytes + (isMessage ? [0, 0, 0, 0, 0, 0, 0, 3] : [])) != nil
            return isOurs ? .remove : .keep
        }
        let damage = Damage(sql: "", kind: kind, breaksReading: database == "session_messages")
        try await expectNamed(damage, in: url, session)
    }

    @Test(
        "A verification names a record with a flipped byte in LMDB",
        arguments: [
            ("session_messages", 45, "undecodable"), ("session_messages", 0, "undecodable"),
            ("session_messages", 20, "undecodable"), ("sessions", 8, "undecodable"), ("sessions", 0, "undecodable"),
            ("sessions", 41, "undecodable"), ("session_messages_by_id", 6, "danglingIndexEntry"),
        ])
    func lmdbFlippedByte(database: String, offset: Int, kind: String) async throws {
        let url = try shop.url(.lmdb, "a")
        let session = try await fill(url)
        try RawEnvironment("\(shop.path)/a").change(in: database) { key, value in
            guard key.firstRange(of: session.id.bytes) != nil else { return .keep }
            var value = value
            value[offset] ^= 0xFF
            return .replace(value)
        }
        let damage = Damage(sql: "", kind: kind, breaksReading: kind == "undecodable")
        try await expectNamed(damage, in: url, session)
    }

    /// Records have checksums, so a wrong counter can only come from a writer.
    @Test("A verification names a wrong counter in LMDB")
    func lmdbCounter() async throws {
        let url = try shop.url(.lmdb, "a")
        let session = try await fill(url)
        let store = try await LMDBSessionStore.open(LMDBConfiguration(path: "\(shop.path)/a"))
        try await store.write { (writer) throws(StoreError) in
            guard let stored = try writer.session(session.id) else { return }
            var wrong = stored
            wrong.messageCount += 2
            try writer.replace(stored, with: wrong)
        }
        await store.close()
        let damage = Damage(sql: "", kind: "messageCount", breaksReading: true)
        try await expectNamed(damage, in: url, session)
    }

    @Test("A verification names keys in LMDB that no store writes")
    func lmdbForeignKeys() async throws {
        let url = try shop.url(.lmdb, "a")
        let session = try await fill(url)
        let environment = try RawEnvironment("\(shop.path)/a")
        for name in [
            "sessions", "sessions_by_created_at", "sessions_by_actor_name", "session_messages",
            "session_messages_by_id",
        ] {
            try environment.put([1, 2, 3], for: [0], in: name)
        }
        // An index entry whose value is not a sequence, and one of another actor.
        try environment.put([1], for: [UInt8](repeating: 7, count: 16) + session.id.bytes, in: "session_messages_by_id")
        try environment.put(
            [], for: [1, 0x61] + [UInt8](repeating: 1, count: 8) + session.id.bytes, in: "sessions_by_actor_name")
        try environment.put([], for: [UInt8](repeating: 1, count: 8) + session.id.bytes, in: "sessions_by_created_at")
        let (status, report) = try await shop.verify(url)
        #expect(status == 1)
        #expect(report.problems("undecodable").count >= 5, "\(report)")
        #expect(report.problems("danglingIndexEntry").count >= 2, "\(report)")
    }

    // MARK: Memory

    @Test("A verification finds damage in memory")
    func memory() async throws {
        let store = MemorySessionStore()
        let session = try await store.makeService().filled(3)
        try await store.write { (writer) throws(StoreError) in
            var wrong = session
            wrong.messageCount = 9
            try writer.replace(session, with: wrong)
            // The same session twice in the list, and a message where another belongs.
            let stray = SessionMessage(
                id: session.id, sessionID: session.id, sequence: 7, role: .user, content: "x", createdAt: .earliest)
            try writer.insert([stray])
        }
        let report = try await StoreVerification(of: store).run()
        #expect(report.problems.contains { $0.kind == .messageCount && $0.actual == "9" }, "\(report.problems)")
        #expect(report.problems.contains { $0.kind == .gap }, "\(report.problems)")
        #expect(report.problems.contains { $0.kind == .missingIndexEntry }, "\(report.problems)")
        try await store.write { (writer) throws(StoreError) in try writer.insert(session) }
        let twice = try await StoreVerification(of: store).run()
        #expect(twice.problems.contains { $0.kind == .danglingIndexEntry }, "\(twice.problems)")
    }
}
#endif
