#if SQLite
import AgentSessions
import Foundation
import AgentSessionsTestSupport
import Testing

@testable import AgentSessionsSQLite

@Suite("Opening of a SQLite store")
struct OpeningTests {
    @Test("A folder, a missing folder, an empty path and a NUL are refused")
    func badPaths() async throws {
        let folder = try TemporaryFolder()
        for path in [folder.url.path, folder.path("none/sessions.db"), ""] {
            let error = try await expect(.unavailable) {
                try await SQLiteSessionStore.open(SQLiteConfiguration(path: path))
            }
            #expect(error.backend == "sqlite")
        }
        try await expect(.invalidArgument) {
            try await SQLiteSessionStore.open(SQLiteConfiguration(path: folder.path() + "\u{0}b"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }

    @Test(
        "A file that is not a database is refused and stays as it is",
        arguments: ["hello", "SQLite format 3\u{0}", String(repeating: "no database ", count: 2000)])
    func notADatabase(text: String) async throws {
        let folder = try TemporaryFolder()
        try text.write(toFile: folder.path(), atomically: false, encoding: .utf8)
        let error = try await expect(.corrupt) { try await folder.open() }
        #expect(error.nativeCode?.hasPrefix("SQLITE_") == true)
        #expect(try String(contentsOfFile: folder.path(), encoding: .utf8) == text)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["sessions.db"])
    }

    @Test("An empty file is accepted")
    func emptyFile() async throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(filePath: folder.path()))
        let store = try await folder.open()
        #expect(try await store.list(SessionListRequest(limit: 1)).isEmpty)
        await store.close()
    }

    @Test("A file may have any name, even one that is special to SQLite")
    func specialNames() async throws {
        let folder = try TemporaryFolder()
        #expect(DatabaseFile.name(of: ":memory:") == "./:memory:")
        #expect(DatabaseFile.name(of: "file:x?mode=memory") == "./file:x?mode=memory")
        #expect(DatabaseFile.name(of: "/a/b") == "/a/b")
        for name in ["file:x?mode=ro", ":memory:", "a%20b", "\u{e4} '\"; ?#"] {
            let store = try await SQLiteSessionStore.open(SQLiteConfiguration(path: folder.path(name)))
            await store.close()
            #expect(FileManager.default.fileExists(atPath: folder.path(name)))
        }
    }

    @Test(
        "A name that SQLite would not treat as a file is refused with a hint at the memory store",
        arguments: [":memory:", "file::memory:"])
    func memoryNames(name: String) async throws {
        let error = try await expect(.invalidArgument) {
            try await SQLiteSessionStore.open(SQLiteConfiguration(path: name))
        }
        #expect(error.message.contains("Use memory:"))
        let url = try StoreURL(parsing: "sqlite:\(name)")
        #expect(throws: StoreError.self) { try SQLiteBackend.storeExists(at: url) }
        #expect(throws: StoreError.self) { try SQLiteBackend.storeFiles(at: url) }
        #expect(!FileManager.default.fileExists(atPath: name))
    }

    @Test("A link to a file is followed, and a link to nothing is refused")
    func links() async throws {
        let folder = try TemporaryFolder()
        let store = try await folder.open()
        let session = try await PersistentSessionService(store).create(actorName: "a")
        await store.close()
        let manager = FileManager.default
        try manager.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: folder.path())
        let linked = try await SQLiteSessionStore.open(SQLiteConfiguration(path: folder.path("link")))
        #expect(try await linked.get(session.id) == session)
        await linked.close()
        try manager.createSymbolicLink(atPath: folder.path("dangling"), withDestinationPath: folder.path("nothing"))
        try await expect(.unavailable) {
            try await SQLiteSessionStore.open(SQLiteConfiguration(path: folder.path("dangling")))
        }
        #expect(!manager.fileExists(atPath: folder.path("nothing")))
    }

    enum Rights: CaseIterable {
        case unreadableFile, readOnlyFile, readOnlyFolder, noFolder
    }

