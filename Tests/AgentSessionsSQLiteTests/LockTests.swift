#if SQLite
import AgentSessions
import AgentSessionsSQLite
import Foundation
import Testing

@Suite("Locks held by other SQLite connections")
struct LockTests {
    @Test("A write waits for a lock within the time limit and then is busy")
    func busy() async throws {
        try await withStore([setting(\.busyTimeout, .milliseconds(200))]) { service, folder in
            let session = try await service.filled(1)
            let raw = try folder.raw()
            try raw.execute("BEGIN IMMEDIATE")
            let start = ContinuousClock.now
            let error = try await expect(.busy) { try await service.append(.numbered(1), to: session.id) }
            let waited = ContinuousClock.now - start
            #expect(waited >= .milliseconds(190))
            // The lock is held until the error arrives, so any end of the wait shows a bound. A sanitizer on a busy
            // machine needs seconds for the rest of the call.
            #expect(waited < .seconds(30))
            #expect(error.nativeCode == "SQLITE_BUSY")
            #expect(error.isTransient)
            // Reads do not wait for a writer.
            #expect(try await service.everyMessage(of: session.id).count == 1)
            try raw.execute("COMMIT")
            #expect(try await service.count(session.id) == 1)
            #expect(try await service.append(.numbered(1), to: session.id).first?.sequence == 2)
        }
    }

    @Test("A lock that is released in time causes no error")
    func releasedInTime() async throws {
        try await withStore { service, folder in
            let session = try await service.filled(1)
            let raw = try folder.raw()
            try raw.execute("BEGIN IMMEDIATE")
            async let appended = service.append(.numbered(1), to: session.id)
            try await Task.sleep(for: .milliseconds(150))
            try raw.execute("COMMIT")
            #expect(try await appended.first?.sequence == 2)
        }
    }

    @Test("The retry policy repeats a write that met a lock")
    func retriedWrite() async throws {
        try await withStore([setting(\.busyTimeout, .milliseconds(20))]) { service, folder in
            let patient = PersistentSessionService(
                service.store, retryPolicy: RetryPolicy(maximumAttempts: 100, totalTime: .seconds(20)))
            let session = try await service.filled(1)
            let raw = try folder.raw()
            try raw.execute("BEGIN IMMEDIATE")
            async let appended = patient.append(.numbered(1), to: session.id)
            try await Task.sleep(for: .milliseconds(200))
            try raw.execute("COMMIT")
            #expect(try await appended.first?.sequence == 2)
            #expect(try await service.count(session.id) == 2)
        }
    }

    @Test("A lock on the whole file makes an opener wait and then fail as busy")
    func lockedFile() async throws {
        let folder = try TemporaryFolder()
        let raw = try folder.raw()
        try raw.execute("BEGIN EXCLUSIVE; CREATE TABLE notes (x)")
        let error = try await expect(.busy) { try await folder.open { $0.busyTimeout = .milliseconds(100) } }
        #expect(error.message.contains("busy_timeout"))
        try raw.execute("COMMIT")
        let store = try await folder.open()
        await store.close()
    }

    @Test("The retry policy repeats an opening that met a lock on the whole file")
    func retriedOpening() async throws {
        let folder = try TemporaryFolder()
        let raw = try folder.raw()
        try raw.execute("BEGIN EXCLUSIVE; CREATE TABLE notes (x)")
        async let opened = folder.open { $0.busyTimeout = .milliseconds(200) }
        try await Task.sleep(for: .milliseconds(300))
        try raw.execute("COMMIT")
        await (try opened).close()
    }

    @Test("A change of the journal mode waits for a lock of the old mode")
    func journalMode() async throws {
        let folder = try TemporaryFolder()
        let raw = try folder.raw()
        try raw.execute("CREATE TABLE notes (x); BEGIN; SELECT * FROM notes")
        try await expect(.busy) { try await folder.open { $0.busyTimeout = .milliseconds(100) } }
        try raw.execute("COMMIT")
        let store = try await folder.open()
        await store.close()
    }
}
#endif
