#if Postgres
import AgentSessions
import AgentSessionsPostgres
import Foundation
import AgentSessionsPostgresServer
import Testing

/// A session whose row another client has locked: changes in the same transaction must not wait for it.
@Suite("Locks held by other Postgres clients", .enabled(if: PostgresCluster.isInstalled, "PostgreSQL is not installed"))
struct LockTests {
    /// Runs `body` while another store holds a lock on the session, until `release` is called.
    private func whileLocked(
        _ session: ULID, _ configuration: PostgresConfiguration,
        _ body: (_ release: @Sendable () -> Void) async throws -> Void
    ) async throws {
        try await withStore(configuration) { holder in
            let (locked, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            async let held = holder.write { (writer) throws(StoreError) in
                let found = try writer.session(session)
                locked.signal()
                return gate.wait(timeout: .now() + 60) == .success && found != nil
            }
            while locked.wait(timeout: .now()) != .success { try await Task.sleep(for: .milliseconds(5)) }
            do {
                try await body { gate.signal() }
            } catch {
                gate.signal()
                throw error
            }
            gate.signal()
            let wasHeld = try await held
            #expect(wasHeld)
        }
    }

    @Test(
        "A locked session is busy after lock_timeout, while the changes beside it are stored",
        arguments: Layout.allCases)
    func busy(_ layout: Layout) async throws {
        var configuration = try layout.configuration()
        configuration.lockTimeout = .milliseconds(300)
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store, retryPolicy: .never)
            let held = try await service.create(actorName: "held").id
            var free: [ULID] = []
            for _ in 0..<8 { free.append(try await service.create(actorName: "free").id) }
            try await whileLocked(held, configuration) { [free] _ in
                let blocked = (0..<3).map { number in
                    Task { try await service.appendMessage(NewMessage(.user, "\(number)"), to: held) }
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for session in free {
                        group.addTask {
                            for number in 1...5 {
                                let stored = try await service.appendMessage(NewMessage(.user, "y"), to: session)
                                #expect(stored.sequence == number)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                // The lock is still held, so every one of the three has waited in vain.
                for task in blocked { await expectError(.busy) { _ = try await task.value } }
            }
            #expect(try await service.count(held) == 0)
            _ = try await service.appendMessage(NewMessage(.user, "x"), to: held)
        }
    }

    @Test("A change waits for a locked session, and other changes do not wait as long", arguments: Layout.allCases)
    func waits(_ layout: Layout) async throws {
        var configuration = try layout.configuration()
        configuration.lockTimeout = .seconds(60)
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store, retryPolicy: .never)
            let held = try await service.create(actorName: "held").id
            let free = try await service.create(actorName: "free").id
            try await whileLocked(held, configuration) { release in
                let blocked = (0..<3).map { number in
                    Task { try await service.appendMessage(NewMessage(.user, "\(number)"), to: held) }
                }
                // If they shared the wait, these would not return before the lock is released, which happens after
                // them.
                for number in 1...20 {
                    let stored = try await service.appendMessage(NewMessage(.user, "y"), to: free)
                    #expect(stored.sequence == number)
                }
                release()
                var sequences: [Int] = []
                for task in blocked { sequences.append(try await task.value.sequence) }
                #expect(sequences.sorted() == [1, 2, 3])
            }
        }
    }

    @Test("A read never waits for a locked row")
    func reads() async throws {
        let configuration = try Layout.plain.configuration()
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store, retryPolicy: .never)
            let held = try await service.create(actorName: "held").id
            try await whileLocked(held, configuration) { _ in
                let page = try await service.lastMessages(5, in: held)
                #expect(page.messages.isEmpty)
                let listed = try await service.list()
                #expect(listed.sessions.map(\.id) == [held])
            }
        }
    }

    @Test("A lock on a whole table makes reads busy too, within the time limit")
    func tableLock() async throws {
        var configuration = try Layout.plain.configuration()
        configuration.lockTimeout = .milliseconds(200)
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store, retryPolicy: .never)
            let session = try await service.create(actorName: "x").id
            let (locked, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            var exclusive = configuration
            exclusive.lockTimeout = .seconds(20)
            exclusive.migrations = [
                Migration(name: "app_lock", parent: "a7_001_session_persistence") { (target) throws(StoreError) in
                    try target.execute("LOCK TABLE \(target.schemaIdentifier).sessions IN ACCESS EXCLUSIVE MODE")
                    locked.signal()
                    _ = gate.wait(timeout: .now() + 60)
                }
            ]
            async let migrated = PostgresSessionStore.open(exclusive)
            while locked.wait(timeout: .now()) != .success { try await Task.sleep(for: .milliseconds(5)) }
            await expectError(.busy) { _ = try await service.get(session) }
            await expectError(.busy) { _ = try await service.appendMessage(NewMessage(.user, "x"), to: session) }
            gate.signal()
            await (try await migrated).close()
            #expect(try await service.get(session).id == session)
        }
    }
}
#endif
