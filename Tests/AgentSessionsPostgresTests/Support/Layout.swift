#if Postgres
import AgentSessions
import AgentSessionsPostgres
import AgentSessionsPostgresServer
import Testing

/// The ways to run a store, which must all have the same results.
enum Layout: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case plain
    case partitioned
    case unprepared

    var testDescription: String { rawValue }

    func configuration() throws -> PostgresConfiguration {
        var configuration = try PostgresCluster.shared().configuration()
        configuration.partitions = self == .partitioned ? 4 : 0
        configuration.preparesStatements = self != .unprepared
        return configuration
    }

    /// Runs `body` with a service on a fresh store, which is closed afterwards.
    func withService(
        _ change: (inout PostgresConfiguration) -> Void = { _ in },
        _ body: (PersistentSessionService<PostgresSessionStore>) async throws -> Void
    ) async throws {
        var configuration = try configuration()
        change(&configuration)
        try await withStore(configuration) { try await body(PersistentSessionService($0)) }
    }
}

/// Runs `body` with an open store, which is closed afterwards.
func withStore(
    _ configuration: PostgresConfiguration, _ body: (PostgresSessionStore) async throws -> Void
) async throws {
    let store = try await PostgresSessionStore.open(configuration)
    do {
        try await body(store)
    } catch {
        await store.close()
        throw error
    }
    await store.close()
}
#endif
