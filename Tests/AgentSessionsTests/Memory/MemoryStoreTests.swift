import AgentSessionsMemory
import Synchronization
import Testing

@testable import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite("Memory store")
struct MemoryStoreTests {
    private let store = MemorySessionStore()

    private func seed(_ count: Int, content: String = "1234567890") async throws {
        let messages = (0..<count).map { makeMessage($0 + 1, content: content) }
        try await store.restore(makeSession(count), messages: ArraySource(messages: messages))
    }

    private func sequences(_ range: MessageRange, limit: Int = 100, byteLimit: Int = .max) async throws -> [Int]? {
        let request = MessageRequest(sessionID: ulid(1), range: range, limit: limit, byteLimit: byteLimit)
        let page = try await store.messages(request)
        try page?.check(against: request)
        return page?.messages.map(\.sequence)
    }

    @Test("A restore keeps ids, times and counters")
    func restore() async throws {
        try await seed(5)
        #expect(try await store.get(ulid(1)) == makeSession(5))
        #expect(try await sequences(.after(0)) == [1, 2, 3, 4, 5])
        let error = try await storeError { () throws(StoreError) in
            try await store.restore(makeSession(0), messages: ArraySource(messages: []))
        }
        #expect(error.code == .alreadyExists)
    }

    @Test("A restore that fails leaves nothing behind")
    func failingRestore() async throws {
        let many = (1...1200).map { makeMessage($0) }
        for source in [
            ArraySource(messages: many, failure: StoreError(.checksumMismatch, "x")),
            ArraySource(messages: Array(many.prefix(1199))), ArraySource(messages: many + [makeMessage(1201)]),
        ] {
            let error = try await storeError { () throws(StoreError) in
                try await store.restore(makeSession(1200), messages: source)
            }
            #expect([.checksumMismatch, .invalidArgument].contains(error.code))
            #expect(try await store.get(ulid(1)) == nil)
            #expect(try await store.list(SessionListRequest(limit: 10)).isEmpty)
            #expect(try await sequences(.last) == nil)
        }
        try await store.restore(makeSession(1200), messages: ArraySource(messages: many))
        #expect(try await sequences(.last, limit: 2) == [1199, 1200])
    }

    @Test("A restore from a slow source blocks no other call and no thread of Swift's pool")
    func slowSource() async throws {
        let doors = (0..<8).map { _ in Door() }
        let restores = try doors.map { door in
            let session = Session(
                id: try ULIDGenerator.shared.next(), actorName: "slow", messageCount: 1, createdAt: time(),
                updatedAt: time())
            return Task { try await store.restore(session, messages: SlowSource(session: session, door: door)) }
        }
        for door in doors { await door.someoneWaits() }
        let before = try await store.list(SessionListRequest(limit: 100))
        #expect(before.isEmpty)
        let service = PersistentSessionService(store, retryPolicy: .never)
        let session = try await service.create(actorName: "quick")
        _ = try await service.appendMessage(NewMessage(.user, "meanwhile"), to: session.id)
        #expect(doors.allSatisfy { $0.isShut })
        for door in doors { door.open() }
        for restore in restores { try await restore.value }
        #expect(try await store.list(SessionListRequest(limit: 100)).count == 9)
    }

    @Test("A duplicated message id is refused, within one batch and across two", arguments: [1, 600])
    func twice(sequence: Int) async throws {
        var messages = (1...700).map { makeMessage($0) }
        messages[sequence] = SessionMessage(
            id: messages[0].id, sessionID: ulid(1), sequence: sequence + 1, role: .user, content: "", createdAt: time())
        let source = ArraySource(messages: messages)
        let error = try await storeError { () throws(StoreError) in
            try await store.restore(makeSession(700), messages: source)
        }
        #expect(error.code == .conflict)
        #expect(try await store.get(ulid(1)) == nil)
    }

    @Test("A byte limit shortens a page from its open end")
    func byteLimits() async throws {
        try await seed(5)
        #expect(try await sequences(.after(1), byteLimit: 1) == [2])
        #expect(try await sequences(.after(1), byteLimit: 12) == [2])
        #expect(try await sequences(.after(1), byteLimit: 13) == [2, 3])
        #expect(try await sequences(.last, byteLimit: 13) == [4, 5])
        #expect(try await sequences(.before(4), byteLimit: 13) == [2, 3])
        #expect(try await sequences(.before(4), limit: 1, byteLimit: 100) == [3])
        #expect(try await sequences(.after(5)) == [])
    }

