import AgentSessionsMemory
import Synchronization
import Testing

@testable import AgentSessions

@Suite("Store copy")
struct StoreCopyTests {
    private let source = MemorySessionStore()
    private let target = MemorySessionStore()
    private var service: PersistentSessionService<MemorySessionStore> { PersistentSessionService(source) }

    private func copy(
        _ source: (any SessionStore)? = nil, to target: (any SessionStore)? = nil, _ policy: RetryPolicy = .quick
    ) async throws(StoreError) -> StoreCopy.Result {
        try await StoreCopy(from: source ?? self.source, to: target ?? self.target, retryPolicy: policy).run()
    }

    /// A session at the source.
    @discardableResult
    private func fill(_ count: Int, content: String = "text") async throws -> Session {
        let session = try await service.create(actorName: "a")
        for start in stride(from: 0, to: count, by: 1000) {
            let batch = (start..<min(count, start + 1000)).map { NewMessage(.user, "\(content) \($0)") }
            try await service.append(batch, to: session.id)
        }
        return try await service.get(session.id)
    }

    /// Expects that every session of the source is in the target unchanged.
    private func expectSame(_ location: SourceLocation = #_sourceLocation) async throws {
        let sessions = try await source.list(SessionListRequest(limit: 1000))
        #expect(try await target.list(SessionListRequest(limit: 1000)) == sessions, sourceLocation: location)
        for session in sessions {
            let request = MessageRequest(sessionID: session.id, range: .after(0), limit: .max)
            let (ours, theirs) = (try await source.messages(request), try await target.messages(request))
            #expect(ours?.messages == theirs?.messages, sourceLocation: location)
        }
    }

    @Test("A copy keeps everything and reports its progress")
    func everything() async throws {
        for count in [0, 1, 3, 450] { try await fill(count) }
        let seen = Mutex((sessions: 0, messages: 0))
        let result = try await StoreCopy(from: source, to: target).run { progress in
            seen.withLock { $0 = (progress.sessions, progress.messages) }
        }
        #expect(result.sessions == 4 && result.messages == 454 && result.copied == 4 && result.replaced == 0)
        #expect(seen.withLock { $0.sessions == 4 && $0.messages == 454 })
        try await expectSame()
        let again = try await copy()
        #expect(again.sessions == 4 && again.copied == 0)
    }

    @Test("A copy handles a session that is longer than what is kept in memory")
    func longSession() async throws {
        try await fill(3000, content: String(repeating: "x", count: 400))
        #expect(try await copy().messages == 3000)
        try await expectSame()
    }

    @Test("A copy replaces an earlier state of a session by the newer one", arguments: [0, 3])
    func newerState(count: Int) async throws {
        let session = try await fill(count)
        _ = try await copy()
        try await service.append([NewMessage(.user, "new")], to: session.id)
        try await service.updateTokenUsage(session.id, adding: TokenUsage(inputTokens: 1))
        let result = try await copy()
        #expect(result.copied == 1 && result.replaced == 1 && result.sessions == 1)
        try await expectSame()
    }

    @Test("A copy keeps a session that was changed in the target, names it, and copies the others")
    func changedTarget() async throws {
        let changed = try await fill(2)
        _ = try await copy()
        try await PersistentSessionService(target).append([NewMessage(.user, "theirs")], to: changed.id)
        let both = try await fill(3)
        _ = try? await copy()
        // Changed in both: the target's revision is older, and no message of the source has it.
        try await PersistentSessionService(target).updateTokenUsage(both.id, adding: TokenUsage(inputTokens: 1))
        try await service.append([NewMessage(.user, "ours")], to: both.id)
        try await fill(4)
        let error = try await storeError { () async throws(StoreError) in try await copy() }
        #expect(error.code == .conflict)
        for text in ["2 of 3 sessions", "\(changed.id)", "\(both.id)", "changed in the target", "may have been"] {
            #expect(error.message.contains(text), "\(error)")
        }
        #expect(try await target.list(SessionListRequest(limit: 10)).count == 3)
        #expect(try await target.get(changed.id)?.messageCount == 3)
    }

    @Test("A copy keeps a session of the same revision with other messages")
    func sameRevision() async throws {
        let session = makeSession(1)
        try await source.restore(session, messages: ArraySource(messages: [makeMessage(1)]))
        try await target.restore(session, messages: ArraySource(messages: [makeMessage(1, content: "other")]))
        let error = try await storeError { () async throws(StoreError) in try await copy() }
        #expect(error.code == .conflict && error.message.contains("different messages"))
    }

