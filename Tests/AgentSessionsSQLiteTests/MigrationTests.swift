#if SQLite
import AgentSessions
import AgentSessionsSQLite
import Foundation
import Testing

@Suite("Migrations of a SQLite store")
struct MigrationTests {
    private static let notes = Migration<SQLiteMigrationTarget>(
        name: "app_001_notes", parent: "a7_001_session_persistence"
    ) {
        (target) throws(StoreError) in
        try target.execute("CREATE TABLE notes (session_id TEXT); INSERT INTO notes VALUES ('one')")
    }

    @Test("Migrations are recorded with their origin")
    func recorded() async throws {
        try await withStore { service, folder in
            let status = try await service.store.migrations()
            #expect(status.map(\.name) == ["b1_001_resource_registry", "a7_001_session_persistence"])
            #expect(status.map(\.parent) == [nil, "b1_001_resource_registry"])
            #expect(status.allSatisfy { $0.appliedAt != nil && $0.build == BuildInfo.writer && $0.origin == .core })
            let registry = try #require(
                try folder.raw().rows("SELECT store_id, format_version, build FROM resource_registry").first)
            #expect(ULID(try #require(registry[0])) != nil)
            #expect(Array(registry[1...]) == ["1", BuildInfo.writer])
        }
    }

    @Test(
        "A store with migrations of a newer build is refused and stays as it is",
        arguments: [
            "UPDATE resource_registry SET format_version = 99",
            "INSERT INTO schema_migrations VALUES ('a8_001_future', 'a7_001_session_persistence', 'core', 1, 'agent-sessions/9')",
        ])
    func newerStore(sql: String) async throws {
        let folder = try TemporaryFolder()
        let store = try await folder.open()
        await store.close()
        try folder.raw().execute(sql)
        let before = try Data(contentsOf: URL(filePath: folder.path()))
        let error = try await expect(.newerStore) { try await folder.open() }
        #expect(error.message.contains("left untouched"))
        #expect(try Data(contentsOf: URL(filePath: folder.path())) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["sessions.db"])
    }

    @Test("Migrations are not applied if the application forbids it")
    func forbidden() async throws {
        let folder = try TemporaryFolder()
        try await expect(.migrationRequired) { try await folder.open { $0.migrationPolicy = .require } }
        let store = try await folder.open()
        await store.close()
        let again = try await folder.open { $0.migrationPolicy = .require }
        await again.close()
        try await expect(.migrationRequired) {
            try await folder.open {
                $0.migrationPolicy = .require
                $0.migrations = [Self.notes]
            }
        }
        #expect(try folder.raw().value("SELECT count(*) FROM sqlite_schema WHERE name = 'notes'") == "0")
    }

    @Test("A migration of an application is applied once and tolerated by builds without it")
    func applicationMigration() async throws {
        let folder = try TemporaryFolder()
        for _ in 0..<2 {
            let store = try await folder.open { $0.migrations = [Self.notes] }
            #expect(try await store.migrations().last?.name == "app_001_notes")
            await store.close()
        }
        #expect(try folder.raw().value("SELECT count(*) FROM notes") == "1")
        let plain = try await folder.open()
        let last = try #require(try await plain.migrations().last)
        #expect(last.name == "app_001_notes")
        #expect(last.origin == .application)
        _ = try await PersistentSessionService(plain).filled(3)
        await plain.close()
    }

    @Test("A failed migration leaves nothing behind")
    func failedMigration() async throws {
        let folder = try TemporaryFolder()
        let failing = Migration<SQLiteMigrationTarget>(name: "app_002", parent: "app_001_notes") {
            (target) throws(StoreError) in
            try target.execute("CREATE TABLE half (x); NONSENSE")
        }
        let error = await #expect(throws: StoreError.self) {
            try await folder.open { $0.migrations = [Self.notes, failing] }
        }
        #expect(error?.nativeCode == "SQLITE_ERROR")
        #expect(try folder.raw().rows("SELECT name FROM sqlite_schema").isEmpty)
        try await expect(.invalidArgument) { try await folder.open { $0.migrations = [failing] } }
    }

    @Test("Concurrent openers of a SQLite store apply no migration twice")
    func racingOpeners() async throws {
        let folder = try TemporaryFolder()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let store = try await folder.open { $0.migrations = [Self.notes] }
                    await store.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(try folder.raw().value("SELECT count(*) FROM notes") == "1")
    }

    @Test(
        "A damaged record of migrations is an error that says so",
        arguments: [
            "DELETE FROM resource_registry",
            "DELETE FROM schema_migrations WHERE name = 'b1_001_resource_registry'",
            "UPDATE schema_migrations SET origin = 'nobody'",
            "UPDATE schema_migrations SET applied_at = 9223372036854775807",
            "DROP TABLE schema_migrations",
        ])
    func damagedRecord(sql: String) async throws {
        let folder = try TemporaryFolder()
        let store = try await folder.open()
        await store.close()
        try folder.raw().execute(sql)
        try await expect(.corrupt) { try await folder.open() }
    }

    @Test("Recorded migrations whose tables are missing are an error that says so")
    func missingTables() async throws {
        let folder = try TemporaryFolder()
        let store = try await folder.open()
        await store.close()
        try folder.raw().execute("DROP TABLE session_messages; DROP TABLE sessions")
        let reopened = try await folder.open()
        try await expect(.corrupt) { try await PersistentSessionService(reopened).list() }
        await reopened.close()
    }
}
#endif
