#if SQLite
import AgentSessions
import CAgentSessionsSQLiteHooks
import Foundation
import Testing

@testable import AgentSessionsSQLite

/// Whether this system can tell cached pages from others. If it cannot, no read is tried on the caller's thread.
private let canReadInline = agent_sessions_hooks_install() != 0

@Suite("Inline reads in SQLite", .enabled(if: canReadInline))
struct InlineReadTests {
    @Test("Short inline reads never give up by chance")
    func shortReads() async throws {
        try await withStore { service, folder in
            let session = try await service.filled(30)
            let reader = InlineReader(try .reader(folder.configuration()))
            let request = MessageRequest(sessionID: session.id, range: .last, limit: 20)
            // SQLite counts the steps of a statement over all its runs: here, many times the limit of one run.
            for _ in 0..<3000 {
                let outcome = reader.readInline { (transaction) throws(StoreError) in
                    try transaction.messages(request, of: session).count
                }
                let count = try #require(outcome).get()
                guard count == 20 else {
                    Issue.record("\(count) messages")
                    return
                }
            }
            #expect(reader.isSupported)
        }
    }

    @Test("A long inline read gives up, and its result is read on a thread")
    func longRead() async throws {
        try await withStore { service, folder in
            try folder.raw().execute(
                """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
                INSERT INTO sessions SELECT printf('%026d', i), 'a', 0, 0, 0, 0, '{}', i, i FROM n
                """)
            let filter = SessionFilter(updatedFrom: .latest)
            let reader = InlineReader(try .reader(folder.configuration()))
            let outcome = reader.readInline { (transaction) throws(StoreError) in
                try transaction.sessions(SessionListRequest(filter: filter, limit: 10))
            }
            #expect(outcome == nil)
            #expect(reader.isSupported)
            let short = reader.readInline { (transaction) throws(StoreError) in
                try transaction.sessions(SessionListRequest(limit: 3)).count
            }
            #expect(try short?.get() == 3)
            for _ in 0..<10 { #expect(try await service.list(filter).sessions.isEmpty) }
            #expect(try await service.list(limit: 10_000).sessions.count == 10_000)
        }
    }

    @Test("A page that is not in memory makes an inline read give up, and is read on a thread")
    func pageNotInMemory() async throws {
        try await withStore { first, folder in
            let session = try await first.create(actorName: "a")
            for _ in 0..<20 {
                let batch = (0..<100).map { NewMessage(.user, String(repeating: "\($0)", count: 500)) }
                _ = try await first.append(batch, to: session.id)
            }
            let expected = try await first.everyMessage(of: session.id)
            await first.store.close()

            let store = try await folder.open()
            let service = PersistentSessionService(store)
            for _ in 0..<5 { _ = try await service.list() }
            let reader = InlineReader(try .reader(folder.configuration()))
            var gaveUp = 0
            for round in 0..<40 {
                dropFromMemory(folder.path())
                let range = MessageRange.after(round * 50)
                let request = MessageRequest(sessionID: session.id, range: range, limit: 50)
                let outcome = reader.readInline { (transaction) throws(StoreError) in
                    try transaction.messages(request, of: session.counting(2000))
                }
                let run = Array(expected[(round * 50)..<(round * 50 + 50)])
                if let outcome { #expect(try outcome.get() == run) } else { gaveUp += 1 }
                dropFromMemory(folder.path())
                #expect(try await service.messages(in: session.id, range, limit: 50).messages == run)
            }
            #expect(gaveUp > 0)
            #expect(try await service.everyMessage(of: session.id) == expected)
            await store.close()
        }
    }

    @Test("An inline read gives a page and its session of one moment")
    func oneMoment() async throws {
        try await withStore { service, _ in
            let session = try await service.create(actorName: "a")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<300 {
                        _ = try await service.append(
                            .numbered(1 + number % 3), to: session.id, usage: TokenUsage(inputTokens: 1),
                            expectedSequence: nil)
                        if number % 50 == 49 { _ = try await service.rewind(session.id, to: number / 2) }
                    }
                }
                for _ in 0..<3 {
                    group.addTask {
                        for _ in 0..<400 {
                            let page = try await service.lastMessages(5, in: session.id)
                            await Task.yield()
                            guard page.session.messageCount > 0 else { continue }
                            #expect(page.messages.last?.sequence == page.session.messageCount)
                            #expect(page.messages.count == min(5, page.session.messageCount))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("An inline read that fails ends its transaction")
    func failedRead() async throws {
        try await withStore { service, folder in
            let session = try await service.filled(10)
            for _ in 0..<5 { _ = try await service.get(session.id) }
            let raw = try folder.raw()
            try raw.execute("UPDATE session_messages SET role = 'LOUD' WHERE sequence = 5")
            for _ in 0..<30 {
                try await expect(.corrupt) { try await service.lastMessages(8, in: session.id) }
            }
            // A reader that is still in a transaction would block the checkpoint.
            _ = try await service.updateTokenUsage(session.id, adding: TokenUsage(inputTokens: 1))
            #expect(try raw.rows("PRAGMA wal_checkpoint(TRUNCATE)").first?.first == "0")
            #expect(try await service.get(session.id).usage.inputTokens == 1)
        }
    }

    @Test("Reads change threads if the file system cannot tell what is in memory")
    func unknownResidency() async throws {
        guard FileManager.default.isWritableFile(atPath: "/dev/shm") else { return }
        let path = "/dev/shm/agent-sessions-\(UUID().uuidString).db"
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let store = try await SQLiteSessionStore.open(SQLiteConfiguration(path: path))
        let service = PersistentSessionService(store)
        let session = try await service.filled(200)
        for _ in 0..<20 { #expect(try await service.everyMessage(of: session.id).count == 200) }
        let reader = InlineReader(try .reader(SQLiteConfiguration(path: path)))
        let outcome = reader.readInline { (transaction) throws(StoreError) in try transaction.session(session.id) }
        // Newer kernels can tell there too.
        #expect(try outcome?.get()?.id ?? session.id == session.id)
        #expect(outcome != nil || !reader.isSupported)
        reader.close()
        await store.close()
    }
}

extension Session {
    fileprivate func counting(_ messages: Int) -> Session {
        var session = self
        session.messageCount = messages
        return session
    }
}

/// Asks the system to drop the cached pages of a file.
private func dropFromMemory(_ path: String) {
    #if canImport(Glibc) || canImport(Musl)
    let file = open(path, O_RDONLY)
    fsync(file)
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
    close(file)
    #endif
}
#endif
