#if LMDB
import AgentSessions
import CAgentSessionsLMDB
import Foundation
import AgentSessionsTestSupport
import Testing

@testable import AgentSessionsLMDB

@Suite("Readers of an LMDB store", .timeLimit(.minutes(2)))
struct ReaderTests {
    @Test("Killed readers free their reader slots")
    func killedReaders() async throws {
        try await withStore(configured { $0.maxReaders = 8 }) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "a")
            let path = try await store.readOnThread { (reader) throws(StoreError) in reader.state.environment.path }
            let folder = URL(filePath: path).deletingLastPathComponent()
            for _ in 0..<12 {
                let reader = try StoreProcess(["lmdb:\(path)", "read", "\(session.id)"], in: folder)
                try await reader.waitForLines(2)
                #expect(try await reader.kill() == ["opened", "count 0"])
            }
            #expect(try await service.count(session.id) == 0)
        }
    }

    @Test("Pages that a killed reader held are reused")
    func reusedPages() async throws {
        try await withStore { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "a")
            let path = try await store.readOnThread { (reader) throws(StoreError) in reader.state.environment.path }
            let folder = URL(filePath: path).deletingLastPathComponent()
            let reader = try StoreProcess(["lmdb:\(path)", "hold", "\(session.id)"], in: folder)
            try await reader.waitForLines(2)
            let before = try await usedBytes(of: store)
            try await rewrite(session.id, times: 50, through: service)
            let held = try await usedBytes(of: store)
            // Each change made new pages, as the reader may still use the old ones.
            #expect(held - before > 50 * 65_536)
            try await reader.kill()
            try await store.readOnThread { (reader) throws(StoreError) in
                reader.state.environment.clearStaleReaders()
            }
            try await rewrite(session.id, times: 50, through: service)
            #expect(try await usedBytes(of: store) - held < 10 * 65_536)
        }
    }

    @Test("The writer finds dead readers by itself")
    func writerChecks() async throws {
        try await withStore(configured { $0.sync = .none }) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "a")
            let path = try await store.readOnThread { (reader) throws(StoreError) in reader.state.environment.path }
            let folder = URL(filePath: path).deletingLastPathComponent()
            let reader = try StoreProcess(["lmdb:\(path)", "hold", "\(session.id)"], in: folder)
            try await reader.waitForLines(2)
            try await reader.kill()
            for _ in 0..<1000 { _ = try await service.updateTokenUsage(session.id, adding: TokenUsage(inputTokens: 1)) }
            let readers = try await store.readOnThread { (reader) throws(StoreError) in
                Int(reader.state.environment.info.me_numreaders)
            }
            // A check that finds no dead reader any more.
            var dead: Int32 = -1
            let environment = try await store.readOnThread { (reader) throws(StoreError) in reader.state.environment }
            mdb_reader_check(environment.handle, &dead)
            #expect(dead == 0 && readers > 0)
        }
    }

    @Test("A long stream does not keep old pages")
    func longStream() async throws {
        try await withStore { store in
            let service = PersistentSessionService(store)
            let streamed = try await service.create(actorName: "long")
            let text = String(repeating: "s", count: 3000)
            _ = try await service.append((0..<2000).map { _ in NewMessage(.user, text) }, to: streamed.id)
            let other = try await service.create(actorName: "busy")
            var stream = service.messageStream(in: streamed.id).makeAsyncIterator()
            var count = 0
            while count < 100, try await stream.next() != nil { count += 1 }
            let before = try await usedBytes(of: store)
            try await rewrite(other.id, times: 100, through: service)
            #expect(try await usedBytes(of: store) - before < 20 * 65_536)
            while try await stream.next() != nil { count += 1 }
            #expect(count == 2000)
        }
    }

    @Test("Any number of threads can count the remaining cold reads down to zero")
    func concurrentCountdown() {
        for _ in 0..<300 {
            let cold = ColdReads()
            cold.begin()
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                for _ in 0..<40 { cold.countDown() }
            }
            #expect(!cold.areLeft)
            cold.begin()
            #expect(cold.areLeft)
        }
    }

    private func usedBytes(of store: LMDBSessionStore) async throws -> Int {
        let settings = try await store.effectiveSettings()
        return try #require(settings.first { $0.name == "used_bytes" }.flatMap { Int($0.value) })
    }

    private func rewrite(
        _ id: ULID, times: Int, through service: PersistentSessionService<LMDBSessionStore>
    ) async throws {
        for number in 0..<times {
            let text = "\(number)" + String(repeating: "m", count: 65_536)
            _ = try await service.update(id, actorName: nil, metadata: ["text": .string(text)], expectedRevision: nil)
        }
    }
}
#endif
