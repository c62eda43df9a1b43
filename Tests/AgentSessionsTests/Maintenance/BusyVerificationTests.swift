import AgentSessionsMemory
import Synchronization
import Testing

@testable import AgentSessions

/// A store that is changed before each read of a kind, as if other processes had it open.
private struct BusyStore: ForwardingSessionStore {
    typealias Meanwhile = @Sendable (any SessionStore) async throws(StoreError) -> Void

    let base: any SessionStore = MemorySessionStore()
    var beforePage: Meanwhile = { _ in }
    var beforeFirstPage: Meanwhile = { _ in }
    var beforeGet: Meanwhile = { _ in }
    var beforeList: Meanwhile = { _ in }

    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try await beforePage(base)
        if request.range == .after(0) { try await beforeFirstPage(base) }
        return try await base.messages(request)
    }

    func get(_ id: ULID) async throws(StoreError) -> Session? {
        try await beforeGet(base)
        return try await base.get(id)
    }

    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        try await beforeList(base)
        return try await base.list(request)
    }
}

@Suite("Verification of changing sessions")
struct BusyVerificationTests {
    private func verify(_ store: some SessionStore) async throws -> VerificationReport {
        try await StoreVerification(of: store, retryPolicy: .quick).run()
    }

    /// Ids that do not grow, as those of several processes that append in turns.
    private static func id(_ number: Int) -> ULID { ulid(UInt64(1000 + (number ^ 1))) }

    private static func append(_ numbers: Range<Int>, to store: any SessionStore) async throws(StoreError) {
        let messages = numbers.map { PendingMessage(id: id($0), role: .user, content: "\($0)") }
        _ = try await store.append(AppendRequest(sessionID: ulid(1), messages: messages, time: .now()))
    }

    /// Fills the underlying store with a session of `count` messages.
    private func fill(_ store: BusyStore, _ count: Int) async throws {
        _ = try await store.base.create(NewSession(id: ulid(1), actorName: "a", createdAt: time()))
        if count > 0 { try await Self.append(0..<count, to: store.base) }
    }

    @Test("A verification accepts ids that do not grow in a session that does")
    func unorderedIDs() async throws {
        var store = BusyStore()
        let next = Mutex(900)
        store.beforeFirstPage = { (base) throws(StoreError) in
            let number = next.withLock { next in
                next += 2
                return next - 2
            }
            try await Self.append(number..<(number + 2), to: base)
        }
        try await fill(store, 900)
        let report = try await verify(store)
        #expect(report.isSound, "\(report.problems)")
        #expect(report.messages >= 900)
    }

    @Test("A verification accepts a session that is rewound and appended to again with the same ids")
    func repeatedIDs() async throws {
        var store = BusyStore()
        let round = Mutex(0)
        store.beforePage = { (base) throws(StoreError) in
            let isShifted = round.withLock { round in
                round += 1
                return round.isMultiple(of: 2)
            }
            _ = try await base.rewind(ulid(1), RewindRequest(to: 50, time: .now()))
            if isShifted {
                // The messages at 51 … 450 are now at 250 … 649, behind others.
                let others = try (0..<199).map { (_) throws(StoreError) in
                    PendingMessage(id: try ULIDGenerator.shared.next(), role: .user, content: "x")
                }
                _ = try await base.append(AppendRequest(sessionID: ulid(1), messages: others, time: .now()))
            }
            try await Self.append(50..<450, to: base)
        }
        try await fill(store, 450)
        let report = try await verify(store)
        #expect(report.isSound, "\(report.problems)")
    }

    @Test("A verification accepts a session that is rewound below what was read")
    func rewound() async throws {
        var store = BusyStore()
        let round = Mutex(0)
        store.beforePage = { (base) throws(StoreError) in
            let isShort = round.withLock { round in
                round += 1
                return round.isMultiple(of: 2)
            }
            _ = try await base.rewind(ulid(1), RewindRequest(to: 3, time: .now()))
            if !isShort { try await Self.append(3..<450, to: base) }
        }
        try await fill(store, 450)
        let report = try await verify(store)
        #expect(report.isSound, "\(report.problems)")
    }

