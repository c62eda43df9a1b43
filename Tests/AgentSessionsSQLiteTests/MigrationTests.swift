#if SQLite
import AgentSessions
import AgentSessionsSQLite
import Foundation
import Testing

@Suite struct `Migrations of a SQLite store` {
    private static let notes = Migration<SQLiteMigrationTarget>(
        name: "app_001_notes", parent: "a7_001_session_persistence"
    ) {
        (target) throws(StoreError) in
        try target.execute("CREATE TABLE notes (session_id TEXT); INSERT INTO notes VALUES ('one')")
    }

    @Test func `are recorded with who made them`() async throws {
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

    @Test(arguments: [
        "UPDATE resource_registry SET format_version = 99",
        "INSERT INTO schema_migrations VALUES ('a8_001_future', 'a7_001_session_persistence', 'core', 1, 'agent-sessions/9')",
    ])
    func `of a newer build are refused, and the store is left as it is`(sql: String) async throws {
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

    @Test func `are not applied where the application forbids it`() async throws {
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

    @Test func `of an application are applied once, and tolerated by builds without them`() async throws {
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

    @Test func `that fail leave nothing behind`() async throws {
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

    @Test func `race without being applied twice`() async throws {
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

    @Test(arguments: [
        "DELETE FROM resource_registry",
        "DELETE FROM schema_migrations WHERE name = 'b1_001_resource_registry'",
        "UPDATE schema_migrations SET origin = 'nobody'",
        "UPDATE schema_migrations SET applied_at = 9223372036854775807",
        "DROP TABLE schema_migrations",
    ])
    func `with a damaged record are an error that says so`(sql: String) async throws {
        let folder = try TemporaryFolder()
        let store = try await folder.open()
        await store.close()
        try folder.raw().execute(sql)
        try await expect(.corrupt) { try await folder.open() }
    }

    @Test func `recorded for tables that are gone are an error that says so`() async throws {
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
