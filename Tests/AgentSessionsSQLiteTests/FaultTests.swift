#if SQLite
import AgentSessions
import CAgentSessionsSQLite
import Foundation
import AgentSessionsTestSupport
import Testing

@testable import AgentSessionsSQLite

@Suite("System faults of a SQLite store")
struct FaultTests {
    @Test("A limit on file sizes refuses writes, loses nothing, and has no effect after it is lifted")
    func limitedFile() async throws {
        let folder = try TemporaryFolder()
        let store = try await folder.open()
        let session = try await PersistentSessionService(store).create(actorName: "a")
        await store.close()
        let lines = try await StoreProcess([folder.storeURL, "fill", "\(session.id)", "300000"], in: folder.url)
            .finish()
        let appended = lines.filter { $0.hasPrefix("appended") }
        #expect(lines.filter { $0.hasPrefix("error") } == ["error unavailable", "error unavailable"])
        #expect(lines.last == "closed")
        try await Self.expectExactly(appended, in: folder, of: session.id)
        // The message after the errors was appended after space was freed.
        let error = try #require(lines.firstIndex(of: "error unavailable"))
        #expect(lines[(error + 1)...].contains { $0.hasPrefix("appended") })
    }

    @Test(
        "A full disk refuses writes to SQLite, loses nothing, and accepts them again when there is space",
        .enabled(if: isRoot && FileManager.default.fileExists(atPath: "/usr/bin/mount")))
    func fullDisk() async throws {
        let mount = try TemporaryFolder()
        guard try run("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=3m", "none", mount.url.path]) == 0 else { return }
        defer { _ = try? run("/usr/bin/umount", ["-l", mount.url.path]) }
        let ballast = URL(filePath: mount.path("ballast"))
        try Data(count: 1 << 20).write(to: ballast)
        let store = try await mount.open { $0.checkpointPages = 100 }
        let service = PersistentSessionService(store, retryPolicy: .never)
        let session = try await service.create(actorName: "a")
        var appended: [String] = []
        let error = try await expect(.unavailable) {
            while true {
                let message = try await service.appendMessage(
                    NewMessage(.user, String(repeating: "x", count: 2000)), to: session.id,
                    usage: TokenUsage(inputTokens: 1))
                appended.append("appended \(message.sequence) \(message.id)")
            }
        }
        #expect(error.nativeCode == "SQLITE_FULL")
        for _ in 0..<5 {
            let batch = (0..<200).map { _ in NewMessage(.user, String(repeating: "y", count: 9000)) }
            try await expect(.unavailable) { try await service.append(batch, to: session.id) }
        }
        let counted = try await service.get(session.id)
        #expect(counted.messageCount == appended.count)
        #expect(counted.usage.inputTokens == Int64(appended.count))
        try FileManager.default.removeItem(at: ballast)
        let message = try await service.appendMessage(NewMessage(.user, "room"), to: session.id)
        appended.append("appended \(message.sequence) \(message.id)")
        await store.close()
        try await Self.expectExactly(appended, in: mount, of: session.id)
    }

    @Test("A killed process loses nothing that SQLite acknowledged")
    func killed() async throws {
        let folder = try TemporaryFolder()
        let output = try TemporaryFolder()
        let store = try await folder.open()
        let session = try await PersistentSessionService(store).create(actorName: "a")
        await store.close()
        var printed: [String] = []
        for round in 0..<8 {
            let writer = try StoreProcess([folder.storeURL, "append", "\(session.id)", "1000000"], in: output.url)
            try await writer.waitForLines(1 + round * 15)
            try await Task.sleep(for: .microseconds(Int.random(in: 0...3000)))
            let lines = try await writer.kill()
            #expect(!lines.contains { $0.hasPrefix("error") })
            printed += lines.filter { $0.hasPrefix("appended") }
        }
        let reopened = try await folder.open()
        let messages = try await PersistentSessionService(reopened).everyMessage(of: session.id)
        await reopened.close()
        #expect(messages.map(\.sequence) == Array(1...messages.count))
        #expect(messages.count >= printed.count)
        // At most one message per process was stored and not yet printed.
        #expect(messages.count <= printed.count + 8)
        #expect(Set(printed).isSubset(of: messages.map { "appended \($0.sequence) \($0.id)" }))
        #expect(try folder.raw().value("PRAGMA integrity_check") == "ok")
    }

    @Test(
        "Each result code of SQLite has its error code",
        arguments: [
            (SQLITE_BUSY, EngineActivity.writing, StoreError.Code.busy, "SQLITE_BUSY"),
            (SQLITE_BUSY | 1 << 8, .opening, .busy, "SQLITE_BUSY (261)"),
            (SQLITE_BUSY | 2 << 8, .writing, .busy, "SQLITE_BUSY (517)"),
            (SQLITE_LOCKED, .reading, .busy, "SQLITE_LOCKED"),
            (SQLITE_PROTOCOL, .reading, .busy, "SQLITE_PROTOCOL"),
            (SQLITE_FULL, .writing, .unavailable, "SQLITE_FULL"),
            (SQLITE_FULL, .committing, .unavailable, "SQLITE_FULL"),
            (SQLITE_IOERR | 3 << 8, .committing, .unavailable, "SQLITE_IOERR (778)"),
            (SQLITE_IOERR | 4 << 8, .committing, .outcomeUnknown, "SQLITE_IOERR (1034)"),
            (SQLITE_IOERR | 19 << 8, .committing, .outcomeUnknown, "SQLITE_IOERR (4874)"),
            (SQLITE_IOERR | 1 << 8, .reading, .unavailable, "SQLITE_IOERR (266)"),
            (SQLITE_IOERR | 2 << 8, .reading, .corrupt, "SQLITE_IOERR (522)"),
            (SQLITE_IOERR | 2 << 8, .committing, .outcomeUnknown, "SQLITE_IOERR (522)"),
            (SQLITE_NOMEM, .committing, .outcomeUnknown, "SQLITE_NOMEM"),
            (SQLITE_NOMEM, .writing, .unavailable, "SQLITE_NOMEM"),
            (SQLITE_CORRUPT, .reading, .corrupt, "SQLITE_CORRUPT"),
            (SQLITE_NOTADB, .opening, .corrupt, "SQLITE_NOTADB"),
            (SQLITE_READONLY | 4 << 8, .writing, .unavailable, "SQLITE_READONLY (1032)"),
            (SQLITE_CANTOPEN, .opening, .unavailable, "SQLITE_CANTOPEN"),
            (SQLITE_TOOBIG, .writing, .limitExceeded, "SQLITE_TOOBIG"),
            (SQLITE_CONSTRAINT | 6 << 8, .writing, .conflict, "SQLITE_CONSTRAINT (1555)"),
            (SQLITE_CONSTRAINT | 8 << 8, .writing, .corrupt, "SQLITE_CONSTRAINT (2067)"),
            (SQLITE_CONSTRAINT | 3 << 8, .writing, .corrupt, "SQLITE_CONSTRAINT (787)"),
            (SQLITE_ERROR, .writing, .internalFailure, "SQLITE_ERROR"),
            (99, .writing, .internalFailure, "SQLITE_99"),
        ])
    func resultCodes(native: Int32, activity: EngineActivity, code: StoreError.Code, name: String) {
        let error = StoreError(sqlite: native, "detail", while: activity, path: "x.db")
        #expect(error.code == code)
        #expect(error.nativeCode == name)
        #expect(error.backend == "sqlite")
    }

    private static func expectExactly(_ appended: [String], in folder: TemporaryFolder, of session: ULID) async throws {
        let store = try await folder.open()
        let messages = try await PersistentSessionService(store).everyMessage(of: session)
        await store.close()
        #expect(messages.map { "appended \($0.sequence) \($0.id)" } == appended)
        #expect(messages.map(\.sequence) == Array(1...appended.count))
        #expect(try folder.raw().value("PRAGMA integrity_check") == "ok")
    }
}
#endif
