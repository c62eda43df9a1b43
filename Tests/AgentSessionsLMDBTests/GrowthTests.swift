#if LMDB
import AgentSessions
import AgentSessionsThreads
import Foundation
import Synchronization
import Testing

@testable import AgentSessionsLMDB

@Suite("Growth of the LMDB map", .timeLimit(.minutes(3)))
struct GrowthTests {
    @Test("The map grows while 32 tasks write, and nothing is lost")
    func concurrentGrowth() async throws {
        try await withStore(configured { $0.initialMapSize = 1 << 20 }) { store in
            let service = PersistentSessionService(store)
            let text = String(repeating: "x", count: 9000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<32 {
                    group.addTask {
                        let session = try await service.create(actorName: "task-\(task)")
                        for number in 1...20 {
                            _ = try await service.appendMessage(NewMessage(.user, text), to: session.id)
                            let page = try await service.lastMessages(3, in: session.id)
                            #expect(page.session.messageCount == number)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let counts = try await entryCounts(of: store)
            #expect(counts[LMDBMigrations.Name.messages] == 640)
            #expect(counts[LMDBMigrations.Name.messageIDs] == 640)
            let settings = try await store.effectiveSettings()
            let mapped = settings.first { $0.name == "mapped_bytes" }.flatMap { Int($0.value) } ?? 0
            #expect(mapped >= 8 << 20)
        }
    }

    @Test("One change can double the map many times")
    func manyDoublings() async throws {
        try await withStore(configured { $0.initialMapSize = 1 << 20 }) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "a")
            let text = String(repeating: "y", count: 1 << 20)
            let stored = try await service.append((0..<20).map { _ in NewMessage(.user, text) }, to: session.id)
            #expect(stored.count == 20)
            #expect(try await service.count(session.id) == 20)
        }
    }

    @Test("A map that cannot grow is a clear error, and what fits is still stored")
    func cannotGrow() async throws {
        try await withStore(
            configured {
                $0.initialMapSize = 1 << 20
                $0.mapSize = 2 << 20
            }
        ) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "a")
            let text = String(repeating: "z", count: 3 << 20)
            let error = await errorOf { () async throws(StoreError) in
                try await service.appendMessage(NewMessage(.user, text), to: session.id)
            }
            #expect(error?.code == .limitExceeded)
            #expect(error?.nativeCode == "MDB_MAP_FULL")
            #expect(error?.message.contains("map_size") == true)
            #expect(try await service.count(session.id) == 0)
            _ = try await service.appendMessage(NewMessage(.user, "small"), to: session.id)
            #expect(try await service.count(session.id) == 1)
            try await service.delete(session.id)
        }
    }

    @Test("A full store loses nothing, can be read and can be emptied")
    func fullStore() async throws {
        try await withStore(
            configured {
                $0.initialMapSize = 1 << 20
                $0.mapSize = 2 << 20
            }
        ) { store in
            let service = PersistentSessionService(store, retryPolicy: .never)
            let sessions = try await [service.create(actorName: "a"), service.create(actorName: "b")]
            let stored = try await withThrowingTaskGroup(of: (ULID, [SessionMessage]).self) { group in
                for session in sessions {
                    group.addTask {
                        var stored: [SessionMessage] = []
                        // Large messages until none fits, then small ones.
                        for size in [5000, 50] {
                            do throws(StoreError) {
                                while true {
                                    let message = NewMessage(.user, String(repeating: "x", count: size))
                                    stored.append(try await service.appendMessage(message, to: session.id))
                                }
                            } catch {
                                #expect(error.code == .limitExceeded)
                            }
                        }
                        return (session.id, stored)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for (id, messages) in stored {
                #expect(messages.count > 20)
                #expect(try await service.messages(in: id, limit: 10_000).messages == messages)
            }
            _ = try await service.rewind(sessions[0].id, to: 3)
            #expect(try await service.count(sessions[0].id) == 3)
            for session in sessions { try await service.delete(session.id) }
            #expect(try await service.list().sessions.isEmpty)
            // The space is free again.
            let session = try await service.create(actorName: "c")
            for _ in 0..<20 {
                _ = try await service.appendMessage(
                    NewMessage(.user, String(repeating: "y", count: 5000)), to: session.id)
            }
        }
    }

    @Test("Another opening checks the map after a change of its size, and not in between")
    func checkedByOpening() async throws {
        try await withStore { store in
            let environment = try await store.readOnThread { (reader) throws(StoreError) in reader.state.environment }
            let hasLooked = Atomic(false)
            let opening = try environment.gate.exclusively(within: .seconds(5)) { () throws(StoreError) in
                let thread = try WorkerThread.start {
                    let lock = try? WriterLock(path: environment.path, timeout: .seconds(5))
                    if let lock { try? environment.requireWholeFile(lock) }
                    hasLooked.store(true, ordering: .sequentiallyConsistent)
                }
                WorkerThread.pause(.milliseconds(50))
                let tooEarly = hasLooked.load(ordering: .sequentiallyConsistent)
                #expect(!tooEarly)
                return thread
            }
            await opening.finished()
            let atLast = hasLooked.load(ordering: .sequentiallyConsistent)
            #expect(atLast)
        }
    }

    @Test("Readers and writers adopt the growth of the map by another process")
    func adoptedGrowth() async throws {
        try await withFolder { folder in
            let path = folder + "/store"
            var configuration = LMDBConfiguration(path: path)
            configuration.initialMapSize = 1 << 20
            let store = try await LMDBSessionStore.open(configuration)
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "a")
            #expect(try await service.count(session.id) == 0)
            let id = session.id
            for _ in 0..<2 {
                await #expect(processExitsWith: .success) { [path = path as String, id = id as ULID] in
                    var configuration = LMDBConfiguration(path: path)
                    configuration.initialMapSize = 1 << 20
                    let store = try await LMDBSessionStore.open(configuration)
                    let service = PersistentSessionService(store)
                    let text = String(repeating: "x", count: 4 << 20)
                    for _ in 0..<3 { _ = try await service.appendMessage(NewMessage(.user, text), to: id) }
                    await store.close()
                }
                // A read first, then a write: both find the map of this process too small.
                _ = try await service.count(id)
                _ = try await service.appendMessage(NewMessage(.user, "parent"), to: id)
            }
            #expect(try await service.count(id) == 8)
            let page = try await service.messages(in: id, limit: 10)
            let sizes = page.messages.map(\.content.utf8.count)
            let large = 4 << 20
            let expected: [Int] = [large, large, large, 6, large, large, large, 6]
            #expect(sizes == expected)
            await store.close()
        }
    }
}
#endif
