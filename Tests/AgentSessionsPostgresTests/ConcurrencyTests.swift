#if Postgres
import AgentSessions
import AgentSessionsPostgres
import Foundation
import AgentSessionsPostgresServer
import Testing

@Suite("Concurrency in Postgres", .enabled(if: PostgresCluster.isInstalled, "PostgreSQL is not installed"))
struct ConcurrencyTests {
    @Test("Many tasks append to one session without a gap", arguments: Layout.allCases)
    func oneSession(_ layout: Layout) async throws {
        try await layout.withService { service in
            let session = try await service.create(actorName: "shared")
            let sequences = try await withThrowingTaskGroup(of: [Int].self) { group in
                for task in 0..<8 {
                    group.addTask {
                        var sequences: [Int] = []
                        for number in 0..<20 {
                            let usage = TokenUsage(inputTokens: 1)
                            let message = try await service.appendMessage(
                                NewMessage(.user, "\(task)/\(number)"), to: session.id, usage: usage)
                            sequences.append(message.sequence)
                        }
                        return sequences
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(sequences.sorted() == Array(1...160))
            #expect(try await service.get(session.id).usage.inputTokens == 160)
            let page = try await service.messages(in: session.id, .after(0), limit: 1000)
            let times = page.messages.map(\.createdAt)
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        }
    }

    @Test("An error in a shared transaction affects no other change", arguments: Layout.allCases)
    func isolation(_ layout: Layout) async throws {
        try await layout.withService { service in
            let session = try await service.create(actorName: "shared")
            let twice = PendingMessage(id: try ULIDGenerator.shared.next(), role: .user, content: "x")
            let conflicts = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        do {
                            if number % 6 == 0 {
                                _ = try await service.store.append(
                                    AppendRequest(sessionID: session.id, messages: [twice, twice], time: .now()))
                            } else {
                                _ = try await service.appendMessage(NewMessage(.user, "\(number)"), to: session.id)
                            }
                            return false
                        } catch {
                            return true
                        }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(conflicts == 10)
            #expect(try await service.count(session.id) == 50)
            _ = try await service.messages(in: session.id, .after(0), limit: 100)
        }
    }

    @Test("Two stores that append to the same sessions never deadlock")
    func twoStores() async throws {
        let configuration = try Layout.plain.configuration()
        try await withStore(configuration) { first in
            try await withStore(configuration) { second in
                let services = [PersistentSessionService(first), PersistentSessionService(second)]
                var sessions: [ULID] = []
                for _ in 0..<4 { sessions.append(try await services[0].create(actorName: "x").id) }
                try await withThrowingTaskGroup(of: Void.self) { [sessions] group in
                    for task in 0..<16 {
                        group.addTask {
                            for number in 0..<10 {
                                _ = try await services[task % 2].appendMessage(
                                    NewMessage(.user, "x"), to: sessions[(task + number) % 4])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                for session in sessions { #expect(try await services[0].count(session) == 40) }
            }
        }
    }

    @Test("The counter row of a session is updated in place")
    func hotUpdates() async throws {
        let cluster = try PostgresCluster.shared()
        let configuration = cluster.configuration()
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "hot")
            for _ in 0..<100 { _ = try await service.appendMessage(NewMessage(.user, "x"), to: session.id) }
            _ = try await service.updateTokenUsage(session.id, adding: TokenUsage(inputTokens: 1))
        }
        // The server counts after the session has ended.
        var counts = ""
        for _ in 0..<50 where !counts.hasPrefix("101|") {
            try await Task.sleep(for: .milliseconds(100))
            counts = try await cluster.sql(
                """
                SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables \
                WHERE schemaname = '\(configuration.schema)' AND relname = 'sessions'
                """)
        }
        // If a snapshot of another test keeps old versions of the row alive, one may have to go to another page.
        let hot = Int(counts.dropFirst(4)) ?? 0
        #expect(hot >= 95)
    }

    @Test("Concurrent openers of a Postgres store apply each migration once", arguments: Layout.allCases)
    func racingMigrations(_ layout: Layout) async throws {
        let configuration = try layout.configuration()
        let stores = try await withThrowingTaskGroup(of: PostgresSessionStore.self) { group in
            for _ in 0..<6 { group.addTask { try await PostgresSessionStore.open(configuration) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for store in stores {
            let applied = try await store.migrations()
            #expect(applied.map(\.name) == ["b1_001_resource_registry", "a7_001_session_persistence"])
            await store.close()
        }
        let cluster = try PostgresCluster.shared()
        #expect(try await cluster.sql("SELECT count(*) FROM \(configuration.schema).resource_registry") == "1")
    }

    @Test("A newer store is refused and stays as it is, and an older one is migrated only with permission")
    func versions() async throws {
        let cluster = try PostgresCluster.shared()
        var configuration = cluster.configuration()
        configuration.migrationPolicy = .require
        await expectError(.migrationRequired) { try await PostgresSessionStore.open(configuration) }
        configuration.migrationPolicy = .apply
        try await withStore(configuration) { _ in }
        try await cluster.sql("UPDATE \(configuration.schema).resource_registry SET format_version = 99")
        await expectError(.newerStore) { try await PostgresSessionStore.open(configuration) }
    }

    @Test("A migration of an application joins the chain")
    func applicationStep() async throws {
        var configuration = try Layout.plain.configuration()
        configuration.migrations = [
            Migration(name: "app_001", parent: "a7_001_session_persistence") { (target) throws(StoreError) in
                try target.execute("CREATE TABLE \(target.schemaIdentifier).notes (id text PRIMARY KEY)")
            }
        ]
        try await withStore(configuration) { store in
            let last = try await store.migrations().last
            #expect(last?.name == "app_001" && last?.appliedAt != nil)
        }
        configuration.migrations = []
        try await withStore(configuration) { store in
            let last = try await store.migrations().last
            #expect(last?.origin == .application)
        }
    }

    @Test("Waiting for a connection is bounded and can be cancelled")
    func leaseTimeout() async throws {
        try await Layout.plain.withService {
            $0.maximumConnections = 1
            $0.leaseTimeout = .milliseconds(100)
        } _: { service in
            let store = service.store
            let (begun, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            async let slow = store.write { (_) throws(StoreError) in
                begun.signal()
                return gate.wait(timeout: .now() + 20) == .success
            }
            while begun.wait(timeout: .now()) != .success { try await Task.sleep(for: .milliseconds(10)) }
            await expectError(.timeout) { _ = try await store.get(try ULIDGenerator.shared.next()) }
            let task = Task { try await store.read { (_) throws(StoreError) in 1 } }
            task.cancel()
            await expectError(.cancelled) { _ = try await task.value }
            gate.signal()
            let isDone = try await slow
            #expect(isDone)
        }
    }
}
#endif
