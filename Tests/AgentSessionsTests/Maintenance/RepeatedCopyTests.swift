import AgentSessionsMemory
import Testing

@testable import AgentSessions

@Suite("Repeated copies")
struct RepeatedCopyTests {
    /// A way in which a session changes.
    enum Change: CaseIterable, Sendable {
        case nothing, append, usage, update, rewind, rewindToNothing, rewindAndAppend

        func apply(to id: ULID, in store: some SessionStore) async throws(StoreError) {
            let service = PersistentSessionService(store)
            let count = try await service.count(id)
            switch self {
            case .nothing: break
            case .append: try await service.appendMessage(NewMessage(.user, "appended"), to: id)
            case .usage: try await service.updateTokenUsage(id, adding: TokenUsage(inputTokens: 7))
            case .update: try await service.update(id, actorName: "updated", metadata: ["k": .integer(Int64(count))])
            case .rewind: try await service.rewind(id, to: max(0, count - 2))
            case .rewindToNothing: try await service.rewind(id, to: 0)
            case .rewindAndAppend:
                try await service.rewind(id, to: max(0, count - 2))
                try await service.append((0..<4).map { NewMessage(.user, "again \($0)") }, to: id)
            }
        }
    }

    private let source = MemorySessionStore()
    private let target = MemorySessionStore()

    private func copy(
        _ source: (any SessionStore)? = nil, to target: (any SessionStore)? = nil
    ) async throws(StoreError) -> StoreCopy.Result {
        try await StoreCopy(from: source ?? self.source, to: target ?? self.target, retryPolicy: .quick).run()
    }

    private func makeSession(_ store: some SessionStore, id: ULID = ulid(1)) async throws -> Session {
        _ = try await store.create(NewSession(id: id, actorName: "a", createdAt: .now()))
        try await PersistentSessionService(store).append((0..<5).map { NewMessage(.user, "\($0)") }, to: id)
        return try #require(try await store.get(id))
    }

    private func whole(_ id: ULID, in store: some SessionStore) async throws -> MessagePage? {
        try await store.messages(MessageRequest(sessionID: id, range: .after(0), limit: .max))
    }

    private func expectSame(_ id: ULID, _ location: SourceLocation = #_sourceLocation) async throws {
        let (ours, theirs) = (try await whole(id, in: source), try await whole(id, in: target))
        #expect(ours?.session == theirs?.session && ours?.messages == theirs?.messages, sourceLocation: location)
    }

    @Test(
        "A repeated copy takes the new messages, whatever the last change before and after the first run",
        arguments: Change.allCases, Change.allCases)
    func newMessages(before: Change, after: Change) async throws {
        let session = try await makeSession(source)
        try await before.apply(to: session.id, in: source)
        #expect(try await copy().copied == 1)
        try await expectSame(session.id)
        for _ in 0..<2 {
            try await after.apply(to: session.id, in: source)
            #expect(try await copy().replaced == (after == .nothing ? 0 : 1))
            try await expectSame(session.id)
        }
    }

    @Test(
        "A repeated copy keeps a session that was changed in the target in any way",
        arguments: Change.allCases.dropFirst(), Change.allCases)
    func changedTarget(theirs: Change, ours: Change) async throws {
        let session = try await makeSession(source)
        try await Change.usage.apply(to: session.id, in: source)
        _ = try await copy()
        try await theirs.apply(to: session.id, in: target)
        let changed = try await whole(session.id, in: target)
        try await ours.apply(to: session.id, in: source)
        // The newer revision is once at the source, and once in the target.
        for _ in 0..<2 {
            let error = try await storeError { () async throws(StoreError) in try await copy() }
            #expect(error.code == .conflict)
            let now = try await whole(session.id, in: target)
            #expect(now?.session == changed?.session && now?.messages == changed?.messages)
            try await Change.usage.apply(to: session.id, in: source)
        }
    }