    @Test("A change that throws is undone as a whole, together with the indexes")
    func rollback() async throws {
        try await seed(5)
        let before = try await store.get(ulid(1))
        let error = try await storeError { () throws(StoreError) in
            try await store.write { (tables) throws(StoreError) in
                guard let session = try tables.session(ulid(1)) else { throw .sessionNotFound(ulid(1)) }
                var changed = session
                changed.messageCount = 3
                try tables.removeMessages(of: session, after: 3)
                try tables.replace(session, with: changed)
                try tables.insert([makeMessage(4, content: "other")])
                try tables.insert(makeOther())
                try tables.remove(changed)
                throw StoreError(.internalFailure, "undo")
            }
        }
        #expect(error.code == .internalFailure)
        #expect(try await store.get(ulid(1)) == before)
        #expect(try await store.list(SessionListRequest(limit: 10)).map(\.id) == [ulid(1)])
        let page = try await store.messages(MessageRequest(sessionID: ulid(1), range: .last, limit: 10))
        #expect(page?.messages == (1...5).map { makeMessage($0, content: "1234567890") })
        let request = AppendRequest(
            sessionID: ulid(1), messages: [PendingMessage(id: ulid(104), role: .user, content: "1234567890")],
            time: time())
        #expect(try await store.append(request).isReplay)
    }

    @Test("A page is of one moment and does not show later changes")
    func snapshot() async throws {
        try await seed(3)
        let page = try await store.messages(MessageRequest(sessionID: ulid(1), range: .last, limit: 10))
        _ = try await store.rewind(ulid(1), RewindRequest(to: 0, time: time(9)))
        #expect(page?.session.messageCount == 3)
        #expect(page?.messages.count == 3)
        #expect(try await store.delete(ulid(1)))
        #expect(try await !store.delete(ulid(1)))
        #expect(page?.messages.count == 3)
    }

    @Test("Appends of many tasks leave no gap in memory")
    func concurrent() async throws {
        try await seed(0)
        let store = store
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask { @concurrent in
                    for number in 0..<50 {
                        let message = PendingMessage(
                            id: ulid(UInt64(1000 + task * 50 + number)), role: .user, content: "")
                        _ = try await store.append(
                            AppendRequest(sessionID: ulid(1), messages: [message], time: .now()))
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await sequences(.after(0), limit: 1000) == Array(1...400))
    }

    @Test("A closed memory store refuses every call")
    func closed() async throws {
        try await seed(1)
        await store.close()
        await store.close()
        let store = store
        #expect(try await storeError { () throws(StoreError) in try await store.get(ulid(1)) }.code == .closed)
        #expect(try await storeError { () throws(StoreError) in try await store.delete(ulid(1)) }.code == .closed)
        #expect(
            try await storeError { () throws(StoreError) in try await store.list(SessionListRequest(limit: 1)) }.code
                == .closed)
        let error = try await storeError { () throws(StoreError) in
            try await PersistentSessionService(store).create(actorName: "a")
        }
        #expect(error.code == .closed)
        #expect(error.backend == "memory")
    }

    @Test("The memory backend opens a store without a location, with the given limits")
    func backend() async throws {
        let settings = try SettingValues([])
        let opened = try await MemoryBackend.open(
            try StoreURL(parsing: "memory:"), settings: settings,
            context: StoreContext(limits: StoreLimits(contentBytes: 7)))
        #expect(opened.capabilities.limits.contentBytes == 7)
        #expect(opened.capabilities.durability == .memory)
        #expect(try await opened.effectiveSettings().map(\.name) == ["engine"])
        let steps = try await opened.migrations()
        #expect(steps.map(\.name) == [StoreFormat.Step.resourceRegistry, StoreFormat.Step.sessionPersistence])
        #expect(steps.map(\.parent) == [nil, steps[0].name])
        let url = try StoreURL(parsing: "memory:file")
        let error = try await storeError { () throws(StoreError) in
            try await MemoryBackend.open(url, settings: settings, context: StoreContext())
        }
        #expect(error.code == .invalidArgument)
    }
}

/// A door at which a source waits until the test opens it or its time is over.
private final class Door: Sendable {
    private let state = Mutex((isWaiting: false, isOpen: false))

    /// Whether a source waits at the closed door.
    var isShut: Bool { state.withLock { $0.isWaiting && !$0.isOpen } }

    func open() { state.withLock { $0.isOpen = true } }

    func someoneWaits() async {
        for _ in 0..<3000 where !state.withLock({ $0.isWaiting }) { try? await Task.sleep(for: .milliseconds(2)) }
    }

    func wait() {
        state.withLock { $0.isWaiting = true }
        for _ in 0..<3000 where !state.withLock({ $0.isOpen }) { usleep(2000) }
        open()
    }
}

private struct SlowSource: MessageSource {
    let session: Session
    let door: Door

    func makeReader() -> any MessageReader { Reader(session: session, door: door) }

    private struct Reader: MessageReader {
        let session: Session
        let door: Door
        var isAtEnd = false

        mutating func next() throws(StoreError) -> SessionMessage? {
            guard !isAtEnd else { return nil }
            isAtEnd = true
            door.wait()
            return makeMessage(1, of: session.id)
        }
    }
}

private func makeOther() -> Session {
    Session(id: ulid(2), actorName: "other", createdAt: time(5), updatedAt: time(5))
}
