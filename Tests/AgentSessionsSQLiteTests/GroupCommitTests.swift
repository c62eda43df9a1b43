#if SQLite
import AgentSessions
import Foundation
import AgentSessionsTestSupport
import Testing

@testable import AgentSessionsSQLite

@Suite("Group commit in SQLite")
struct GroupCommitTests {
    @Test("Writes of many tasks share commits and keep their sequences")
    func sharedCommits() async throws {
        try await withStore([setting(\.checkpointPages, 1_000_000)]) { service, folder in
            let session = try await service.create(actorName: "a")
            let before = try folder.commitsInLog()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<32 {
                    group.addTask {
                        var last = 0
                        for number in 0..<10 {
                            let message = try await service.appendMessage(
                                NewMessage(.user, "\(task) \(number)"), to: session.id,
                                usage: TokenUsage(inputTokens: 1))
                            #expect(message.sequence > last)
                            last = message.sequence
                        }
                    }
                }
                try await group.waitForAll()
            }
            let commits = try folder.commitsInLog() - before
            #expect(commits < 160, "\(commits) commits for 320 appends")
            let messages = try await service.everyMessage(of: session.id)
            #expect(messages.map(\.sequence) == Array(1...320))
            #expect(Set(messages.map(\.content)).count == 320)
            let stored = try await service.get(session.id)
            #expect(stored.usage.inputTokens == 320)
            #expect(stored.revision == messages.last?.createdAt)
            #expect(zip(messages, messages.dropFirst()).allSatisfy { $0.createdAt < $1.createdAt })
        }
    }

    @Test("Writes that fail do not disturb the others")
    func failingWrites() async throws {
        try await withStore { service, folder in
            let session = try await service.filled(1)
            let broken = Session(
                id: try ULIDGenerator.shared.next(), actorName: "broken", messageCount: 5, createdAt: .now(),
                updatedAt: .now())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        switch number % 8 {
                        case 0:
                            try await expect(.notFound) {
                                try await service.append(.numbered(1), to: ULIDGenerator.shared.next())
                            }
                        case 1:
                            // Fails after it has changed something, which undoes the group that it is in.
                            try await expect(.invalidArgument) {
                                try await service.store.restore(broken, messages: Messages([]))
                            }
                        case 2:
                            try await expect(.alreadyExists) {
                                try await service.create(actorName: "x", metadata: [:], id: session.id)
                            }
                        default:
                            _ = try await service.appendMessage(
                                NewMessage(.user, "\(number)"), to: session.id, usage: TokenUsage(outputTokens: 1))
                        }
                    }
                }
                try await group.waitForAll()
            }
            let messages = try await service.everyMessage(of: session.id)
            #expect(messages.map(\.sequence) == Array(1...41))
            #expect(Set(messages.map(\.content)).count == 41)
            #expect(try await service.get(session.id).usage.outputTokens == 40)
            #expect(try folder.raw().value("SELECT count(*) FROM sessions") == "1")
        }
    }

    @Test("Writes that share a transaction are undone together if SQLite rolled it back")
    func rolledBack() async throws {
        try await withStore { service, folder in
            let session = try await service.create(actorName: "a")
            // A failure of the disk or of memory ends the whole transaction, even in a statement that only reads.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        switch number % 4 {
                        case 0, 1:
                            _ = try await service.appendMessage(NewMessage(.user, "\(number)"), to: session.id)
                        case 2:
                            _ = try await service.updateTokenUsage(session.id, adding: TokenUsage(outputTokens: 1))
                        default:
                            try await expect(.unavailable) {
                                try await service.store.write { (transaction) throws(StoreError) in
                                    try transaction.connection.execute("ROLLBACK")
                                    throw StoreError(.unavailable, "as if the disk had failed")
                                }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await service.everyMessage(of: session.id).map(\.sequence) == Array(1...32))
            #expect(try await service.get(session.id).usage.outputTokens == 16)
            #expect(try folder.raw().value("SELECT count(*) FROM session_messages") == "32")
        }
    }

    @Test("Two stores of one file see each other's writes and leave no gap")
    func twoStores() async throws {
        try await withStore { first, folder in
            let second = PersistentSessionService(try await folder.open(), retryPolicy: .never)
            let session = try await first.create(actorName: "a")
            for number in 0..<40 {
                let (writer, reader) = number.isMultiple(of: 2) ? (first, second) : (second, first)
                let message = try await writer.appendMessage(NewMessage(.user, "\(number)"), to: session.id)
                #expect(message.sequence == number + 1)
                #expect(try await reader.lastMessages(1, in: session.id).messages == [message])
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for service in [first, second, first, second] {
                    group.addTask {
                        for _ in 0..<25 { _ = try await service.appendMessage(NewMessage(.user, "x"), to: session.id) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await second.everyMessage(of: session.id).map(\.sequence) == Array(1...140))
            await second.store.close()
            #expect(try await first.count(session.id) == 140)
        }
    }

    @Test("Writes of several processes leave no gap and lose nothing")
    func processes() async throws {
        try await withStore { service, folder in
            let session = try await service.create(actorName: "a")
            let output = try TemporaryFolder()
            let processes = try (0..<4).map { _ in
                try StoreProcess([folder.storeURL, "append", "\(session.id)", "60"], in: output.url)
            }
            for _ in 0..<60 { _ = try await service.appendMessage(NewMessage(.user, "mine"), to: session.id) }
            var printed: Set<String> = []
            for process in processes {
                let lines = try await process.finish()
                #expect(lines.count == 62)
                #expect(lines.last == "closed")
                printed.formUnion(lines.filter { $0.hasPrefix("appended") })
            }
            #expect(printed.count == 240)
            let messages = try await service.everyMessage(of: session.id)
            #expect(messages.map(\.sequence) == Array(1...300))
            #expect(printed.isSubset(of: messages.map { "appended \($0.sequence) \($0.id)" }))
        }
    }
}

extension TemporaryFolder {
    /// How many transactions the write-ahead log holds: frames that end one give the size of the database.
    func commitsInLog() throws -> Int {
        let log = [UInt8](try Data(contentsOf: URL(filePath: path("sessions.db-wal"))))
        let frame = 24 + 4096
        return stride(from: 32, to: log.count - frame + 1, by: frame).count {
            log[($0 + 4)..<($0 + 8)] != [0, 0, 0, 0]
        }
    }
}
#endif
