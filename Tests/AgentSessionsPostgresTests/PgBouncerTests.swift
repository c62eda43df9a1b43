#if Postgres
import AgentSessions
import AgentSessionsPostgres
import AgentSessionsPostgresServer
import Synchronization
import Testing

/// The messages of appends that were answered.
private final class Answers: Sendable {
    let acknowledged = Mutex<Set<ULID>>([])
    let unknown = Mutex<Set<ULID>>([])
}

@Suite("Postgres behind PgBouncer", .enabled(if: Bouncer.isInstalled, "PostgreSQL or PgBouncer is not installed"))
struct PgBouncerTests {
    @Test("PgBouncer serves a store with few server sessions that keep no state")
    func transactionMode() async throws {
        let bouncer = try await Bouncer(before: .shared())
        var configuration = bouncer.configuration()
        configuration.synchronousCommit = .local
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store)
            let settings = try await store.effectiveSettings()
            #expect(settings.contains(StoreSetting("statement_timeout", "30s")))
            #expect(settings.contains(StoreSetting("lock_timeout", "5s")))
            #expect(settings.contains(StoreSetting("synchronous_commit", "local")))
            let shared = try await service.create(actorName: "shared")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let own = try await service.create(actorName: "own")
                        for number in 1...20 {
                            _ = try await service.appendMessage(NewMessage(.user, "\(number)"), to: shared.id)
                            _ = try await service.appendMessage(NewMessage(.user, "\(number)"), to: own.id)
                            let page = try await service.lastMessages(3, in: own.id)
                            #expect(page.session.messageCount == number)
                        }
                        _ = try await service.rewind(own.id, to: 5)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await service.count(shared.id) == 160)
        }
        try await bouncer.stop()
    }

    @Test("A pooler that is restarted or loses its server loses and duplicates nothing")
    func failures() async throws {
        let cluster = try PostgresCluster.shared()
        let bouncer = try await Bouncer(before: cluster)
        var configuration = bouncer.configuration()
        let name = configuration.schema
        configuration.connection["application_name"] = name
        try await withStore(configuration) { store in
            let service = PersistentSessionService(
                store, retryPolicy: RetryPolicy(maximumAttempts: 40, totalTime: .seconds(60)))
            let session = try await service.create(actorName: "pooled")
            let answers = Answers()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<25 {
                            let id = try ULIDGenerator.shared.next()
                            do throws(StoreError) {
                                try await service.appendMessage(
                                    NewMessage(.user, "x", id: id), to: session.id, usage: TokenUsage(inputTokens: 1))
                                answers.acknowledged.withLock { _ = $0.insert(id) }
                            } catch {
                                // Another task has appended since, so that nobody can tell whether this one was stored:
                                // the one answer beside success that the contract allows here.
                                guard error.code == .outcomeUnknown else { throw error }
                                answers.unknown.withLock { _ = $0.insert(id) }
                            }
                        }
                    }
                }
                group.addTask {
                    for round in 0..<4 {
                        try await Task.sleep(for: .milliseconds(30))
                        try await cluster.sql(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '\(name)'")
                        if round == 2 {
                            try await bouncer.stop()
                            try await bouncer.start()
                        }
                    }
                }
                try await group.waitForAll()
            }
            let page = try await service.messages(in: session.id, .after(0), limit: 1000)
            let stored = page.messages.map(\.id)
            let (told, open) = (answers.acknowledged.withLock { $0 }, answers.unknown.withLock { $0 })
            #expect(told.count + open.count == 100)
            #expect(Set(stored).count == stored.count && told.isSubset(of: stored))
            #expect(Set(stored).subtracting(told).isSubset(of: open))
            #expect(page.messages.map(\.sequence) == Array(1...stored.count))
            #expect(page.session.usage.inputTokens == Int64(stored.count))
        }
        try await bouncer.stop()
    }
}
#endif
