import AgentSessionsMemory
import Testing

@testable import AgentSessions

/// An operation of the service that changes the store, and checks that it was done once.
struct FaultyOperation: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Runs it on the session that ``session`` names.
    let run: @Sendable (PersistentSessionService<FaultyStore>) async throws(StoreError) -> Void
    /// Checks that it is done exactly once.
    let isDone: @Sendable (any SessionStore) async throws -> Bool
    /// Checks that nothing of it is done.
    let isUndone: @Sendable (any SessionStore) async throws -> Bool
    /// How many reads come before its first attempt.
    var readsBefore = 0

    /// Reads that fail in this way, after those that come before the first attempt.
    func reads(_ faults: [FaultyStore.Fault]) -> [FaultyStore.Fault] {
        Array(repeating: .none, count: readsBefore) + faults
    }

    static let session = ulid(1)
    static let created = ulid(2)

    /// A store with a session of three messages.
    static func store() async throws -> FaultyStore {
        let store = FaultyStore()
        _ = try await store.base.create(NewSession(id: session, actorName: "local/tester", createdAt: time()))
        let messages = (1...3).map { PendingMessage(id: ulid(100 + $0), role: .user, content: "old") }
        _ = try await store.base.append(AppendRequest(sessionID: session, messages: messages, time: time(1)))
        return store
    }

    private static func count(_ store: any SessionStore) async throws -> Int? {
        try await store.get(session)?.messageCount
    }

    private static func actors(_ store: any SessionStore) async throws -> [String] {
        try await store.list(SessionListRequest(limit: 10)).map(\.actorName)
    }

    static let all: [FaultyOperation] = [
        FaultyOperation(testDescription: "create") { (service) throws(StoreError) in
            #expect(try await service.create(actorName: "new").actorName == "new")
        } isDone: {
            try await actors($0) == ["new", "local/tester"]
        } isUndone: {
            try await actors($0) == ["local/tester"]
        },
        FaultyOperation(testDescription: "create with an id") { (service) throws(StoreError) in
            #expect(try await service.create(actorName: "new", metadata: ["a": 1], id: created).id == created)
        } isDone: {
            try await $0.get(created)?.metadata == ["a": 1]
        } isUndone: {
            try await $0.get(created) == nil
        },
        FaultyOperation(testDescription: "append one") { (service) throws(StoreError) in
            #expect(try await service.appendMessage(NewMessage(.user, "new"), to: session).sequence == 4)
        } isDone: {
            try await count($0) == 4
        } isUndone: {
            try await count($0) == 3
        },
        FaultyOperation(testDescription: "append a batch with usage") { (service) throws(StoreError) in
            let stored = try await service.append(
                [NewMessage(.user, "a"), NewMessage(.assistant, "b")], to: session, usage: TokenUsage(inputTokens: 7),
                expectedSequence: 3)
            #expect(stored.map(\.sequence) == [4, 5])
        } isDone: {
            let found = try await $0.get(session)
            return found?.messageCount == 5 && found?.usage.inputTokens == 7
        } isUndone: {
            try await count($0) == 3
        },
        FaultyOperation(testDescription: "update") { (service) throws(StoreError) in
            #expect(try await service.update(session, actorName: "new").actorName == "new")
        } isDone: {
            try await actors($0) == ["new"]
        } isUndone: {
            try await actors($0) == ["local/tester"]
        },
        FaultyOperation(testDescription: "update with a revision") { (service) throws(StoreError) in
            let updated = try await service.update(
                session, actorName: nil, metadata: ["b": 2], expectedRevision: time(1))
            #expect(updated.metadata == ["b": 2])
        } isDone: {
            try await $0.get(session)?.metadata == ["b": 2]
        } isUndone: {
            try await $0.get(session)?.revision == time(1)
        },
        FaultyOperation(testDescription: "usage") { (service) throws(StoreError) in
            let updated = try await service.updateTokenUsage(session, adding: TokenUsage(outputTokens: 5))
            #expect(updated.usage.outputTokens == 5)
        } isDone: {
            try await $0.get(session)?.usage.outputTokens == 5
        } isUndone: {
            try await $0.get(session)?.usage == .zero
        },
        FaultyOperation(testDescription: "rewind") { (service) throws(StoreError) in
            #expect(try await service.rewind(session, to: 1).messageCount == 1)
        } isDone: {
            try await count($0) == 1
        } isUndone: {
            try await count($0) == 3
        },
        FaultyOperation(testDescription: "rewind with expectations") { (service) throws(StoreError) in
            let rewound = try await service.rewind(session, to: 0, expectedRevision: time(1), expectedSequence: 3)
            #expect(rewound.messageCount == 0)
        } isDone: {
            try await count($0) == 0
        } isUndone: {
            try await count($0) == 3
        },
        // A first read tells which session of that id is meant.
        FaultyOperation(
            testDescription: "delete",
            run: { (service) throws(StoreError) in try await service.delete(session) },
            isDone: { try await $0.get(session) == nil }, isUndone: { try await count($0) == 3 }, readsBefore: 1),
    ]
}

