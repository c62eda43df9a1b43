#if Postgres
import AgentSessions
@testable import AgentSessionsPostgres
import AgentSessionsPostgresServer
import Testing

/// Servers whose commits wait for a standby. Data that such a server shows may be lost with it.
@Suite(
    "Synchronous standby of Postgres", .serialized,
    .enabled(if: PostgresCluster.isInstalled, "PostgreSQL is not installed"), .timeLimit(.minutes(5)))
struct StandbyTests {
    /// A server whose standby is never there.
    private static let lonely = Result { try PostgresCluster(["synchronous_standby_names": "absent"]) }

    /// Two looks or attempts, with nearly no pause.
    private static let policy = RetryPolicy(
        maximumAttempts: 3, baseDelay: .milliseconds(1), maximumDelay: .milliseconds(1), totalTime: .seconds(300))

    /// Runs `body` with two stores on one schema: one that waits for no standby, and one that waits as configured.
    private func withStores(
        on cluster: PostgresCluster, user: String = "postgres",
        _ body: (_ free: PostgresSessionStore, _ waiting: PostgresSessionStore) async throws -> Void
    ) async throws {
        var configuration = cluster.configuration()
        configuration.synchronousCommit = .local
        try await withStore(configuration) { [configuration] free in
            var configuration = configuration
            configuration.synchronousCommit = nil
            configuration.connection["user"] = user
            try await withStore(configuration) { waiting in try await body(free, waiting) }
        }
    }

    /// How a wait of the server is ended.
    enum Way: String, CaseIterable, Sendable {
        case terminate = "pg_terminate_backend"
        case cancel = "pg_cancel_backend"
    }

    /// Interrupts the waits for a standby.
    ///
    /// - Returns: How many there were.
    private func breakOff(_ way: Way, on cluster: PostgresCluster) async throws -> Int {
        let sql = "SELECT count(\(way.rawValue)(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        return Int(try await cluster.sql(sql)) ?? 0
    }

