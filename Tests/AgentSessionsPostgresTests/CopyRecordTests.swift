#if Postgres
import AgentSessions
import AgentSessionsMemory
import AgentSessionsPostgres
import Foundation
import AgentSessionsPostgresServer
import Testing

@Suite("Copy records in Postgres", .enabled(if: PostgresCluster.isInstalled, "PostgreSQL is not installed"))
struct CopyRecordTests {
    private let source = MemorySessionStore()
    private var service: PersistentSessionService<MemorySessionStore> { PersistentSessionService(source) }

    /// A session at the source whose last change is usage.
    private func makeSession() async throws -> Session {
        let session = try await service.create(actorName: "a")
        try await service.append((0..<5).map { NewMessage(.user, "\($0)") }, to: session.id)
        return try await service.updateTokenUsage(session.id, adding: TokenUsage(inputTokens: 1))
    }

    @Test("Copy records are kept in every layout and are deleted with their session", arguments: Layout.allCases)
    func layouts(_ layout: Layout) async throws {
        try await layout.withService { target in
            let session = try await makeSession()
            for round in 1...3 {
                #expect(try await StoreCopy(from: source, to: target.store).run().copied == 1, "round \(round)")
                try await service.rewind(session.id, to: 5 - round)
            }
            let record = try #require(try await target.store.copyRecord(of: session.id))
            #expect(try await record.revision == target.get(session.id).revision)
            #expect(try await StoreVerification(of: target.store).run().isSound)
            try await target.delete(session.id)
            #expect(try await target.store.copyRecord(of: session.id) == nil)
        }
    }

    @Test("A user without the rights for copy records can still copy")
    func rights() async throws {
        let cluster = try PostgresCluster.shared()
        var configuration = cluster.configuration()
        let schema = configuration.schema
        let owner = try await PostgresSessionStore.open(configuration)
        let user = "u_\(UUID().uuidString.prefix(8).lowercased())"
        let tables =
            "\(schema).sessions, \(schema).session_messages, \(schema).resource_registry, "
            + "\(schema).schema_migrations"
        for sql in [
            "CREATE ROLE \(user) LOGIN", "GRANT USAGE ON SCHEMA \(schema) TO \(user)",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON \(tables) TO \(user)",
        ] { try await cluster.sql(sql) }
        configuration.connection["user"] = user
        configuration.migrationPolicy = .require
        try await withStore(configuration) { target in
            let session = try await makeSession()
            #expect(try await !target.keepCopyRecords())
            #expect(try await StoreCopy(from: source, to: target).run().copied == 1)
            try await service.updateTokenUsage(session.id, adding: TokenUsage(inputTokens: 1))
            await expectError(.conflict) { _ = try await StoreCopy(from: source, to: target).run() }
            // The owner makes the table, which no other user may use.
            #expect(try await owner.keepCopyRecords())
            #expect(try await !target.keepCopyRecords())
            #expect(try await target.copyRecord(of: session.id) == nil)
            await expectError(.conflict) { _ = try await StoreCopy(from: source, to: target).run() }
            try await cluster.sql("GRANT SELECT, INSERT, UPDATE ON \(schema).session_copies TO \(user)")
            let next = try await makeSession()
            for _ in 0..<2 {
                _ = try? await StoreCopy(from: source, to: target).run()
                try await service.updateTokenUsage(next.id, adding: TokenUsage(inputTokens: 1))
            }
            _ = try? await StoreCopy(from: source, to: target).run()
            #expect(try await target.get(next.id)?.usage.inputTokens == 3)
        }
        await owner.close()
    }
}
#endif
