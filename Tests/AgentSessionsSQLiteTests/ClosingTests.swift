#if SQLite
import AgentSessions
import AgentSessionsSQLite
import Foundation
import AgentSessionsTestSupport
import Testing

@Suite("Closing of a SQLite store")
struct ClosingTests {
    @Test("Closing finishes earlier calls, refuses later ones and leaves one file")
    func finishesAndRefuses() async throws {
        let folder = try TemporaryFolder()
        let store = try await folder.open()
        let service = PersistentSessionService(store, retryPolicy: .never)
        let session = try await service.create(actorName: "a")
        let outcomes = await withTaskGroup(of: Result<Int, StoreError>.self) { group in
            for number in 0..<200 {
                group.addTask {
                    do throws(StoreError) {
                        let message = NewMessage(.user, "\(number)")
                        return .success(try await service.appendMessage(message, to: session.id).sequence)
                    } catch {
                        return .failure(error)
                    }
                }
            }
            for _ in 0..<20 {
                group.addTask {
                    do throws(StoreError) {
                        return .success(try await service.get(session.id).messageCount * 0)
                    } catch {
                        return .failure(error)
                    }
                }
            }
            group.addTask {
                await store.close()
                return .success(0)
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var stored: [Int] = []
        for outcome in outcomes {
            switch outcome {
            case .success(let sequence): if sequence > 0 { stored.append(sequence) }
            case .failure(let error): #expect(error.code == .closed)
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["sessions.db"])
        #expect(try folder.raw().value("SELECT count(*) FROM session_messages") == "\(stored.count)")
        #expect(stored.sorted() == Array(0..<stored.count).map { $0 + 1 })

        try await expect(.closed) { try await service.get(session.id) }
        try await expect(.closed) { try await service.create(actorName: "a") }
        try await expect(.closed) { try await store.effectiveSettings() }
        try await expect(.closed) { try await store.migrations() }
        await store.close()

        let again = PersistentSessionService(try await folder.open())
        #expect(try await again.count(session.id) == stored.count)
        await again.store.close()
    }

    @Test("Closing moves the log into the database, even during reads")
    func movesLog() async throws {
        for _ in 0..<20 {
            let folder = try TemporaryFolder()
            let store = try await folder.open()
            let service = PersistentSessionService(store, retryPolicy: .never)
            let session = try await service.filled(50)
            for _ in 0..<5 { _ = try await service.get(session.id) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        do throws(StoreError) {
                            while true {
                                _ = try await service.lastMessages(50, in: session.id)
                                // A read on the caller's thread does not yield to other tasks.
                                await Task.yield()
                            }
                        } catch {
                            #expect(error.code == .closed)
                        }
                    }
                }
                try await Task.sleep(for: .milliseconds(2))
                await store.close()
                // Every reader has released the file by now.
                #expect(!FileManager.default.fileExists(atPath: folder.path("sessions.db-wal")))
                try await group.waitForAll()
            }
            #expect(try folder.raw().value("SELECT count(*) FROM session_messages") == "50")
        }
    }

    @Test("A store that is released without being closed ends its threads")
    func released() async throws {
        let folder = try TemporaryFolder()
        let lines = try await StoreProcess([folder.storeURL, "drop", "20"], in: folder.url).finish()
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            let before = try #require(Int(words[1]))
            let after = try #require(Int(words[2]))
            // Swift may have started threads and an event queue meanwhile; 20 stores have 60 threads.
            #expect(after <= before + 10, "\(line)")
        }
        #expect(lines.count == 2)
    }
}
#endif
