#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsBackends
import Foundation
import AgentSessionsTestSupport
import Testing

@Suite("Removed files of an open store", .timeLimit(.minutes(2)))
struct RemovedFileTests {
    /// A file of a store, and its engine.
    struct StoreFile: CustomTestStringConvertible, Sendable {
        let engine: Engine
        /// What follows the name of the store.
        let suffix: String

        var testDescription: String { "\(engine)\(suffix)" }
    }

    /// What happens to a file.
    enum Loss: CaseIterable {
        case removed, moved, replaced

        func happen(to file: String) throws {
            let manager = FileManager.default
            switch self {
            case .removed: try manager.removeItem(atPath: file)
            case .moved: try manager.moveItem(atPath: file, toPath: file + ".moved")
            case .replaced:
                try manager.copyItem(atPath: file, toPath: file + ".copy")
                guard rename(file + ".copy", file) == 0 else { throw CocoaError(.fileWriteUnknown) }
            }
        }
    }

    static let files = [
        StoreFile(engine: .sqlite, suffix: ".db"), StoreFile(engine: .sqlite, suffix: ".db-wal"),
        StoreFile(engine: .sqlite, suffix: ".db-shm"), StoreFile(engine: .lmdb, suffix: "/data.mdb"),
        StoreFile(engine: .lmdb, suffix: "/lock.mdb"),
    ]

    @Test(
        "A removed file is noticed before a change is acknowledged, and soon by readers", arguments: files,
        Loss.allCases)
    func removed(file: StoreFile, loss: Loss) async throws {
        let shop = try Workshop()
        let path = "\(shop.path)/a\(file.suffix)"
        try await shop.withStore(try shop.url(file.engine, "a")) { store in
            let service = store.makeService(retryPolicy: .never)
            let session = try await service.filled(3)
            try loss.happen(to: path)
            for _ in 0..<3 {
                let error = try await storeError { () throws(StoreError) in
                    try await service.appendMessage(NewMessage(.user, "lost"), to: session.id)
                }
                #expect(error.code == .unavailable && error.message.contains(path), "\(error)")
            }
            let refusal = try await refusalOfReads(service, session.id)
            #expect(refusal?.code == .unavailable && refusal?.message.contains(path) == true)
            guard loss == .moved else { return }
            // A file that is put back is the same file again.
            try FileManager.default.moveItem(atPath: path + ".moved", toPath: path)
            let message = try await service.appendMessage(NewMessage(.user, "back"), to: session.id)
            #expect(message.sequence == 4)
            let page = try await service.lastMessages(10, in: session.id)
            #expect(page.messages.count == 4)
        }
        guard loss == .moved else { return }
        try await shop.withStore(try shop.url(file.engine, "a")) { store in
            let sessions = try await store.list(SessionListRequest(limit: 2))
            #expect(sessions.map(\.messageCount) == [4])
        }
    }

    @Test("Files whose folder was replaced are noticed as removed", arguments: [Engine.sqlite, .lmdb])
    func replacedFolder(engine: Engine) async throws {
        let shop = try Workshop()
        try FileManager.default.createDirectory(atPath: "\(shop.path)/f", withIntermediateDirectories: false)
        try await shop.withStore(try shop.url(engine, "f/a")) { store in
            let service = store.makeService(retryPolicy: .never)
            let session = try await service.filled(3)
            try FileManager.default.moveItem(atPath: "\(shop.path)/f", toPath: "\(shop.path)/old")
            try FileManager.default.copyItem(atPath: "\(shop.path)/old", toPath: "\(shop.path)/f")
            let error = try await storeError { () throws(StoreError) in
                try await service.appendMessage(NewMessage(.user, "lost"), to: session.id)
            }
            #expect(error.code == .unavailable && error.message.contains("\(shop.path)/f/a"), "\(error)")
        }
    }

    /// The first error of reads that go on for a few seconds at most.
    private func refusalOfReads(_ service: any SessionService, _ id: ULID) async throws -> StoreError? {
        for _ in 0..<500 {
            do throws(StoreError) {
                _ = try await service.get(id)
            } catch {
                return error
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        return nil
    }

    @Test("A removed file is noticed by every concurrent writer", arguments: files)
    func concurrentWriters(file: StoreFile) async throws {
        let shop = try Workshop()
        try await shop.withStore(try shop.url(file.engine, "a")) { store in
            let service = store.makeService(retryPolicy: .never)
            let session = try await service.create(actorName: "a/b")
            let (removals, acknowledged) = (Tally(), Tally())
            try await withThrowingTaskGroup(of: [StoreError.Code].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var codes: [StoreError.Code] = []
                        while codes.count < 3, acknowledged.value < 100_000 {
                            let isLost = removals.value > 0
                            do throws(StoreError) {
                                _ = try await service.appendMessage(NewMessage(.user, "text"), to: session.id)
                                acknowledged.add()
                                #expect(!isLost, "acknowledged into a file without a name")
                                if isLost { return codes }
                            } catch {
                                codes.append(error.code)
                            }
                        }
                        return codes
                    }
                }
                while acknowledged.value < 40 { try await Task.sleep(for: .milliseconds(1)) }
                try FileManager.default.removeItem(atPath: "\(shop.path)/a\(file.suffix)")
                removals.add()
                // A commit at the moment of the removal may have an unknown outcome.
                for try await codes in group {
                    #expect(codes.dropFirst().allSatisfy { $0 == .unavailable }, "\(codes)")
                    #expect(codes.allSatisfy { [.unavailable, .outcomeUnknown].contains($0) })
                }
            }
        }
    }

    @Test(
        "A process that changes its working directory still finds the files of its store",
        arguments: ["sqlite:a.db", "lmdb:a"])
    func changedDirectory(url: String) async throws {
        let shop = try Workshop()
        let lines = try await StoreProcess([url, "roam", shop.path], in: URL(filePath: shop.path)).finish()
        #expect(lines.last == "count 2", "\(lines)")
    }

    @Test("A file that another program put in place of a removed one is kept on closing")
    func foreignFile() async throws {
        let shop = try Workshop()
        let log = "\(shop.path)/a.db-wal"
        try await shop.withStore(try shop.url(.sqlite, "a")) { store in
            _ = try await store.makeService(retryPolicy: .never).filled(3)
            try FileManager.default.removeItem(atPath: log)
            try Data("another's".utf8).write(to: URL(filePath: log))
        }
        #expect(try Data(contentsOf: URL(filePath: log)) == Data("another's".utf8))
    }

    @Test("A store whose write-ahead log was removed still holds the messages acknowledged before")
    func removedLog() async throws {
        let shop = try Workshop()
        let url = try shop.url(.sqlite, "a")
        let id = try await shop.withStore(url) { store in
            let service = store.makeService(retryPolicy: .never)
            let session = try await service.filled(30)
            try FileManager.default.removeItem(atPath: "\(shop.path)/a.db-wal")
            _ = try await storeError { () throws(StoreError) in
                try await service.appendMessage(NewMessage(.user, "lost"), to: session.id)
            }
            return session.id
        }
        try await shop.withStore(url) { store in
            let session = try await store.get(id)
            #expect(session?.messageCount == 30)
        }
    }
}
#endif