    @Test("A file without the necessary rights is refused", arguments: Rights.allCases)
    func missingRights(rights: Rights) async throws {
        let folder = try TemporaryFolder()
        let store = try await folder.open()
        await store.close()
        let before = try Data(contentsOf: URL(filePath: folder.path()))
        let modes: (file: Int, folder: Int) =
            switch rights {
            case .unreadableFile: (0o000, 0o777)
            case .readOnlyFile: (0o444, 0o777)
            case .readOnlyFolder: (0o666, 0o555)
            case .noFolder: (0o666, 0o000)
            }
        let manager = FileManager.default
        try manager.setAttributes([.posixPermissions: modes.file], ofItemAtPath: folder.path())
        try manager.setAttributes([.posixPermissions: modes.folder], ofItemAtPath: folder.url.path)
        // Root may do everything, so a process of another user tries.
        let output = try TemporaryFolder()
        let lines = try await StoreProcess([folder.storeURL, "open"], in: output.url, asNobody: true).finish()
        try manager.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.url.path)
        try manager.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.path())
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("error unavailable ") == true, "\(lines)")
        #expect(try Data(contentsOf: URL(filePath: folder.path())) == before)
    }

    @Test("A database of another application is accepted, but its tables are not")
    func foreignDatabase() async throws {
        let friendly = try TemporaryFolder()
        try friendly.raw().execute("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')")
        let store = try await friendly.open()
        _ = try await PersistentSessionService(store).create(actorName: "a")
        await store.close()
        #expect(try friendly.raw().value("SELECT text FROM notes") == "mine")
    }

    @Test(
        "A database that cannot hold a store is refused and stays as it is",
        arguments: [
            "CREATE TABLE sessions (id INTEGER)", "CREATE TABLE Session_Messages (x)",
            "CREATE VIEW sessions AS SELECT 1",
            "CREATE TABLE resource_registry (name TEXT)", "CREATE TABLE schema_migrations (version TEXT)",
            "PRAGMA encoding = 'UTF-16le'; CREATE TABLE notes (text TEXT)",
        ])
    func unusableDatabase(sql: String) async throws {
        let folder = try TemporaryFolder()
        try folder.raw().execute(sql)
        let before = try Data(contentsOf: URL(filePath: folder.path()))
        let error = try await expect(.unavailable) { try await folder.open() }
        #expect(error.message.contains("Name another file"))
        #expect(try Data(contentsOf: URL(filePath: folder.path())) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["sessions.db"])
    }

    @Test("Eight tasks that open a file at once create one store")
    func concurrentTasks() async throws {
        for _ in 0..<5 {
            let folder = try TemporaryFolder()
            try await withThrowingTaskGroup(of: ULID.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let store = try await folder.open()
                        let session = try await PersistentSessionService(store).create(actorName: "a")
                        await store.close()
                        return session.id
                    }
                }
                var ids: Set<ULID> = []
                for try await id in group { ids.insert(id) }
                let raw = try folder.raw()
                #expect(try raw.value("SELECT count(*) FROM sessions") == "8")
                #expect(try raw.value("SELECT count(*) FROM resource_registry") == "1")
                #expect(try raw.value("SELECT count(*) FROM schema_migrations") == "2")
                #expect(ids.count == 8)
            }
        }
    }

    @Test("Several processes and tasks can open one store at once")
    func concurrentProcesses() async throws {
        let folder = try TemporaryFolder()
        let output = try TemporaryFolder()
        let processes = try (0..<6).map { _ in try StoreProcess([folder.storeURL, "open"], in: output.url) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<10 {
                        let store = try await folder.open()
                        _ = try await PersistentSessionService(store).create(actorName: "a")
                        await store.close()
                    }
                }
            }
            try await group.waitForAll()
        }
        for process in processes { #expect(try await process.finish() == ["opened", "closed"]) }
        let raw = try folder.raw()
        #expect(try raw.value("SELECT count(*) FROM sessions") == "40")
        #expect(try raw.value("SELECT count(*) FROM schema_migrations") == "2")
        #expect(try raw.value("PRAGMA integrity_check") == "ok")
    }

    @Test("A SQLite library without strict tables is refused, with its version")
    func libraryVersion() throws {
        #expect(throws: Never.self) { try SQLiteVersion.oldest.check() }
        let error = #expect(throws: StoreError.self) { try SQLiteVersion(number: 3_036_017).check() }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("3.36.17") == true)
        #expect(error?.message.contains("3.37.0") == true)
    }
}
#endif