@Suite("The service over a failing store")
struct FaultTests {
    private func service(
        _ store: FaultyStore, _ policy: RetryPolicy = .quick
    ) -> PersistentSessionService<FaultyStore> {
        PersistentSessionService(store, retryPolicy: policy)
    }

    @Test("A temporary failure is retried with the same ids", arguments: FaultyOperation.all)
    func transient(operation: FaultyOperation) async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: [.failBefore(.busy), .failBefore(.timeout), .failBefore(.unavailable)])
        try await operation.run(service(store))
        #expect(try await operation.isDone(store.base))
        #expect(store.seen.writeCount == 4)
        #expect(store.seen.readCount == operation.readsBefore)
        let ids = store.seen.ids
        #expect(Set(ids).count == ids.count / 4)
    }

    @Test("The attempts of a call are bounded", arguments: FaultyOperation.all)
    func bounded(operation: FaultyOperation) async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: Array(repeating: .failBefore(.busy), count: 10))
        let error = try await storeError { () throws(StoreError) in try await operation.run(service(store)) }
        #expect(error.code == .busy)
        #expect(store.seen.writeCount == 5)
        #expect(try await operation.isUndone(store.base))
    }

    @Test("Any other failure is returned at once", arguments: FaultyOperation.all)
    func definitive(operation: FaultyOperation) async throws {
        let store = try await FaultyOperation.store()
        for code: StoreError.Code in [.closed, .corrupt, .unsupported, .internalFailure, .cancelled, .limitExceeded] {
            store.fail(writes: [.failBefore(code)])
            let error = try await storeError { () throws(StoreError) in try await operation.run(service(store)) }
            #expect(error.code == code)
            #expect(store.seen.writeCount == 1)
        }
        #expect(try await operation.isUndone(store.base))
    }

    @Test(
        "A change that was stored with an unknown outcome is found and not stored again", arguments: FaultyOperation.all
    )
    func doneButUnknown(operation: FaultyOperation) async throws {
        let store = try await FaultyOperation.store()
        store.fail(
            writes: [.failBefore(.busy), .doneButUnknown], reads: operation.reads([.failBefore(.unavailable)]))
        try await operation.run(service(store))
        #expect(try await operation.isDone(store.base))
    }

    @Test("A change that was lost with an unknown outcome is stored", arguments: FaultyOperation.all)
    func lostAndUnknown(operation: FaultyOperation) async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: [.lostAndUnknown, .failBefore(.busy), .lostAndUnknown])
        try await operation.run(service(store))
        #expect(try await operation.isDone(store.base))
    }

    @Test("A commit that takes effect after the look is neither duplicated nor denied", arguments: FaultyOperation.all)
    func lateCommit(operation: FaultyOperation) async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: [.lateAndUnknown])
        try await operation.run(service(store))
        #expect(try await operation.isDone(store.base))
    }

    @Test("A call with a single attempt still finds out what can be read back", arguments: FaultyOperation.all)
    func never(operation: FaultyOperation) async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: [.doneButUnknown])
        do throws(StoreError) {
            try await operation.run(service(store, .never))
        } catch {
            // Only another attempt shows the outcome of an append.
            #expect(error.code == .outcomeUnknown)
            #expect(operation.testDescription.hasPrefix("append"))
        }
        #expect(try await operation.isDone(store.base))
        #expect(store.seen.writeCount == 1)
    }

    @Test("A change that is never found out has an unknown outcome", arguments: FaultyOperation.all)
    func neverFoundOut(operation: FaultyOperation) async throws {
        let store = try await FaultyOperation.store()
        let busy = Array(repeating: FaultyStore.Fault.failBefore(.busy), count: 20)
        for first in [FaultyStore.Fault.doneButUnknown, .lostAndUnknown] {
            let store = try await FaultyOperation.store()
            store.fail(writes: [first] + busy, reads: operation.reads(busy))
            let error = try await storeError { () throws(StoreError) in try await operation.run(service(store)) }
            #expect(error.code == .outcomeUnknown)
            #expect(error.backend == "faulty")
            #expect((error.cause as? StoreError)?.code == .busy)
            #expect(!error.message.contains("Nothing was written"))
        }
        store.fail(writes: Array(repeating: .lostAndUnknown, count: 20))
        let error = try await storeError { () throws(StoreError) in try await operation.run(service(store)) }
        #expect(error.code == .outcomeUnknown)
        #expect(store.seen.writeCount == 5)
    }

    @Test(
        "An error of a look or of a later attempt does not replace an unknown outcome", arguments: FaultyOperation.all,
        [StoreError.Code.closed, .cancelled, .corrupt, .internalFailure, .newerStore])
    func hiddenOutcome(operation: FaultyOperation, code: StoreError.Code) async throws {
        for first in [FaultyStore.Fault.doneButUnknown, .lostAndUnknown] {
            let store = try await FaultyOperation.store()
            store.fail(writes: [first, .failBefore(code)], reads: operation.reads([.failBefore(code)]))
            let error = try await storeError { () throws(StoreError) in try await operation.run(service(store)) }
            #expect(error.code == .outcomeUnknown)
        }
    }

    @Test("A task that is cancelled before its call begins writes nothing", arguments: FaultyOperation.all)
    func cancelledBefore(operation: FaultyOperation) async throws {
        let store = try await FaultyOperation.store()
        let service = service(store)
        let task = Task { () -> StoreError? in
            withUnsafeCurrentTask { $0?.cancel() }
            do throws(StoreError) {
                try await operation.run(service)
                return nil
            } catch {
                return error
            }
        }
        #expect(await task.value?.code == .cancelled)
        #expect(store.seen.writeCount == 0)
        #expect(try await operation.isUndone(store.base))
    }

    @Test("A task that is cancelled during its commit learns the outcome", arguments: FaultyOperation.all)
    func cancelledAfter(operation: FaultyOperation) async throws {
        let store = try await FaultyOperation.store()
        let service = service(store)
        let cancel: @Sendable (any SessionStore) async throws(StoreError) -> Void = { _ in
            withUnsafeCurrentTask { $0?.cancel() }
        }
        store.fail(
            writes: [.doneThen(cancel), .refuseWhenCancelled, .refuseWhenCancelled],
            reads: operation.reads([.refuseWhenCancelled, .refuseWhenCancelled]))
        try await Task { try await operation.run(service) }.value
        #expect(try await operation.isDone(store.base))
    }

    @Test("A cancelled task does not retry a temporary failure")
    func cancelledRetry() async throws {
        let store = try await FaultyOperation.store()
        let service = service(store)
        store.fail(writes: [
            .first { (_) throws(StoreError) in
                withUnsafeCurrentTask { $0?.cancel() }
                throw StoreError(.busy, "scripted")
            }
        ])
        let task = Task { try await storeError { () throws(StoreError) in try await service.delete(ulid(1)) } }
        #expect(try await task.value.code == .cancelled)
        #expect(store.seen.writeCount == 1)
    }

    @Test("No attempt begins after the total time")
    func totalTime() async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: Array(repeating: .failBefore(.busy), count: 100_000))
        var policy = RetryPolicy(
            maximumAttempts: 100_000, baseDelay: .milliseconds(5), maximumDelay: .milliseconds(5),
            totalTime: .seconds(1))
        let service = service(store, policy)
        #expect(try await storeError { () throws(StoreError) in try await service.delete(ulid(1)) }.code == .busy)
        #expect(store.seen.writeCount > 1)
        #expect(store.seen.writeCount < 10_000)
        policy.totalTime = .zero
        store.fail(writes: [.failBefore(.busy)])
        let hasty = self.service(store, policy)
        #expect(try await storeError { () throws(StoreError) in try await hasty.delete(ulid(1)) }.code == .busy)
        #expect(store.seen.writeCount == 1)
    }

    @Test("Reads are retried too")
    func reads() async throws {
        let store = try await FaultyOperation.store()
        let service = service(store)
        store.fail(reads: [.failBefore(.busy), .failBefore(.timeout)])
        #expect(try await service.get(ulid(1)).messageCount == 3)
        store.fail(reads: [.failBefore(.busy)])
        #expect(try await service.lastMessages(2, in: ulid(1)).messages.map(\.sequence) == [2, 3])
        store.fail(reads: [.failBefore(.busy)])
        #expect(try await service.list().sessions.count == 1)
        store.fail(reads: [.failBefore(.corrupt)])
        #expect(try await storeError { () throws(StoreError) in try await service.get(ulid(1)) }.code == .corrupt)
        #expect(store.seen.readCount == 1)
    }

    // MARK: Others meanwhile

    private func other(
        _ id: ULID = ulid(1), after microseconds: Int64 = 0, actor: String? = nil
    ) -> @Sendable (any SessionStore) async throws(StoreError) -> Void {
        { (store) throws(StoreError) in
            let now = microseconds == 0 ? Timestamp.now() : time(microseconds)
            _ = try await store.update(
                id, SessionChange(actorName: actor, usage: TokenUsage(inputTokens: 1), time: now))
        }
    }

    @Test("For a session stamped in the future a stored change is found, and a lost one stays unknown")
    func stampedAhead() async throws {
        let store = try await FaultyOperation.store()
        _ = try await store.base.update(
            ulid(1), SessionChange(actorName: "ahead", time: Timestamp("2099-01-01T00:00:00Z") ?? .latest))
        let service = PersistentSessionService(store, retryPolicy: .quick, now: { time(50) })
        store.fail(writes: [.doneButUnknown])
        let stored = try await service.appendMessage(NewMessage(.user, "a"), to: ulid(1))
        #expect(stored.sequence == 4)
        store.fail(writes: [.lostAndUnknown])
        let error = try await storeError { () throws(StoreError) in
            try await service.appendMessage(NewMessage(.user, "b"), to: ulid(1))
        }
        #expect(error.code == .outcomeUnknown)
        // A caller that names an expected revision is told apart from other callers by it.
        store.fail(writes: [.lostAndUnknown])
        let revision = try await service.get(ulid(1)).revision
        let updated = try await service.update(ulid(1), actorName: "x", metadata: nil, expectedRevision: revision)
        #expect(updated.actorName == "x" && updated.messageCount == 4)
    }

    @Test("The outcome of a usage increment stays unknown if another change followed")
    func overtaken() async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: [.doneThen(other())])
        let error = try await storeError { () throws(StoreError) in
            try await service(store).updateTokenUsage(ulid(1), adding: TokenUsage(outputTokens: 5))
        }
        #expect(error.code == .outcomeUnknown)
        #expect(try await store.base.get(ulid(1))?.usage == TokenUsage(inputTokens: 1, outputTokens: 5))
    }

    @Test("A lost change is made again on the state that another caller left")
    func lostThenOther() async throws {
        let store = try await FaultyOperation.store()
        store.fail(
            writes: [.lostAndUnknown], reads: [.first(other(after: 10)), .first(other(after: 20))])
        let updated = try await service(store).updateTokenUsage(ulid(1), adding: TokenUsage(outputTokens: 5))
        #expect(updated.usage == TokenUsage(inputTokens: 1, outputTokens: 5))
    }

    @Test("A lost change with an expected revision is a conflict if another change came first")
    func lostConflict() async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: [.lostAndUnknown], reads: [.first(other(after: 10))])
        let error = try await storeError { () throws(StoreError) in
            try await service(store).update(ulid(1), actorName: "x", metadata: nil, expectedRevision: time(1))
        }
        #expect(error.code == .conflict)
    }

    @Test("The revision of another caller is not mistaken for one's own if the clock is behind the store")
    func clockBehind() async throws {
        let store = try await FaultyOperation.store()
        let service = PersistentSessionService(store, retryPolicy: .quick, now: { time(-1000) })
        store.fail(writes: [.lostAndUnknown], reads: [.first(other(after: -500, actor: "other"))])
        let error = try await storeError { () throws(StoreError) in
            try await service.update(ulid(1), actorName: "mine", metadata: nil, expectedRevision: time(1))
        }
        #expect(error.code == .conflict)
        store.fail(writes: [.doneButUnknown])
        let revision = try #require(try await store.base.get(ulid(1))).revision
        let updated = try await service.update(ulid(1), actorName: "mine", metadata: nil, expectedRevision: revision)
        #expect(updated.actorName == "mine")
        store.fail(writes: [.doneButUnknown])
        let unfenced = try await storeError { () throws(StoreError) in
            try await service.updateTokenUsage(ulid(1), adding: TokenUsage(outputTokens: 1))
        }
        #expect(unfenced.code == .outcomeUnknown)
    }

    @Test("A refusal that is not about the revision is final after an unknown outcome")
    func finalRefusal() async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: [.lostAndUnknown])
        let error = try await storeError { () throws(StoreError) in
            try await service(store).rewind(ulid(1), to: 1, expectedRevision: nil, expectedSequence: 9)
        }
        #expect(error.code == .conflict)
        #expect(error.message.contains("last sequence"))
        store.fail(writes: [.lostAndUnknown])
        let tooFar = try await storeError { () throws(StoreError) in try await service(store).rewind(ulid(1), to: 9) }
        #expect(tooFar.code == .invalidArgument)
    }

    @Test("An id that another caller created meanwhile is taken, even after an unknown outcome")
    func createTaken() async throws {
        let store = try await FaultyOperation.store()
        let taken: @Sendable (any SessionStore) async throws(StoreError) -> Void = { (store) throws(StoreError) in
            _ = try await store.create(NewSession(id: ulid(9), actorName: "new", createdAt: time(5)))
        }
        store.fail(writes: [.lostAndUnknown], reads: [.first(taken)])
        let error = try await storeError { () throws(StoreError) in
            try await service(store).create(actorName: "new", metadata: [:], id: ulid(9))
        }
        #expect(error.code == .alreadyExists)
        #expect(try await store.base.get(ulid(9))?.createdAt == time(5))
    }

    @Test("A created session that another caller renamed before the look still counts as created")
    func createRenamed() async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: [.doneThen(other(ulid(9), actor: "renamed"))])
        let created = try await service(store).create(actorName: "new", metadata: [:], id: ulid(9))
        #expect(created.actorName == "renamed")
    }

    @Test("A session that is gone leaves an unknown outcome unknown, except for a deletion")
    func gone() async throws {
        let delete: @Sendable (any SessionStore) async throws(StoreError) -> Void = { (store) throws(StoreError) in
            _ = try await store.delete(ulid(1))
        }
        let store = try await FaultyOperation.store()
        store.fail(writes: [.doneThen(delete)])
        let error = try await storeError { () throws(StoreError) in
            try await service(store).update(ulid(1), actorName: "x")
        }
        #expect(error.code == .outcomeUnknown)

        let second = try await FaultyOperation.store()
        second.fail(writes: [.lostAndUnknown, .first(delete)])
        try await service(second).delete(ulid(1))
        #expect(
            try await storeError { () throws(StoreError) in try await service(second).delete(ulid(1)) }.code
                == .notFound)
    }

    /// A rewind of another process, whose clock may be behind or ahead.
    private func rewind(
        to sequence: Int, at time: Timestamp = .now()
    ) -> @Sendable (any SessionStore) async throws(StoreError) -> Void {
        { (store) throws(StoreError) in _ = try await store.rewind(ulid(1), RewindRequest(to: sequence, time: time)) }
    }

    @Test(
        "An append of unknown outcome that another caller rewound is neither stored nor counted again",
        arguments: [0, 1, 3, 4], [false, true])
    func appendTakenBack(sequence: Int, isClockBehind: Bool) async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: [.doneThen(rewind(to: sequence, at: isClockBehind ? time(2) : .now()))])
        let error = try await storeError { () throws(StoreError) in
            try await service(store).append(
                [NewMessage(.user, "a"), NewMessage(.assistant, "b")], to: ulid(1),
                usage: TokenUsage(inputTokens: 100), expectedSequence: nil)
        }
        #expect(error.code == .outcomeUnknown)
        let found = try #require(try await store.base.get(ulid(1)))
        #expect(found.usage.inputTokens == 100)
        #expect(found.messageCount == sequence)
        // An outcome that another look cannot find out is not looked up again.
        #expect(store.seen.writeCount == 2)
    }

    @Test("A repeated append detects a rewind between the look and itself")
    func appendTakenBackLate() async throws {
        let store = try await FaultyOperation.store()
        // The commit takes effect after its outcome was reported as unknown, and is rewound before the repeat.
        store.fail(writes: [.lateAndUnknown, .first(rewind(to: 3))])
        let error = try await storeError { () throws(StoreError) in
            try await service(store).append(
                [NewMessage(.user, "a")], to: ulid(1), usage: TokenUsage(inputTokens: 100), expectedSequence: 3)
        }
        #expect(error.code == .outcomeUnknown)
        let found = try #require(try await store.base.get(ulid(1)))
        #expect(found.usage.inputTokens == 100 && found.messageCount == 3)
    }

    @Test("A lost append is stored if other callers wrote only before it or not at all")
    func appendLost() async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: [.first(other(after: 5)), .lostAndUnknown, .lostAndUnknown, .failBefore(.busy)])
        _ = try await store.update(ulid(1), SessionChange(actorName: "earlier", time: time(6)))
        let stored = try await service(store).append(
            [NewMessage(.user, "a")], to: ulid(1), usage: TokenUsage(inputTokens: 100), expectedSequence: nil)
        #expect(stored.map(\.sequence) == [4])
        #expect(try await store.base.get(ulid(1))?.usage.inputTokens == 101)
    }

    @Test("A deletion of unknown outcome keeps a session that was created under its id since", arguments: [-1, 0, 1])
    func deletedAndMadeAgain(hours: Int64) async throws {
        let store = try await FaultyOperation.store()
        // The clock of the other process may show any time.
        let created = try #require(
            Timestamp(microseconds: Timestamp.now().microseconds + hours * 3_600_000_000))
        let made = NewSession(id: ulid(1), actorName: "another", createdAt: created)
        let make: @Sendable (any SessionStore) async throws(StoreError) -> Void = { (store) throws(StoreError) in
            _ = try await store.create(made)
        }
        store.fail(writes: [.doneThen(make)])
        try await service(store).delete(ulid(1))
        #expect(try await store.base.get(ulid(1)) == made.session)
        // The same if the session is created between the look and the repeat.
        let second = try await FaultyOperation.store()
        let makeAgain: @Sendable (any SessionStore) async throws(StoreError) -> Void = { (store) throws(StoreError) in
            _ = try await store.delete(ulid(1))
            _ = try await store.create(made)
        }
        second.fail(writes: [.lostAndUnknown, .first(makeAgain)])
        try await service(second).delete(ulid(1))
        #expect(try await second.base.get(ulid(1)) == made.session)
    }

    @Test("An append that cannot be repeated says whether the session is gone or the id has another payload")
    func appendVerdicts() async throws {
        let store = try await FaultyOperation.store()
        store.fail(writes: [.lostAndUnknown])
        let missing = try await storeError { () throws(StoreError) in
            try await service(store).appendMessage(NewMessage(.user, "x"), to: ulid(77))
        }
        #expect(missing.code == .notFound)
        store.fail(writes: [.lostAndUnknown])
        let conflict = try await storeError { () throws(StoreError) in
            try await service(store).appendMessage(NewMessage(.user, "x", id: ulid(101)), to: ulid(1))
        }
        #expect(conflict.code == .conflict)
        #expect(store.seen.writeCount == 2)
    }
}

