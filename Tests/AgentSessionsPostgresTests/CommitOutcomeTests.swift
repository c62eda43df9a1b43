#if Postgres && os(Linux)
import AgentSessions
@testable import AgentSessionsPostgres
import Foundation
import AgentSessionsPostgresServer
import AgentSessionsTestSupport
import Testing

private let failingLogSync = preloadedLibrary("FailingSync/failing_log_sync.c")

/// The outcome of a change whose commit ends the session, and of one that the server refuses to commit.
@Suite(
    "Failed commits in Postgres", .serialized,
    .enabled(if: PostgresCluster.isInstalled, "PostgreSQL is not installed"),
    .enabled(if: failingLogSync != nil, "needs clang"),
    .disabled(
        if: ProcessInfo.processInfo.environment["SANITIZER"] != nil,
        "the run time of a sanitizer has to be loaded before anything else"))
struct CommitOutcomeTests {
    /// A server whose log fails to sync on demand. The WAL writer stays out of the way.
    private static let cluster = Result {
        try PostgresCluster(
            ["fsync": "on", "wal_sync_method": "fdatasync", "wal_writer_delay": "10s", "restart_after_crash": "on"],
            preloading: failingLogSync)
    }

    private let cluster: PostgresCluster

    init() throws {
        cluster = try Self.cluster.get()
    }

    /// Makes the next sync of a process that runs such a command fail: the server panics and restarts.
    private func failNextSync(of command: String) throws {
        try command.write(toFile: "\(cluster.folder)/data/failing_log_sync", atomically: false, encoding: .utf8)
    }

    /// Whether the sync has failed as asked.
    private var hasFailed: Bool { !FileManager.default.fileExists(atPath: "\(cluster.folder)/data/failing_log_sync") }

    private func session(_ count: Int) throws -> (Session, ArraySource) {
        let id = try ULIDGenerator.shared.next()
        let messages = try (1...count).map { sequence in
            SessionMessage(
                id: try ULIDGenerator.shared.next(), sessionID: id, sequence: sequence, role: .user, content: "x",
                metadata: [:], createdAt: .now())
        }
        let session = Session(
            id: id, actorName: "panic", messageCount: count, metadata: [:], createdAt: .now(), updatedAt: .now())
        return (session, ArraySource(messages))
    }

    @Test("A commit during which the server panics has an unknown outcome, even if it is stored")
    func panicInCommit() async throws {
        try await withStore(cluster.configuration()) { store in
            let (session, messages) = try session(3)
            try failNextSync(of: "COMMIT")
            await expectError(.outcomeUnknown) { try await store.restore(session, messages: messages) }
            #expect(hasFailed)
            let service = PersistentSessionService(store)
            let stored = try await service.messages(in: session.id, .after(0), limit: 10)
            #expect(stored.messages.count == 3)
        }
    }

    @Test("The service finds out the outcome of an import and neither stores it twice nor denies it")
    func importOnce() async throws {
        try await withStore(cluster.configuration()) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "panic")
            _ = try await service.append((1...5).map { NewMessage(.user, "\($0)") }, to: session.id)
            var bytes: [UInt8] = []
            for try await piece in service.exportSession(session.id) { bytes += piece }
            try failNextSync(of: "COMMIT")
            let imported = try await service.importSession(.bytes(bytes))
            #expect(hasFailed)
            try failNextSync(of: "COMMIT")
            let rewound = try await service.rewind(session.id, to: 2)
            #expect(hasFailed)
            #expect(rewound.messageCount == 2)
            let listed = try await service.list()
            #expect(Set(listed.sessions.map(\.id)) == [session.id, imported])
        }
    }

    @Test("All statements of a lost commit have an unknown outcome, and an append is stored once")
    func panicInPipeline() async throws {
        try await withStore(cluster.configuration()) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "panic")
            try failNextSync(of: "INSERT")
            await expectError(.outcomeUnknown) {
                _ = try await store.append(
                    AppendRequest(
                        sessionID: session.id,
                        messages: [PendingMessage(id: try ULIDGenerator.shared.next(), role: .user, content: "1")],
                        time: .now()))
            }
            #expect(hasFailed)
            #expect(try await service.count(session.id) == 1)
            try failNextSync(of: "INSERT")
            let second = try await service.appendMessage(
                NewMessage(.user, "2"), to: session.id, usage: TokenUsage(inputTokens: 1))
            #expect(hasFailed)
            #expect(second.sequence == 2)
            let now = try await service.get(session.id)
            #expect(now.messageCount == 2)
            #expect(now.usage.inputTokens == 1)
        }
    }

    @Test(
        "A commit that the server refuses fails for certain, and nothing is stored",
        arguments: [("23514", StoreError.Code.corrupt), ("40001", .busy), ("P0001", .internalFailure)])
    func refusedAtCommit(_ state: String, _ code: StoreError.Code) async throws {
        let configuration = cluster.configuration()
        let schema = configuration.schema
        try await withStore(configuration) { store in
            try await cluster.sql(
                """
                CREATE FUNCTION \(schema).refuse() RETURNS trigger LANGUAGE plpgsql AS \
                'BEGIN RAISE EXCEPTION USING MESSAGE = ''not this one'', ERRCODE = ''\(state)''; END'; \
                CREATE CONSTRAINT TRIGGER late AFTER INSERT ON \(schema).session_messages \
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION \(schema).refuse()
                """)
            let (session, messages) = try session(2)
            await expectError(code) { try await store.restore(session, messages: messages) }
            let found = try await store.get(session.id)
            #expect(found == nil)
        }
    }

    @Test("A transaction that the server ends because it was idle fails for certain")
    func idleInTransaction() async throws {
        try await cluster.sql(
            "CREATE USER hasty SUPERUSER; ALTER USER hasty SET idle_in_transaction_session_timeout = 200")
        var configuration = cluster.configuration()
        try await withStore(configuration) { _ in }
        configuration.connection["user"] = "hasty"
        try await withStore(configuration) { store in
            let id = try ULIDGenerator.shared.next()
            do throws(StoreError) {
                try await store.write { (writer) throws(StoreError) in
                    try writer.insert(NewSession(id: id, actorName: "late", createdAt: .now()).session)
                    Thread.sleep(forTimeInterval: 0.6)
                }
                Issue.record("it was committed")
            } catch {
                #expect(error.code == .unavailable)
                #expect(error.nativeCode == "25P03")
                #expect(error.message.contains("idle_in_transaction_session_timeout"))
            }
            let found = try await store.get(id)
            #expect(found == nil)
        }
    }
}
#endif
