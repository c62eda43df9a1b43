import AgentSessionsMemory
import Synchronization
import Testing

@testable import AgentSessions

/// A store in memory that remembers how each change was run.
private final class TurnStore: TransactionalSessionStore {
    enum Turn: Equatable {
        case shared, alone
    }

    let base = MemorySessionStore()
    private let seen = Mutex<[Turn]>([])

    var backendName: String { base.backendName }
    var capabilities: StoreCapabilities { base.capabilities }
    func effectiveSettings() async throws(StoreError) -> [StoreSetting] { [] }
    func migrations() async throws(StoreError) -> [MigrationStatus] { [] }
    func close() async {}

    func read<Result: Sendable>(
        _ body: @escaping @Sendable (inout MemoryTables) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await base.read(body)
    }

    func write<Result: Sendable>(
        _ body: @escaping @Sendable (inout MemoryTables) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        seen.withLock { $0.append(.shared) }
        return try await base.write(body)
    }

    func writeExclusively<Result: Sendable>(
        _ body: @escaping @Sendable (inout MemoryTables) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        seen.withLock { $0.append(.alone) }
        return try await base.write(body)
    }

    /// How the changes of `body` were run.
    func turns(_ body: () async throws -> Void) async throws -> [Turn] {
        seen.withLock { $0 = [] }
        try await body()
        return seen.withLock { $0 }
    }
}

/// A source that counts how often it was read, and never says that it is in memory.
private final class CountedSource: MessageSource {
    private let source: ArraySource
    private let seen = Mutex(0)

    init(_ messages: [SessionMessage]) { source = ArraySource(messages: messages) }

    var readings: Int { seen.withLock { $0 } }

    func makeReader() throws(StoreError) -> any MessageReader {
        seen.withLock { $0 += 1 }
        return try source.makeReader()
    }
}

@Suite("Long changes")
struct LongChangeTests {
    private let store = TurnStore()

    private func append(_ count: Int, content: String = "x") async throws {
        let messages = try (0..<count).map { _ in
            PendingMessage(id: try ULIDGenerator.shared.next(), role: .user, content: content)
        }
        _ = try await store.append(AppendRequest(sessionID: ulid(1), messages: messages, time: time(10)))
    }

    @Test("An append runs alone if it has many messages or bytes")
    func appends() async throws {
        try await store.restore(makeSession(), messages: ArraySource(messages: []))
        #expect(try await store.turns { try await append(1) } == [.shared])
        #expect(try await store.turns { try await append(1000) } == [.shared])
        #expect(try await store.turns { try await append(1001) } == [.alone])
        #expect(
            try await store.turns { try await append(1, content: String(repeating: "x", count: 2 << 20)) } == [.alone])
    }

    @Test(
        "A restore runs alone if it is large, and is read before its transaction if it has few messages")
    func restores() async throws {
        let large = String(repeating: "x", count: 3 << 10)
        for (count, content, turn, readings) in [
            (0, "x", TurnStore.Turn.shared, 1), (1000, "x", .shared, 1), (1001, "x", .alone, 1),
            // The size is known only after reading.
            (1000, large, .alone, 2),
        ] {
            let source = CountedSource((0..<count).map { makeMessage($0 + 1, content: content) })
            let turns = try await store.turns { try await store.restore(makeSession(count), messages: source) }
            #expect(turns == [turn])
            #expect(source.readings == readings)
            #expect(try await store.get(ulid(1)) == makeSession(count))
            _ = try await store.delete(ulid(1))
        }
    }

    @Test("A source whose messages are ready is not read in advance")
    func ready() async throws {
        let messages = (0..<3).map { makeMessage($0 + 1) }
        let turns = try await store.turns {
            try await store.restore(makeSession(3), messages: ReadMessages(messages: messages))
        }
        #expect(turns == [.shared])
        #expect(
            try await store.messages(MessageRequest(sessionID: ulid(1), range: .last, limit: 9))?.messages == messages)
    }

    @Test("A deletion or rewind of many messages runs again alone, and a smaller one does not")
    func removals() async throws {
        for (count, rest, turns) in [
            (1000, 0, [TurnStore.Turn.shared]), (1001, 0, [.shared, .alone]), (1001, 1, [.shared]),
        ] {
            try await store.restore(
                makeSession(count), messages: ArraySource(messages: (0..<count).map { makeMessage($0 + 1) }))
            let rewinding = try await store.turns {
                let session = try await store.rewind(ulid(1), RewindRequest(to: rest, time: time(20)))
                #expect(session.messageCount == rest)
            }
            #expect(rewinding == turns)
            #expect(try await store.delete(ulid(1)))
            try await store.restore(
                makeSession(count), messages: ArraySource(messages: (0..<count).map { makeMessage($0 + 1) }))
            let deleting = try await store.turns { _ = try await store.delete(ulid(1)) }
            #expect(deleting == (count > 1000 ? [.shared, .alone] : [.shared]))
            #expect(try await store.get(ulid(1)) == nil)
        }
        let absent = try await store.turns { _ = try await store.delete(ulid(1)) }
        #expect(absent == [.shared])
    }
}