@Suite("Retry policy and revision clock")
struct RetryPolicyTests {
    @Test(
        "The pauses of a retry policy double up to their maximum",
        arguments: [(1, 20), (2, 20), (3, 40), (4, 80), (7, 640), (8, 1000), (500, 1000)])
    func delays(attempt: Int, most: Int) {
        let policy = RetryPolicy.standard
        #expect(policy.delay(beforeAttempt: attempt, jitter: 0) == .zero)
        #expect(policy.delay(beforeAttempt: attempt, jitter: 0.5) == .milliseconds(most) / 2)
        #expect(policy.delay(beforeAttempt: attempt, jitter: 1) == .milliseconds(most))
    }

    @Test("Delays of any size neither overflow nor become negative")
    func extremes() {
        let huge = Duration.seconds(Int64.max)
        let policy = RetryPolicy(maximumAttempts: -3, baseDelay: huge, maximumDelay: huge, totalTime: huge)
        #expect(policy.maximumAttempts == 1)
        #expect(policy.delay(beforeAttempt: 60, jitter: 1) <= huge)
        let growing = RetryPolicy(baseDelay: .nanoseconds(1), maximumDelay: huge)
        #expect(growing.delay(beforeAttempt: 10_000, jitter: 1) <= huge)
        for negative in [
            RetryPolicy(baseDelay: .seconds(-1)), RetryPolicy(maximumDelay: .seconds(-1)),
            RetryPolicy(baseDelay: .zero),
        ] {
            #expect(negative.delay(beforeAttempt: .max, jitter: 1) == .zero)
        }
    }

    @Test("A revision clock gives no time twice, on any thread, even if the system's clock stands still or goes back")
    func clock() async throws {
        let still = RevisionClock(now: { time() })
        #expect(try [still.next(), still.next(), still.next()] == [time(), time(1), time(2)])
        let all = try await withThrowingTaskGroup(of: [Timestamp].self) { group in
            for _ in 0..<8 {
                group.addTask { @concurrent in try (0..<1000).map { _ in try RevisionClock.system.next() } }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(all).count == 8000)
        let last = RevisionClock(now: { .latest })
        #expect(try last.next() == .latest)
        #expect(try syncError { () throws(StoreError) in try last.next() }.code == .limitExceeded)
    }

    @Test("The clock of one service does not shift those of others")
    func ownClock() async throws {
        let store = MemorySessionStore()
        let future = PersistentSessionService(store, now: { .latest })
        #expect(try await future.create(actorName: "a").createdAt == .latest)
        let present = PersistentSessionService(store)
        #expect(try await present.create(actorName: "a").createdAt < .latest)
    }
}
