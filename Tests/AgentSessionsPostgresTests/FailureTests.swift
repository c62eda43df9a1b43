#if Postgres
import AgentSessions
import Foundation
@testable import AgentSessionsPostgres
import AgentSessionsPostgresServer
import Testing

/// Failures between a store and its server.
@Suite("Failing Postgres server", .enabled(if: PostgresCluster.isInstalled, "PostgreSQL is not installed"))
struct FailureTests {
    @Test("An append whose commit is not confirmed is stored once", arguments: [true, false])
    func cutAfterCommit(_ prepares: Bool) async throws {
        let cluster = try PostgresCluster.shared()
        var configuration = cluster.configuration()
        try await withStore(configuration) { _ in }
        let proxy = try CuttingProxy(to: "\(cluster.folder)/.s.PGSQL.5432")
        defer { proxy.stop() }
        configuration.connection["host"] = proxy.folder
        configuration.preparesStatements = prepares
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "cut")
            _ = try await service.appendMessage(NewMessage(.user, "warm"), to: session.id)
            for number in 2...5 {
                proxy.cutNextAnswer()
                let message = try await service.appendMessage(
                    NewMessage(.user, "\(number)"), to: session.id, usage: TokenUsage(inputTokens: 1))
                #expect(message.sequence == number)
            }
            #expect(proxy.cuts == 4)
            proxy.cutNextAnswer()
            await expectError(.outcomeUnknown) {
                _ = try await store.append(
                    AppendRequest(
                        sessionID: session.id,
                        messages: [PendingMessage(id: try ULIDGenerator.shared.next(), role: .user, content: "x")],
                        time: .now()))
            }
            let now = try await service.get(session.id)
            #expect(now.messageCount == 6)
            #expect(now.usage.inputTokens == 4)
        }
    }

    @Test("An unconfirmed append that another client rewinds is not stored or counted again")
    func takenBack() async throws {
        let cluster = try PostgresCluster.shared()
        var configuration = cluster.configuration()
        let direct = try await PostgresSessionStore.open(configuration)
        let proxy = try CuttingProxy(to: "\(cluster.folder)/.s.PGSQL.5432")
        defer { proxy.stop() }
        configuration.connection["host"] = proxy.folder
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "cut")
            _ = try await service.appendMessage(NewMessage(.user, "kept"), to: session.id)
            for sequence in [1, 0] {
                proxy.cutNextAnswer {
                    _ = try? await direct.rewind(session.id, RewindRequest(to: sequence, time: .now()))
                }
                await expectError(.outcomeUnknown) {
                    _ = try await service.appendMessage(
                        NewMessage(.user, "lost"), to: session.id, usage: TokenUsage(inputTokens: 100))
                }
            }
            #expect(proxy.cuts == 2)
            let now = try await service.get(session.id)
            #expect(now.messageCount == 0)
            #expect(now.usage.inputTokens == 200)
        }
        await direct.close()
    }

    @Test(
        "A store goes on after its connections were terminated, and loses and duplicates nothing",
        arguments: Layout.allCases)
    func terminated(_ layout: Layout) async throws {
        let cluster = try PostgresCluster.shared()
        let name = "t_\(UUID().uuidString.prefix(8))"
        try await layout.withService {
            $0.connection["application_name"] = name
        } _: { service in
            let session = try await service.create(actorName: "terminated")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<25 {
                            _ = try await service.appendMessage(
                                NewMessage(.user, "x"), to: session.id, usage: TokenUsage(inputTokens: 1))
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<3 {
                        try await cluster.sql(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '\(name)'")
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
                try await group.waitForAll()
            }
            let page = try await service.messages(in: session.id, .after(0), limit: 1000)
            #expect(page.messages.map(\.sequence) == Array(1...100))
            #expect(page.session.usage.inputTokens == 100)
        }
    }

    @Test("A store goes on after the server was restarted")
    func restarted() async throws {
        let cluster = try PostgresCluster()
        try await withStore(cluster.configuration()) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "restart")
            _ = try await service.appendMessage(NewMessage(.user, "1"), to: session.id)
            try cluster.stop()
            async let second = service.appendMessage(NewMessage(.user, "2"), to: session.id)
            try await Task.sleep(for: .milliseconds(300))
            try cluster.start()
            let stored = try await second
            #expect(stored.sequence == 2)
            #expect(try await service.count(session.id) == 2)
            try cluster.stop()
            let start = ContinuousClock.now
            await expectError(.unavailable) { _ = try await store.get(session.id) }
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }

    @Test("A change that the server refuses to commit fails alone", arguments: Layout.allCases)
    func refusedAtCommit(_ layout: Layout) async throws {
        let configuration = try layout.configuration()
        let schema = configuration.schema
        try await withStore(configuration) { store in
            try await PostgresCluster.shared().sql(
                """
                CREATE FUNCTION \(schema).refuse() RETURNS trigger LANGUAGE plpgsql AS \
                'BEGIN RAISE EXCEPTION ''not this one''; END'; \
                CREATE CONSTRAINT TRIGGER late AFTER INSERT ON \(schema).session_messages \
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.content = 'bad') \
                EXECUTE FUNCTION \(schema).refuse()
                """)
            let service = PersistentSessionService(store, retryPolicy: .never)
            let session = try await service.create(actorName: "late").id
            let refused = await withTaskGroup(of: StoreError?.self) { group in
                for number in 0..<30 {
                    group.addTask {
                        do throws(StoreError) {
                            let text = number % 10 == 0 ? "bad" : "good"
                            _ = try await service.appendMessage(NewMessage(.user, text), to: session)
                            return nil
                        } catch {
                            return error
                        }
                    }
                }
                var errors: [StoreError] = []
                for await error in group { if let error { errors.append(error) } }
                return errors
            }
            #expect(refused.count == 3)
            #expect(refused.allSatisfy { $0.code == .internalFailure && $0.nativeCode == "P0001" })
            let page = try await service.messages(in: session, .after(0), limit: 100)
            #expect(page.messages.map(\.sequence) == Array(1...27))
            #expect(page.messages.allSatisfy { $0.content == "good" })
        }
    }

    @Test("A server that accepts a connection and says nothing is abandoned within lease_timeout")
    func silentServer() async throws {
        let server = try SilentServer()
        defer { server.stop() }
        var configuration = PostgresConfiguration(connection: [
            "host": "127.0.0.1", "port": "\(server.port)", "connect_timeout": "60",
        ])
        configuration.leaseTimeout = .milliseconds(200)
        let start = ContinuousClock.now
        do {
            _ = try await PostgresSessionStore.open(configuration)
            Issue.record("it was opened")
        } catch {
            #expect(error.code == .unavailable)
            #expect(error.message.contains("lease_timeout"))
        }
        #expect(ContinuousClock.now - start < .seconds(50))
    }

    @Test("A store is closed once, however many callers close it")
    func closing() async throws {
        let store = try await PostgresSessionStore.open(try Layout.plain.configuration())
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { await store.close() } }
        }
        await expectError(.closed) { _ = try await store.get(try ULIDGenerator.shared.next()) }
    }

    @Test("Errors of opening name the cause and show no secret")
    func opening() async throws {
        let cluster = try PostgresCluster.shared()
        _ = try? await cluster.sql("CREATE USER locked PASSWORD 'right'")
        let place = "postgres:///postgres?host=\(cluster.folder)"
        for (url, code) in [
            ("\(place)&user=locked&password=hunter2", StoreError.Code.unavailable),
            ("\(place)&user=postgres&dbname=absent", .unavailable),
            ("postgres://u:hunter2@127.0.0.1:1/db", .unavailable),
            ("postgres:///db?host=/nonexistent", .unavailable),
            ("postgres://u:hunter2@host:port/db", .invalidArgument),
            ("postgres://host:hunter2/db", .invalidArgument),
            ("postgres:hunter2", .invalidArgument),
            ("\(place)&options=-csearch_path=x", .invalidArgument),
            ("\(place)&sslmode=maybe", .invalidArgument),
            ("\(place)&user=postgres&schema=pg_x", .invalidArgument),
        ] {
            do {
                let parsed = try StoreURL(parsing: url)
                let given = Dictionary(parsed.parameters.map { ($0.name, $0.value) }) { first, _ in first }
                let settings = try SettingValues(PostgresBackend.settings, given: given)
                _ = try await PostgresBackend.open(parsed, settings: settings, context: StoreContext())
                Issue.record("\(url) was opened")
            } catch {
                #expect(error.code == code, "\(url): \(error)")
                #expect(!"\(error)".contains("hunter2"), "\(error)")
            }
        }
    }

    @Test("A URL in libpq's own form opens a store that declares its capabilities")
    func url() async throws {
        let cluster = try PostgresCluster.shared()
        let parsed = try StoreURL(
            parsing:
                "postgres://postgres@/postgres?host=\(cluster.folder)&schema=Odd%20%22name%22&synchronous_commit=off")
        let given = Dictionary(parsed.parameters.map { ($0.name, $0.value) }) { first, _ in first }
        let store = try await PostgresBackend.open(
            parsed, settings: try SettingValues(PostgresBackend.settings, given: given), context: StoreContext())
        #expect(store.capabilities.durability == .processCrash)
        let settings = try await store.effectiveSettings()
        #expect(settings.contains(StoreSetting("synchronous_commit", "off")))
        #expect(settings.contains(StoreSetting("fsync", "off")))
        #expect(settings.first?.value.hasPrefix("PostgreSQL ") == true)
        #expect(try await store.migrations().allSatisfy { $0.appliedAt != nil })
        await store.close()
        let durable = [StoreSetting("fsync", "on"), StoreSetting("synchronous_commit", "on")]
        #expect(EffectiveSettings.areDurable(durable))
    }
}
#endif