    @Test("A copy treats another history under the same id as a conflict")
    func otherHistory() async throws {
        let later = makeSession(2, updatedAt: time(9))
        try await source.restore(later, messages: ArraySource(messages: [makeMessage(1), makeMessage(2)]))
        // One message that the source does not have; more messages than the source has; made at another time.
        for (count, createdAt, content) in [(1, time(), "other"), (3, time(), nil), (1, time(-5), nil)] {
            let earlier = Session(
                id: later.id, actorName: later.actorName, messageCount: count, createdAt: createdAt, updatedAt: time(1))
            _ = try await target.delete(later.id)
            let messages = (1...count).map { makeMessage($0, content: content) }
            try await target.restore(earlier, messages: ArraySource(messages: messages))
            let error = try await storeError { () async throws(StoreError) in try await copy() }
            #expect(error.code == .conflict)
            #expect(try await target.get(later.id) == earlier)
        }
    }

    @Test("A copy checks the source against the limits of the target")
    func limits() async throws {
        let long = try await fill(2, content: "far too long for the target")
        try await fill(1, content: "")
        let small = MemorySessionStore(limits: StoreLimits(contentBytes: 10))
        let error = try await storeError { () async throws(StoreError) in try await copy(to: small) }
        #expect(error.code == .limitExceeded && error.message.contains("\(long.id)"))
        #expect(error.message.contains("at most 10") && !error.message.contains("far too"))
        #expect(try await small.list(SessionListRequest(limit: 10)).count == 1)
    }

    @Test("A copy names the first of many sessions that were not copied")
    func firstFailures() async throws {
        for _ in 0..<25 { try await fill(1, content: "long") }
        let small = MemorySessionStore(limits: StoreLimits(contentBytes: 3))
        let error = try await storeError { () async throws(StoreError) in try await copy(to: small) }
        #expect(error.message.contains("25 of 25") && error.message.contains("And 15 more."))
    }

    @Test("A copy names a damaged session of the source and copies the others")
    func damagedSession() async throws {
        let damaged = try await fill(3)
        try await fill(2)
        try await source.write { (writer) throws(StoreError) in
            var wrong = damaged
            wrong.messageCount = 4
            try writer.replace(damaged, with: wrong)
        }
        let error = try await storeError { () async throws(StoreError) in try await copy() }
        #expect(error.code == .corrupt && error.message.contains("\(damaged.id)"))
        #expect(try await target.list(SessionListRequest(limit: 10)).count == 1)
    }

    @Test("A copy reads a session again that is rewound during the read")
    func rewoundMeanwhile() async throws {
        let faulty = FaultyStore(source)
        let session = try await fill(900)
        faulty.fail(reads: [
            .none, .none, .none,
            .first { (base) throws(StoreError) in
                _ = try await base.rewind(session.id, RewindRequest(to: 500, time: session.updatedAt))
            },
        ])
        #expect(try await copy(faulty).messages == 500)
        try await expectSame()
    }

    @Test("A copy leaves out a session that is deleted during the read")
    func deletedMeanwhile() async throws {
        let faulty = FaultyStore(source)
        let session = try await fill(3)
        faulty.fail(reads: [.none, .first { (base) throws(StoreError) in _ = try await base.delete(session.id) }])
        #expect(try await copy(faulty).sessions == 0)
    }

    @Test("A copy finds out the outcome of a session whose commit is unknown")
    func unknownOutcome() async throws {
        let faulty = FaultyStore(target)
        try await fill(3)
        faulty.fail(writes: [.doneButUnknown])
        #expect(try await copy(to: faulty).copied == 1)
        try await fill(2)
        faulty.fail(writes: [.lostAndUnknown, .failBefore(.busy)])
        #expect(try await copy(to: faulty).copied == 1)
        try await expectSame()
        // The same if an earlier state is replaced.
        let last = try #require(try await source.list(SessionListRequest(limit: 1)).first)
        for fault in [FaultyStore.Fault.doneButUnknown, .lostAndUnknown, .lateAndUnknown] {
            try await service.append([NewMessage(.user, "new")], to: last.id)
            faulty.fail(writes: [fault, .failBefore(.busy)])
            #expect(try await copy(to: faulty).replaced == 1)
            try await expectSame()
        }
    }

    @Test("A copy detects that the session it reads back is not what it wrote")
    func readBack() async throws {
        var damaging = EditedStore()
        damaging.page = { _, page in
            page.map { page in
                MessagePage(
                    session: page.session, messages: page.messages.map { makeMessage($0.sequence, of: $0.sessionID) })
            }
        }
        let session = try await fill(3)
        let error = try await storeError { () async throws(StoreError) in try await copy(to: damaging) }
        #expect(error.code == .checksumMismatch && error.message.contains("\(session.id)"))
        #expect(!error.message.contains("delete it"))
    }

