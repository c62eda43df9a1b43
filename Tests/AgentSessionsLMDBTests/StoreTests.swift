#if LMDB
import AgentSessions
import Foundation
import Testing

@testable import AgentSessionsLMDB

@Suite("LMDB store", .timeLimit(.minutes(2)))
struct StoreTests {
    @Test("Stored sessions are unchanged after the store is opened again")
    func reopened() async throws {
        try await withFolder { folder in
            let configuration = LMDBConfiguration(path: folder + "/store")
            var store = try await LMDBSessionStore.open(configuration)
            var service = PersistentSessionService(store)
            let session = try await service.create(actorName: "local/orchestrator", metadata: ["a": 1])
            let texts = ["", "a\u{0}b", "e\u{301} é", "\u{FEFF}x", "🧑‍🚀", String(repeating: "x", count: 100_000)]
            for text in texts {
                _ = try await service.appendMessage(
                    NewMessage(
                        .user, text, toolCallID: text.isEmpty ? "" : nil, metadata: ["n": 9_007_199_254_740_993]),
                    to: session.id)
            }
            _ = try await service.appendMessage(NewMessage(try MessageRole("critic-2"), "x"), to: session.id)
            let before = try await service.messages(in: session.id, limit: 100)
            await store.close()
            await store.close()
            #expect(await errorOf { () async throws(StoreError) in try await store.get(session.id) }?.code == .closed)
            store = try await LMDBSessionStore.open(configuration)
            service = PersistentSessionService(store)
            let after = try await service.messages(in: session.id, limit: 100)
            #expect(after.messages == before.messages)
            #expect(after.session == before.session)
            for (message, text) in zip(after.messages, texts) {
                #expect(Array(message.content.utf8) == Array(text.utf8))
            }
            #expect(after.messages[0].toolCallID == "")
            #expect(after.messages[1].toolCallID == nil)
            await store.close()
        }
    }

