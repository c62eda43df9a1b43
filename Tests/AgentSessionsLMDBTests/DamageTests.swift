#if LMDB
import AgentSessions
import CAgentSessionsLMDB
import Foundation
import Testing

@testable import AgentSessionsLMDB

@Suite("Damage in an LMDB store", .timeLimit(.minutes(1)))
struct DamageTests {
    @Test("Damaged records and entries are corrupt")
    func damagedRecords() async throws {
        try await withStore { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "a")
            let messages = try await service.append((1...5).map { NewMessage(.user, "text \($0)") }, to: session.id)
            // A message's record.
            try await damage(store, in: LMDBMigrations.Name.messages, key: messageKey(session.id, 3)) { record in
                var record = record
                record[40] = 0xFF
                return record
            }
            var error = await errorOf { () async throws(StoreError) in
                try await service.messages(in: session.id, limit: 10)
            }
            #expect(error?.code == .corrupt)
            #expect(error?.message.contains("Message 3 of session \(session.id)") == true)
            // An absent message.
            try await damage(store, in: LMDBMigrations.Name.messages, key: messageKey(session.id, 3)) { _ in nil }
            error = await errorOf { () async throws(StoreError) in try await service.messages(in: session.id, limit: 10)
            }
            #expect(error?.code == .corrupt)
            // An entry that leads to another message, to an absent one, and to no sequence.
            let id = messages[0].id
            for value: [UInt8] in [[0, 0, 0, 0, 0, 0, 0, 2], [0, 0, 0, 0, 0, 0, 0, 3], [1]] {
                try await damage(store, in: LMDBMigrations.Name.messageIDs, key: id.bytes + session.id.bytes) { _ in
                    value
                }
                error = await errorOf { () async throws(StoreError) in
                    try await store.read { (reader) throws(StoreError) in
                        try reader.messages(of: session.id, withIDs: [id])
                    }
                }
                #expect(error?.code == .corrupt)
            }
            // A message whose damage hides its id cannot be removed together with its entry.
            try await damage(store, in: LMDBMigrations.Name.messages, key: messageKey(session.id, 5)) { _ in [9] }
            error = await errorOf { () async throws(StoreError) in try await store.delete(session.id) }
            #expect(error?.code == .corrupt)
            // A session's record.
            try await damage(store, in: LMDBMigrations.Name.sessions, key: session.id.bytes) { Array($0.dropLast()) }
            error = await errorOf { () async throws(StoreError) in try await service.get(session.id) }
            #expect(error?.code == .corrupt)
            #expect(error?.message.contains(session.id.description) == true)
            // An index entry of an absent session.
            try await damage(store, in: LMDBMigrations.Name.sessions, key: session.id.bytes) { _ in nil }
            error = await errorOf { () async throws(StoreError) in try await store.list(SessionListRequest(limit: 5)) }
            #expect(error?.code == .corrupt)
        }
    }

    @Test("Invalid keys are corrupt")
    func invalidKeys() async throws {
        try await withStore { store in
            let session = try await store.create(
                NewSession(id: ULID(high: 5, low: 5), actorName: "a", createdAt: .earliest))
            try await store.write { (transaction) throws(StoreError) in
                transaction.changeCount += 1
                let target = try transaction.state.migrationTarget()
                try target.put([1], for: session.id.bytes + [0, 0], in: LMDBMigrations.Name.messages)
                try target.put([], for: [0xEE], in: LMDBMigrations.Name.byCreation)
            }
            var counted = session
            counted.messageCount = 3
            let claimed = counted
            var error = await errorOf { () async throws(StoreError) in
                try await store.read { (reader) throws(StoreError) in
                    try reader.messages(
                        MessageRequest(sessionID: claimed.id, range: .last, limit: 3, byteLimit: 9), of: claimed)
                }
            }
            #expect(error?.code == .corrupt)
            error = await errorOf { () async throws(StoreError) in try await store.list(SessionListRequest(limit: 5)) }
            #expect(error?.code == .corrupt)
        }
    }

    @Test("A duplicated message id is a conflict")
    func duplicatedID() async throws {
        try await withStore { store in
            let session = ULID(high: 1, low: 1)
            let error = await errorOf { () async throws(StoreError) in
                try await store.write { (transaction) throws(StoreError) in
                    try transaction.insert(
                        (1...2).map { sequence in
                            SessionMessage(
                                id: session, sessionID: session, sequence: sequence, role: .user, content: "x",
                                createdAt: .earliest)
                        })
                }
            }
            #expect(error?.code == .conflict)
            #expect(error?.message == StoreError.messageIDTwice(session, in: session).message)
            let counts = try await entryCounts(of: store)
            #expect(counts.values.allSatisfy { $0 == 0 })
        }
    }

    @Test(
        "Each error of LMDB becomes an error of the store",
        arguments: [
            (MDB_PANIC, EngineActivity.committing, StoreError.Code.outcomeUnknown), (MDB_PANIC, .reading, .unavailable),
            (EIO, .committing, .outcomeUnknown), (EIO, .reading, .unavailable), (ENOSPC, .committing, .unavailable),
            (MDB_CORRUPTED, .reading, .corrupt), (MDB_PAGE_NOTFOUND, .reading, .corrupt),
            (MDB_KEYEXIST, .writing, .corrupt),
            (MDB_INVALID, .opening, .corrupt), (MDB_VERSION_MISMATCH, .opening, .unavailable),
            (MDB_READERS_FULL, .reading, .busy), (MDB_MAP_RESIZED, .reading, .busy), (EAGAIN, .opening, .busy),
            (MDB_TXN_FULL, .writing, .limitExceeded), (EACCES, .opening, .unavailable),
            (ENOMEM, .opening, .unavailable),
            (MDB_BAD_TXN, .writing, .internalFailure), (9999, .writing, .internalFailure),
        ])
    func nativeErrors(code: Int32, activity: EngineActivity, expected: StoreError.Code) {
        let error = StoreError(lmdb: code, while: activity, path: "/x")
        #expect(error.code == expected)
        #expect(error.backend == "lmdb")
        #expect(error.nativeCode?.isEmpty == false)
    }

    @Test("A commit of unknown outcome stops the store")
    func unknownCommit() async throws {
        try await withFolder { folder in
            let engine = try LMDBWriteEngine(LMDBConfiguration(path: folder + "/store"))
            #expect(engine.failure(ofCommit: ENOSPC, mapSize: 1 << 20).code == .unavailable)
            try engine.begin()
            try engine.commit()
            #expect(engine.failure(ofCommit: MDB_MAP_FULL, mapSize: 1 << 20).isGrowingMap)
            #expect(engine.failure(ofCommit: EIO, mapSize: 1 << 20).code == .outcomeUnknown)
            #expect(throws: StoreError.self) { try engine.begin() }
            engine.close()
        }
    }

    @Test("A read is busy if all reader slots are taken")
    func readersTaken() async throws {
        try await withStore(configured { $0.maxReaders = 8 }) { store in
            let environment = try await store.readOnThread { (reader) throws(StoreError) in reader.state.environment }
            let error: StoreError? = try await store.readOnThread { (reader) throws(StoreError) in
                var held: [TransactionState] = []
                var failure: StoreError?
                for _ in 0..<20 where failure == nil {
                    do throws(StoreError) {
                        held.append(try environment.beginRead(reader.state.databases))
                    } catch {
                        failure = error
                    }
                }
                for state in held { environment.endRead(state) }
                return failure
            }
            #expect(error?.code == .busy)
            #expect(error?.nativeCode == "MDB_READERS_FULL")
            let sessions = try await store.list(SessionListRequest(limit: 1))
            #expect(sessions.isEmpty)
        }
    }

    @Test("A map that a transaction uses cannot be resized")
    func mapInUse() throws {
        let gate = MapResizeGate()
        try gate.enter()
        #expect(throws: StoreError.self) { try gate.exclusively(within: .milliseconds(30)) {} }
        gate.leave()
        try gate.exclusively(within: .milliseconds(30)) {}
        #expect(try gate.enterIdle() == nil)
        #expect(gate.close().isEmpty)
        #expect(throws: StoreError.self) { try gate.enter() }
    }
}
#endif