    @Test("A copy accepts and keeps a message that is appended right after it", arguments: [false, true])
    func appendedAfter(isReplaced: Bool) async throws {
        let faulty = FaultyStore(target)
        let session = try await fill(3)
        if isReplaced {
            _ = try await copy()
            try await service.append([NewMessage(.user, "new")], to: session.id)
        }
        faulty.fail(writes: [
            .then { (base) throws(StoreError) in
                try await PersistentSessionService(Wrapped(base: base)).append(
                    [NewMessage(.user, "theirs")], to: session.id)
            }
        ])
        let result = try await copy(to: faulty)
        #expect(result.copied == 1 && result.replaced == (isReplaced ? 1 : 0))
        let count = isReplaced ? 5 : 4
        #expect(try await target.get(session.id)?.messageCount == count)
        // From then on both have changed.
        let error = try await storeError { () async throws(StoreError) in try await copy() }
        #expect(error.code == .conflict && error.message.contains("changed in the target"))
        #expect(try await target.get(session.id)?.messageCount == count)
    }

    @Test("A copy reports a session that was rewound or deleted right after it as changed")
    func changedAfter() async throws {
        let faulty = FaultyStore(target)
        let session = try await fill(3)
        faulty.fail(writes: [
            .then { (base) throws(StoreError) in
                _ = try await base.rewind(session.id, RewindRequest(to: 1, time: session.updatedAt))
            }
        ])
        let rewound = try await storeError { () async throws(StoreError) in try await copy(to: faulty) }
        #expect(rewound.code == .conflict && rewound.message.contains("changed in the target"))
        #expect(try await target.get(session.id)?.messageCount == 1)
        _ = try await target.delete(session.id)
        faulty.fail(writes: [.then { (base) throws(StoreError) in _ = try await base.delete(session.id) }])
        let deleted = try await storeError { () async throws(StoreError) in try await copy(to: faulty) }
        #expect(deleted.code == .conflict && deleted.message.contains("deleted from the target"))
    }

    @Test(
        "A copy keeps the session of the target if its replacement fails",
        arguments: [StoreError.Code.internalFailure, .unavailable, .limitExceeded, .corrupt])
    func failedReplacement(code: StoreError.Code) async throws {
        let faulty = FaultyStore(target)
        let session = try await fill(3)
        _ = try await copy()
        let before = try await target.get(session.id)
        try await service.append([NewMessage(.user, "new")], to: session.id)
        faulty.fail(writes: [.failBefore(code)])
        _ = try await storeError { () async throws(StoreError) in try await copy(to: faulty, .never) }
        #expect(try await target.get(session.id) == before)
        #expect(try await copy().replaced == 1)
        try await expectSame()
    }

    @Test("A copy keeps what is appended to the target between comparison and replacement")
    func appendedMeanwhile() async throws {
        let faulty = FaultyStore(target)
        let session = try await fill(3)
        _ = try await copy()
        try await service.append([NewMessage(.user, "ours")], to: session.id)
        faulty.fail(writes: [
            .first { (base) throws(StoreError) in
                try await PersistentSessionService(Wrapped(base: base)).append(
                    [NewMessage(.user, "theirs")], to: session.id)
            }
        ])
        let error = try await storeError { () async throws(StoreError) in try await copy(to: faulty) }
        #expect(error.code == .conflict)
        let request = MessageRequest(sessionID: session.id, range: .last, limit: 1)
        #expect(try await target.messages(request)?.messages.first?.content == "theirs")
    }

    @Test("A copy accepts a session that another copy wrote at the same moment")
    func concurrentCopy() async throws {
        let faulty = FaultyStore(target)
        let session = try await fill(1)
        let message = try #require(
            try await source.messages(MessageRequest(sessionID: session.id, range: .after(0), limit: 1)))
        faulty.fail(writes: [
            .first { (base) throws(StoreError) in
                try await base.restore(session, messages: ArraySource(messages: message.messages))
            }
        ])
        let result = try await copy(to: faulty)
        #expect(result.sessions == 1 && result.copied == 0)
    }

    @Test("A copy stops if a store cannot be used, and says what is done")
    func unusableStore() async throws {
        for _ in 0..<30 { try await fill(1) }
        let faulty = FaultyStore(target)
        faulty.fail(writes: Array(repeating: .none, count: 10) + Array(repeating: .failBefore(.unavailable), count: 30))
        let error = try await storeError { () async throws(StoreError) in try await copy(to: faulty, .never) }
        #expect(error.code == .unavailable)
        #expect(error.message.contains("The copy stopped") && error.message.contains("10 sessions are in the target"))
        #expect(try await copy().copied == 20)
        try await expectSame()
    }

    @Test("A copy into the same store is refused")
    func sameStore() async throws {
        let error = try await storeError { () async throws(StoreError) in try await copy(source, to: source) }
        #expect(error.code == .invalidArgument)
    }
}