    /// Waits until a session of the server waits for a standby.
    private func waitForWait(on cluster: PostgresCluster) async throws {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        for _ in 0..<500 {
            if try await cluster.sql(sql) != "0" { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw TestFailure("nobody waits for a standby")
    }

    /// Interrupts every wait for a standby while `body` runs.
    ///
    /// - Returns: How many there were.
    private func whileBreakingOff(
        _ way: Way, on cluster: PostgresCluster, _ body: @Sendable () async throws -> Void
    ) async throws -> Int {
        let breaking = Task {
            var count = 0
            while !Task.isCancelled { count += try await breakOff(way, on: cluster) }
            return count
        }
        defer { breaking.cancel() }
        try await body()
        breaking.cancel()
        return try await breaking.value
    }

    @Test(
        "A change whose wait for the standby is interrupted never counts as a success, however often it is looked up",
        arguments: StoreChange.all, Way.allCases)
    func brokenOff(_ change: StoreChange, _ way: Way) async throws {
        let cluster = try Self.lonely.get()
        try await withStores(on: cluster) { free, waiting in
            let session = try await StoreChange.session(in: free)
            let id = try ULIDGenerator.shared.next()
            let service = PersistentSessionService(waiting, retryPolicy: Self.policy)
            let count = try await whileBreakingOff(way, on: cluster) {
                await expectError(.outcomeUnknown) { try await change.run(service, session, id) }
            }
            // The change itself, and at least one look.
            #expect(count >= 2)
            #expect(try await change.isDone(PersistentSessionService(free), session, id))
        }
    }

    @Test(
        "An interrupted wait for the standby is detected whatever messages the user's settings suppress",
        arguments: [true, false])
    func quietUser(_ prepares: Bool) async throws {
        let cluster = try Self.lonely.get()
        try await cluster.sql(
            """
            SET synchronous_commit = local; DROP ROLE IF EXISTS quiet; CREATE ROLE quiet SUPERUSER LOGIN; \
            ALTER ROLE quiet SET client_min_messages = error
            """)
        try await withStores(on: cluster, user: "quiet") { free, waiting in
            let session = try await StoreChange.session(in: free)
            _ = try await whileBreakingOff(.cancel, on: cluster) {
                await expectError(.outcomeUnknown) {
                    _ = try await waiting.update(session, SessionChange(actorName: "x", time: .now()))
                }
                await expectError(.outcomeUnknown) {
                    _ = try await waiting.rewind(session, RewindRequest(to: 0, time: .now()))
                }
            }
        }
    }

    @Test("After the server restarts without its standby, a look at a change waits for the standby again")
    func comesBackAlone() async throws {
        let cluster = try Self.lonely.get()
        try await withStores(on: cluster) { free, waiting in
            let session = try await StoreChange.session(in: free)
            let id = try ULIDGenerator.shared.next()
            let service = PersistentSessionService(waiting, retryPolicy: Self.policy)
            let answer = Task {
                await expectError(.outcomeUnknown) { try await StoreChange.importing.run(service, session, id) }
            }
            try await waitForWait(on: cluster)
            try cluster.stop("immediate")
            try cluster.start()
            let count = try await whileBreakingOff(.terminate, on: cluster) { await answer.value }
            #expect(count >= 1)
            #expect(try await StoreChange.importing.isDone(PersistentSessionService(free), session, id))
        }
    }

    @Test("An append that finds its messages stored waits for the standby, whoever stored them", arguments: [1, 2])
    func replay(_ length: Int) async throws {
        let cluster = try Self.lonely.get()
        try await withStores(on: cluster) { free, waiting in
            let session = try await StoreChange.session(in: free)
            let request = AppendRequest(
                sessionID: session,
                messages: try (0..<length).map {
                    PendingMessage(id: try ULIDGenerator.shared.next(), role: .user, content: "\($0)")
                }, time: .now())
            #expect(try await free.append(request).isReplay == false)
            let count = try await whileBreakingOff(.terminate, on: cluster) {
                await expectError(.outcomeUnknown) { _ = try await waiting.append(request) }
            }
            #expect(count == 1)
            #expect(try await free.append(request).isReplay)
        }
    }

    @Test("a statement of a batch that changed nothing keeps its answer, as the others wait in vain")
    func batch() async throws {
        let cluster = try Self.lonely.get()
        var configuration = cluster.configuration()
        configuration.synchronousCommit = .local
        try await withStore(configuration) { store in
            let sessions = try await [StoreChange.session(in: store), StoreChange.session(in: store)].sorted()
            let statements = store.statements
            configuration.synchronousCommit = nil
            let connection = try PostgresConnection.open(configuration)
            func change(_ session: ULID, from revision: Timestamp?) throws -> HeardStatement {
                var parameters = Parameters()
                parameters.add(session)
                parameters.add("new")
                parameters.addNull()
                parameters.add(Timestamp.now())
                parameters.add(revision)
                parameters.add(TokenUsage.zero)
                return HeardStatement(statements.update.with(parameters), session: session, isExclusive: false)
            }
            let queued = [
                try change(sessions[0], from: .now()), try change(sessions[1], from: nil),
                try change(sessions[1], from: .latest),
            ]
            _ = try await whileBreakingOff(.terminate, on: cluster) {
                let locked = StatementBatch(number: 1, statements: queued, bytes: 0)
                    .finish(on: connection, isSent: false)
                #expect(locked.isEmpty)
            }
            #expect(queued.map(\.rows) == [0, 1, 0])
            #expect(queued.map { $0.error?.writeError.code } == [nil, .outcomeUnknown, .unavailable])
        }
    }

    @Test("A change succeeds as soon as the standby is present, and the standby itself accepts no writes")
    func arrives() async throws {
        let cluster = try PostgresCluster(["synchronous_standby_names": "second"])
        try cluster.makeStandby(named: "second", port: 5433)
        try await withStores(on: cluster) { free, waiting in
            let session = try await StoreChange.session(in: free)
            let service = PersistentSessionService(waiting)
            let changes = [StoreChange.create, .append, .importing]
            let ids = try changes.map { _ in try ULIDGenerator.shared.next() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (change, id) in zip(changes, ids) {
                    group.addTask { try await change.run(service, session, id) }
                }
                group.addTask {
                    try await waitForWait(on: cluster)
                    _ = try await breakOff(.terminate, on: cluster)
                    try await waitForWait(on: cluster)
                    try cluster.startStandby(named: "second")
                }
                try await group.waitForAll()
            }
            var configuration = cluster.configuration(schema: waiting.statements.schema.name)
            configuration.connection["port"] = "5433"
            // The standby has the acknowledged changes, and shows them once it has replayed them.
            try await withStore(configuration) { standby in
                let reader = PersistentSessionService(standby, retryPolicy: .never)
                for (change, id) in zip(changes, ids) {
                    var isDone = false
                    for _ in 0..<100 where !isDone {
                        isDone = (try? await change.isDone(reader, session, id)) ?? false
                        if !isDone { try await Task.sleep(for: .milliseconds(20)) }
                    }
                    #expect(isDone, "\(change.testDescription)")
                }
                for change in StoreChange.all {
                    await expectReadOnly("\(change.testDescription)") {
                        try await change.run(reader, session, try ULIDGenerator.shared.next())
                    }
                }
                await expectReadOnly("awaitDurability") { try await standby.awaitDurability() }
            }
            configuration.schema = PostgresCluster.freshSchema()
            await expectReadOnly("open") { [configuration] in _ = try await PostgresSessionStore.open(configuration) }
        }
        try cluster.stopStandby(named: "second")
        try cluster.stop("immediate")
    }
}

/// A statement that keeps what it is answered.
private final class HeardStatement: QueuedStatement, @unchecked Sendable {
    private(set) var rows: Int?
    private(set) var error: PipelineError?

    override func receive(_ result: PostgresResult) { rows = result.count }
    override func fail(_ error: PipelineError) { self.error = error }
}
#endif