    @Test("Lists in LMDB are newest first and filtered by actor, time, cursor and offset")
    func lists() async throws {
        try await withStore { store in
            // Names with a common prefix, and one time for many sessions.
            let actors = ["a", "ab", "a\u{1F}", String(repeating: "n", count: 255)]
            var made: [Session] = []
            for number in 0..<40 {
                let time = try #require(Timestamp(microseconds: Int64(number / 5) - 3))
                made.append(
                    try await store.create(
                        NewSession(
                            id: try ULIDGenerator.shared.next(), actorName: actors[number % 4], createdAt: time)))
            }
            let newest = made.sorted { $0.position > $1.position }
            #expect(try await store.list(SessionListRequest(limit: 100)) == newest)
            for actor in actors + ["none", String(repeating: "x", count: 300)] {
                let filter = SessionFilter(actorName: actor)
                let expected = newest.filter(filter.includes)
                #expect(try await store.list(SessionListRequest(filter: filter, limit: 100)) == expected)
                #expect(
                    try await store.list(SessionListRequest(filter: filter, offset: 3, limit: 2))
                        == Array(expected.dropFirst(3).prefix(2)))
                var paged: [Session] = []
                while true {
                    let request = SessionListRequest(filter: filter, after: paged.last?.position, limit: 3)
                    let page = try await store.list(request)
                    paged += page
                    if page.count < 3 { break }
                }
                #expect(paged == expected)
            }
            for from in -4..<6 {
                var filter = SessionFilter(
                    createdFrom: Timestamp(microseconds: Int64(from)), createdBefore: Timestamp(microseconds: 4))
                #expect(
                    try await store.list(SessionListRequest(filter: filter, limit: 100))
                        == newest.filter(filter.includes))
                filter.updatedFrom = Timestamp(microseconds: 0)
                #expect(
                    try await store.list(
                        SessionListRequest(filter: filter, after: newest[12].position, offset: 1, limit: 4))
                        == Array(newest.dropFirst(13).filter(filter.includes).dropFirst().prefix(4)))
            }
        }
    }

    @Test("Pages of messages in LMDB are read from either end")
    func pages() async throws {
        try await withStore { store in
            let service = PersistentSessionService(store)
            let other = try await service.create(actorName: "before")
            let session = try await service.create(actorName: "a")
            let last = try await service.create(actorName: "after")
            for id in [other.id, session.id, last.id] {
                _ = try await service.append((1...30).map { NewMessage(.user, "message \($0)") }, to: id)
            }
            let id = session.id
            func sequences(_ range: MessageRange, _ limit: Int, _ bytes: Int = .max) async throws -> [Int] {
                let request = MessageRequest(sessionID: id, range: range, limit: limit, byteLimit: bytes)
                return try await store.messages(request)?.messages.map(\.sequence) ?? [-1]
            }
            #expect(try await sequences(.after(0), 5) == Array(1...5))
            #expect(try await sequences(.after(28), 5) == [29, 30])
            #expect(try await sequences(.after(30), 5) == [])
            #expect(try await sequences(.last, 3) == [28, 29, 30])
            #expect(try await sequences(.last, 100) == Array(1...30))
            #expect(try await sequences(.before(4), 2) == [2, 3])
            #expect(try await sequences(.before(1), 2) == [])
            #expect(try await sequences(.last, 10, 20) == [29, 30])
            #expect(try await sequences(.before(3), 10, 1000) == [1, 2])
            #expect(try await sequences(.after(10), 10, 20) == [11, 12])
            let absent = try ULIDGenerator.shared.next()
            #expect(try await store.messages(MessageRequest(sessionID: absent, range: .last, limit: 1)) == nil)
            // The store's very last session, whose end is the end of the database.
            let page = try await store.messages(
                MessageRequest(sessionID: last.id, range: .last, limit: 2, byteLimit: 1))
            #expect(page?.messages.map(\.sequence) == [30])
        }
    }

    @Test("An update, a rewind and a deletion leave no index entry behind in LMDB")
    func indexEntries() async throws {
        try await withStore { store in
            let service = PersistentSessionService(store)
            let kept = try await service.create(actorName: "kept")
            let session = try await service.create(actorName: "gone")
            for id in [kept.id, session.id] {
                _ = try await service.append((1...20).map { NewMessage(.user, "message \($0)") }, to: id)
            }
            let renamed = try await store.update(session.id, SessionChange(actorName: "renamed", time: .now()))
            #expect(try await store.list(SessionListRequest(filter: SessionFilter(actorName: "gone"), limit: 9)) == [])
            #expect(
                try await store.list(SessionListRequest(filter: SessionFilter(actorName: "renamed"), limit: 9))
                    == [renamed])
            _ = try await service.rewind(session.id, to: 5)
            #expect(try await entryCounts(of: store)[LMDBMigrations.Name.messageIDs] == 25)
            #expect(try await store.delete(session.id))
            #expect(try await store.delete(session.id) == false)
            let counts = try await entryCounts(of: store)
            #expect(counts[LMDBMigrations.Name.sessions] == 1)
            #expect(counts[LMDBMigrations.Name.byActor] == 1)
            #expect(counts[LMDBMigrations.Name.byCreation] == 1)
            #expect(counts[LMDBMigrations.Name.messages] == 20)
            #expect(counts[LMDBMigrations.Name.messageIDs] == 20)
        }
    }

    @Test("A replay in LMDB gives the first messages, and another payload is a conflict")
    func replay() async throws {
        try await withStore { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "a")
            let id = try ULIDGenerator.shared.next()
            let first = try await service.append([NewMessage(.user, "x", id: id)], to: session.id)
            #expect(try await service.append([NewMessage(.user, "x", id: id)], to: session.id) == first)
            let error = await errorOf { () async throws(StoreError) in
                try await service.append([NewMessage(.user, "y", id: id)], to: session.id)
            }
            #expect(error?.code == .conflict)
            #expect(try await service.count(session.id) == 1)
        }
    }

    @Test("32 tasks share commits of LMDB, and every append is stored")
    func sharedCommits() async throws {
        try await withStore { store in
            let service = PersistentSessionService(store)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<32 {
                    group.addTask {
                        let session = try await service.create(actorName: "task-\(task)")
                        for number in 1...25 {
                            let message = try await service.appendMessage(
                                NewMessage(.user, "\(number)"), to: session.id)
                            #expect(message.sequence == number)
                        }
                        #expect(try await service.count(session.id) == 25)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await entryCounts(of: store)[LMDBMigrations.Name.messages] == 800)
        }
    }

    @Test("A failed change in LMDB does not disturb the changes beside it")
    func failedChange() async throws {
        try await withStore { store in
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        let session = NewSession(
                            id: ULID(high: 1, low: UInt64(number)), actorName: "a", createdAt: .earliest)
                        let error = await errorOf { () async throws(StoreError) in
                            try await store.write { (transaction) throws(StoreError) in
                                try transaction.insert(session.session)
                                if number % 8 == 0 { throw StoreError(.conflict, "no") }
                            }
                        }
                        #expect(error?.code == (number % 8 == 0 ? .conflict : nil))
                    }
                }
            }
            let stored = try await store.list(SessionListRequest(limit: 100))
            #expect(stored.count == 56)
        }
    }

    @Test("Long reads on a thread of their own give the same result")
    func longReads() async throws {
        try await withStore { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "a")
            let text = String(repeating: "long ", count: 100_000)
            for _ in 0..<6 { _ = try await service.appendMessage(NewMessage(.user, text), to: session.id) }
            let page = try await service.messages(in: session.id, limit: 10)
            #expect(page.messages.count == 6)
            #expect(page.messages.allSatisfy { $0.content == text })
            let counted = try await store.read { (reader) throws(StoreError) in
                try reader.messages(MessageRequest(sessionID: session.id, range: .last, limit: 10), of: page.session)
                    .count
            }
            #expect(counted == 6)
        }
    }

    @Test("The settings of an LMDB store can be read, and its migrations are applied")
    func settings() async throws {
        try await withStore(configured { $0.sync = .nometa }) { store in
            let settings = try await store.effectiveSettings()
            let values = Dictionary(settings.map { ($0.name, $0.value) }) { first, _ in first }
            #expect(values["engine"]?.hasPrefix("LMDB 0.9.") == true)
            #expect(values["sync"] == "nometa")
            #expect(values["max_readers"] == "512")
            #expect(values["map_size"] == "\(1 << 40)")
            #expect(values["mapped_bytes"] == "\(256 << 20)")
            #expect(store.capabilities.durability == .processCrash)
            let migrations = try await store.migrations()
            #expect(migrations.map(\.name) == [StoreFormat.Step.resourceRegistry, StoreFormat.Step.sessionPersistence])
            #expect(migrations.allSatisfy { $0.appliedAt != nil && $0.build == BuildInfo.writer })
        }
    }
}
#endif
