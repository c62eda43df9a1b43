#if Postgres
import AgentSessions
@testable import AgentSessionsPostgres
import AgentSessionsPostgresServer
import Testing

/// Settings that an operator made for the server, the database or the user.
@Suite("Default settings of a Postgres user", .enabled(if: PostgresCluster.isInstalled, "PostgreSQL is not installed"))
struct DefaultSettingsTests {
    /// A user for whom the server has such settings.
    private func user(_ settings: [String: String]) async throws -> String {
        let name = "u_\(PostgresCluster.freshSchema())"
        let cluster = try PostgresCluster.shared()
        try await cluster.sql("CREATE ROLE \(name) SUPERUSER LOGIN")
        for (setting, value) in settings { try await cluster.sql("ALTER ROLE \(name) SET \(setting) = '\(value)'") }
        return name
    }

    @Test(
        "A user whose transactions are read-only by default gets the same error for every change and can still read",
        arguments: Layout.allCases)
    func readOnly(_ layout: Layout) async throws {
        var configuration = try layout.configuration()
        try await withStore(configuration) { store in
            let session = try await StoreChange.session(in: store)
            let before = try await store.get(session)
            configuration.connection["user"] = try await user(["default_transaction_read_only": "on"])
            try await withStore(configuration) { reading in
                let service = PersistentSessionService(reading, retryPolicy: .never)
                for change in StoreChange.all {
                    await expectReadOnly(change.testDescription) {
                        try await change.run(service, session, try ULIDGenerator.shared.next())
                    }
                }
                await expectReadOnly("awaitDurability") { try await reading.awaitDurability() }
                #expect(try await service.list().sessions == [before].compactMap(\.self))
                #expect(try await service.messages(in: session, .after(0), limit: 10).messages.count == 3)
                let problems = try await StoreVerification(of: reading).run().problems
                #expect(problems.isEmpty)
            }
        }
        configuration.schema = PostgresCluster.freshSchema()
        await expectReadOnly("open") { [configuration] in _ = try await PostgresSessionStore.open(configuration) }
    }

    @Test("The isolation level and timeouts of a user do not affect the store", arguments: Layout.allCases)
    func isolation(_ layout: Layout) async throws {
        var configuration = try layout.configuration()
        configuration.connection["user"] = try await user([
            "default_transaction_isolation": "serializable", "default_transaction_deferrable": "on",
            "statement_timeout": "1s", "lock_timeout": "1ms",
        ])
        try await withStore(configuration) { first in
            try await withStore(configuration) { second in
                let settings = try await first.effectiveSettings()
                #expect(settings.contains(StoreSetting("statement_timeout", "30s")))
                #expect(settings.contains(StoreSetting("lock_timeout", "5s")))
                let services = [first, second].map { PersistentSessionService($0, retryPolicy: .never) }
                let session = try await services[0].create(actorName: "shared").id
                // A transaction of another isolation level would be refused as soon as another one commits in between.
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for service in services {
                        for _ in 0..<4 {
                            group.addTask {
                                for number in 0..<15 {
                                    _ = try await service.appendMessage(NewMessage(.user, "\(number)"), to: session)
                                    _ = try await service.lastMessages(2, in: session)
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await services[1].count(session) == 120)
            }
        }
    }
}

/// Expects the error of a server that accepts no writes.
func expectReadOnly(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("\(what): nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as StoreError {
        #expect(error.code == .unavailable, "\(what): \(error)", sourceLocation: sourceLocation)
        #expect(error.nativeCode == "25006", "\(what): \(error)", sourceLocation: sourceLocation)
        #expect(
            error.message.contains("default_transaction_read_only"), "\(what): \(error)", sourceLocation: sourceLocation
        )
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
}
#endif