    @Test("A verification accepts a session whose actor changes again and again")
    func changedActor() async throws {
        var store = BusyStore()
        let round = Mutex(0)
        let rename: BusyStore.Meanwhile = { (base) throws(StoreError) in
            let number = round.withLock { round in
                round += 1
                return round
            }
            _ = try await base.update(ulid(1), SessionChange(actorName: "a\(number)", time: .now()))
        }
        store.beforeList = rename
        store.beforeGet = rename
        try await fill(store, 3)
        let report = try await verify(store)
        #expect(report.isSound, "\(report.problems)")
    }

    @Test("A verification accepts a session that is deleted and created again and again")
    func recreated() async throws {
        var store = BusyStore()
        let remove: BusyStore.Meanwhile = { (base) throws(StoreError) in _ = try await base.delete(ulid(1)) }
        store.beforePage = remove
        store.beforeGet = remove
        store.beforeList = { (base) throws(StoreError) in
            guard try await base.get(ulid(1)) == nil else { return }
            _ = try await base.create(NewSession(id: ulid(1), actorName: "a", createdAt: .now()))
        }
        try await fill(store, 3)
        let report = try await verify(store)
        #expect(report.isSound, "\(report.problems)")
    }

    // MARK: Damage is found all the same

    /// A store with a session of 900 messages that grows with every page, and whose pages `edit` changes.
    private func growing(
        _ edit: @escaping @Sendable (MessageRequest, MessagePage) -> MessagePage
    ) async throws -> EditedStore {
        var store = EditedStore()
        let reads = Mutex(0)
        store.page = { request, page in
            page.map { page in
                let count =
                    500
                    + reads.withLock { reads in
                        reads = min(reads + 1, 400)
                        return reads
                    }
                var session = page.session
                session.messageCount = count
                session.updatedAt = time(Int64(count))
                let messages = page.messages.filter { $0.sequence <= count }
                return edit(request, MessagePage(session: session, messages: messages))
            }
        }
        try await store.restore(makeSession(900), messages: ArraySource(messages: (1...900).map { makeMessage($0) }))
        return store
    }

    @Test("A verification finds two messages with one id in a growing session")
    func duplicatedID() async throws {
        let store = try await growing { _, page in
            let messages = page.messages.map { message in
                SessionMessage(
                    id: ulid(UInt64(message.sequence == 400 ? 9997 : 10_000 - message.sequence)),
                    sessionID: message.sessionID, sequence: message.sequence, role: .user, content: "x",
                    createdAt: message.createdAt)
            }
            return MessagePage(session: page.session, messages: messages)
        }
        let problems = try await verify(store).problems
        #expect(problems.map(\.kind) == [.duplicateID])
        #expect(problems.first?.messageID == ulid(9997))
    }

    @Test("A verification finds a gap, and messages beyond the count, in a growing session")
    func gap() async throws {
        let gap = try await growing { _, page in
            MessagePage(session: page.session, messages: page.messages.filter { $0.sequence != 7 })
        }
        #expect(try await verify(gap).problems.map(\.kind) == [.gap])
        let beyond = try await growing { request, page in
            var session = page.session
            session.messageCount -= 1
            return MessagePage(session: session, messages: page.messages)
        }
        #expect(try await verify(beyond).problems.map(\.kind) == [.messageCount])
        let missing = try await growing { _, page in
            MessagePage(session: page.session, messages: page.messages.filter { $0.sequence <= 450 })
        }
        let problems = try await verify(missing).problems
        #expect(problems.map(\.kind) == [.messageCount] && problems.first?.expected == "450")
    }

    @Test("A verification finds a growing session that the list of its actor lacks")
    func missingFromList() async throws {
        var store = try await growing { _, page in page }
        store.list = { request, sessions in request.filter.actorName == nil ? sessions : [] }
        let changing = Changing(base: store)
        #expect(try await verify(changing).problems.map(\.kind) == [.missingIndexEntry])
    }

    /// A store whose session has another revision at every look.
    private struct Changing: ForwardingSessionStore {
        let base: any SessionStore
        private let looks = Looks()

        init(base: any SessionStore) { self.base = base }

        final class Looks: Sendable {
            let count = Mutex<Int64>(0)
        }

        func get(_ id: ULID) async throws(StoreError) -> Session? {
            guard var session = try await base.get(id) else { return nil }
            session.updatedAt = time(
                looks.count.withLock { count in
                    count += 1
                    return 1000 + count
                })
            return session
        }
    }
}