    @Test("A copy from a source that is itself a copy takes only the changes of that source")
    func copiedSource() async throws {
        // B is a copy of A, then both change, and the target has the state of A.
        let (a, b) = (source, MemorySessionStore())
        let session = try await makeSession(a)
        _ = try await copy(a, to: b)
        try await Change.usage.apply(to: session.id, in: a)
        try await Change.append.apply(to: session.id, in: a)
        try await Change.usage.apply(to: session.id, in: a)
        _ = try await copy(a)
        try await Change.append.apply(to: session.id, in: b)
        for _ in 0..<2 {
            let error = try await storeError { () async throws(StoreError) in try await copy(b) }
            #expect(error.code == .conflict)
            try await expectSame(session.id)
        }
        try await Change.rewind.apply(to: session.id, in: a)
        #expect(try await copy(a).replaced == 1)
        try await expectSame(session.id)
    }

    @Test("Copies from several sources each have their own record")
    func severalSources() async throws {
        let other = MemorySessionStore()
        let (ours, theirs) = (try await makeSession(source), try await makeSession(other, id: ulid(2)))
        for _ in 0..<3 {
            try await Change.usage.apply(to: ours.id, in: source)
            try await Change.rewindAndAppend.apply(to: theirs.id, in: other)
            try await Change.usage.apply(to: theirs.id, in: other)
            #expect(try await copy().copied == 1)
            #expect(try await copy(other).copied == 1)
        }
        #expect(try await whole(theirs.id, in: target)?.messages == whole(theirs.id, in: other)?.messages)
    }

    /// A store whose files were duplicated, so that it has the id of another.
    private struct Namesake: ForwardingSessionStore {
        let base: any SessionStore = MemorySessionStore()
        let id: ULID?

        func storeID() async throws(StoreError) -> ULID? { id }
    }

    @Test("A copy from a source whose files were duplicated and changed apart is a conflict")
    func divergedSource() async throws {
        let session = try await makeSession(source)
        let namesake = Namesake(id: try await source.storeID())
        _ = try await copy(source, to: namesake)
        // Both append, the namesake first, and the target has the message of the source.
        try await Change.append.apply(to: session.id, in: namesake)
        try await Change.append.apply(to: session.id, in: source)
        try await Change.usage.apply(to: session.id, in: source)
        _ = try await copy()
        try await Change.usage.apply(to: session.id, in: namesake)
        let error = try await storeError { () async throws(StoreError) in try await copy(namesake) }
        #expect(error.code == .conflict)
        try await expectSame(session.id)
    }

    /// A store of a backend that keeps no copy records.
    private struct Forgetful: ForwardingSessionStore {
        let base: any SessionStore = MemorySessionStore()

        func storeID() async throws(StoreError) -> ULID? { nil }
        func keepCopyRecords() async throws(StoreError) -> Bool { false }
        func copyRecord(of id: ULID) async throws(StoreError) -> CopyRecord? { nil }
    }

    @Test("A copy without a record takes what the messages prove, and no more", arguments: [false, true])
    func noRecord(isSource: Bool) async throws {
        let forgetful = Forgetful()
        let (source, target): (any SessionStore, any SessionStore) =
            isSource ? (forgetful, self.target) : (self.source, forgetful)
        let session = try await makeSession(Wrapped(base: source))
        _ = try await copy(source, to: target)
        try await Change.append.apply(to: session.id, in: Wrapped(base: source))
        try await Change.usage.apply(to: session.id, in: Wrapped(base: source))
        #expect(try await copy(source, to: target).replaced == 1)
        let before = try await target.get(session.id)
        try await Change.append.apply(to: session.id, in: Wrapped(base: source))
        let error = try await storeError { () async throws(StoreError) in try await copy(source, to: target) }
        #expect(error.code == .conflict && error.message.contains("may have been changed in both"))
        #expect(try await target.get(session.id) == before)
    }

    @Test("The record of a copy is stored in the transaction of its session")
    func sameTransaction() async throws {
        let faulty = FaultyStore(target)
        let session = try await makeSession(source)
        try await Change.usage.apply(to: session.id, in: source)
        // The process ends right after the commit.
        faulty.fail(writes: [.then { (_) throws(StoreError) in throw StoreError(.closed, "scripted") }])
        _ = try await storeError { () async throws(StoreError) in try await copy(to: faulty) }
        try await Change.usage.apply(to: session.id, in: source)
        #expect(try await copy().replaced == 1)
        let record = try await target.copyRecord(of: session.id)
        #expect(
            try await record
                == CopyRecord(source: #require(source.storeID()), revision: #require(source.get(session.id)).revision))
        _ = try await target.delete(session.id)
        #expect(try await target.copyRecord(of: session.id) == nil)
    }
}
