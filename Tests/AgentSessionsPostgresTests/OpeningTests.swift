#if Postgres
import AgentSessions
import AgentSessionsBackends
@testable import AgentSessionsPostgres
import AgentSessionsPostgresServer
import Testing

/// Temporary and permanent failures while a store is opened.
@Suite(
    "Opening of a Postgres store", .serialized,
    .enabled(if: PostgresCluster.isInstalled, "PostgreSQL is not installed"),
    .timeLimit(.minutes(2)))
struct OpeningTests {
    /// A server that has few connections.
    private static let server = Result {
        try PostgresCluster(["max_connections": "4", "superuser_reserved_connections": "0", "max_wal_senders": "0"])
    }

    private let cluster: PostgresCluster

    init() throws { cluster = try Self.server.get() }

    /// All connections of the server, which are in use as long as they are held.
    private func allConnections() async throws -> [PostgresConnection] {
        var held: [PostgresConnection] = []
        // The server may still be ending the sessions of the test before.
        for _ in 0..<500 where held.count < 4 {
            do {
                held.append(try PostgresConnection.open(cluster.configuration()))
            } catch {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        try #require(held.count == 4)
        return held
    }

    @Test("An opening waits for a server without free connections and succeeds as soon as there is one")
    func freed() async throws {
        let url = "postgres:///postgres?host=\(cluster.folder)&user=postgres"
        var held = try await allConnections()
        let opening = Task {
            let store = try await StoreConfiguration.load(store: url, environment: [:]).open()
            _ = try await store.makeService().create(actorName: "a/b")
            await store.close()
        }
        try await Task.sleep(for: .milliseconds(300))
        #expect(held.count == 4)
        held.removeAll()
        try await opening.value
    }

    @Test("A server that never has a free connection is abandoned within the policy, with fitting advice")
    func neverFreed() async throws {
        let held = try await allConnections()
        var configuration = cluster.configuration()
        configuration.leaseTimeout = .milliseconds(200)
        for policy in [RetryPolicy.never, RetryPolicy(maximumAttempts: 3, baseDelay: .milliseconds(1))] {
            let start = ContinuousClock.now
            do throws(StoreError) {
                _ = try await PostgresSessionStore.open(configuration, retryPolicy: policy)
                Issue.record("it was opened")
            } catch {
                #expect(error.code == .unavailable && error.nativeCode == "53300")
                #expect(error.message.contains("max_connections") && !error.message.contains("host, port"), "\(error)")
            }
            let waited = ContinuousClock.now - start
            #expect(waited >= .milliseconds(200 * policy.maximumAttempts) && waited < .seconds(20))
        }
        // A cancelled task stops waiting.
        configuration.leaseTimeout = .seconds(600)
        let patient = configuration
        let opening = Task { () -> StoreError.Code? in
            do throws(StoreError) {
                await (try PostgresSessionStore.open(patient)).close()
                return nil
            } catch {
                return error.code
            }
        }
        try await Task.sleep(for: .milliseconds(100))
        opening.cancel()
        #expect(await opening.value == .cancelled)
        #expect(held.count == 4)
    }

    @Test("A server that starts meanwhile is found within the policy")
    func restarted() async throws {
        try cluster.stop()
        await expectError(.unavailable) { try await PostgresSessionStore.open(cluster.configuration()) }
        let policy = RetryPolicy(
            maximumAttempts: 1000, baseDelay: .milliseconds(20), maximumDelay: .milliseconds(50),
            totalTime: .seconds(60))
        async let opened = PostgresSessionStore.open(cluster.configuration(), retryPolicy: policy)
        try cluster.start()
        await (try opened).close()
    }

    @Test(
        "Each error message of libpq has its code and advice, and is retried if it may be temporary",
        arguments: [
            ("FATAL:  sorry, too many clients already", "53300", "max_connections", true),
            (
                "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", "53300",
                "max_connections", true
            ),
            ("FATAL:  too many connections for role \"app\"", "53300", "max_connections", true),
            ("FATAL:  too many connections for database \"app\"", "53300", "max_connections", true),
            ("FATAL:  no more connections allowed (max_client_conn)", "53300", "max_connections", true),
            ("FATAL:  the database system is starting up", "57P03", "down or starting", true),
            ("FATAL:  the database system is shutting down", "57P03", "down or starting", true),
            ("FATAL:  the database system is in recovery mode", "57P03", "down or starting", true),
            ("FATAL:  the database system is not yet accepting connections", "57P03", "down or starting", true),
            ("session is read-only", "25006", "primary", true),
            (
                "Connection refused Is the server running on that host and accepting TCP/IP connections?", nil,
                "host, port", true
            ),
            ("FATAL:  password authentication failed for user \"app\"", "28P01", "password", false),
            ("FATAL:  role \"app\" does not exist", "28000", "Check the user", false),
            ("FATAL:  role \"app\" is not permitted to log in", "28000", "Check the user", false),
            ("FATAL:  no pg_hba.conf entry for host \"10.0.0.1\", user \"app\"", "28000", "Check the user", false),
            ("FATAL:  database \"app\" does not exist", "3D000", "Create the database", false),
            ("FATAL:  permission denied for database \"app\"", "42501", "right", false),
        ] as [(String, String?, String, Bool)])
    func meaning(_ message: String, _ state: String?, _ advice: String, _ isPassing: Bool) {
        let text = "connection to server on socket \"/run/.s.PGSQL.5432\" failed: \(message)"
        let error = ConnectFailure(text, needsPassword: false, secrets: []).storeError
        #expect(error.code == .unavailable && error.nativeCode == state)
        #expect(error.message.contains(advice) && error.message.contains(message.prefix(20)), "\(error)")
        #expect(error.isPassingAtOpening == isPassing)
        #expect(error.isRefusedLogin == !isPassing)
        #expect(state == nil || !error.message.contains("host, port"))
    }
}
#endif
