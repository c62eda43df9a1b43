import AgentSessionsMemory
import Testing

@testable import AgentSessions

/// A sink in memory for an archive.
private struct MemorySink: DocumentSink {
    var canTakeBack = true
    /// The number of writes that succeed before one fails.
    var room = Int.max
    var bytes: [UInt8] = []
    var writes = 0
    var takenBack = 0

    mutating func write(_ bytes: [UInt8]) async throws(StoreError) {
        guard writes < room else { throw StoreError(.unavailable, "The disk is full.") }
        self.bytes += bytes
        writes += 1
    }

    mutating func takeBack(_ count: Int) async throws(StoreError) -> Bool {
        guard canTakeBack else { return false }
        bytes.removeLast(count)
        takenBack += count
        return true
    }
}

/// A sink that only writes, as most are. (It counts, as Thread Sanitizer dies of an inout of an empty struct.)
private struct WriteOnlySink: DocumentSink {
    private(set) var bytes = 0

    mutating func write(_ bytes: [UInt8]) async throws(StoreError) { self.bytes += bytes.count }
}

@Suite("Session archive")
struct SessionArchiveTests {
    private let store = FaultyStore()
    private let service: PersistentSessionService<FaultyStore>

    /// Three pages of messages.
    private static let messages = 450
    /// The reads of such a session: its first page, its last message, which fixes the moment, and the other pages.
    private static let reads = 4

    init() { service = PersistentSessionService(store, retryPolicy: .never) }

    private func fill(_ sessions: Int) async throws -> [ULID] {
        var ids: [ULID] = []
        for _ in 0..<sessions {
            let id = try await service.create(actorName: "a").id
            try await service.append((1...Self.messages).map { NewMessage(.user, "text \($0)") }, to: id)
            ids.append(id)
        }
        return ids
    }

    /// Runs a change right before a read.
    private func before(
        read: Int, _ body: @escaping @Sendable (any SessionStore) async throws(StoreError) -> Void
    ) {
        store.fail(reads: Array(repeating: .none, count: read) + [.first(body)])
    }

    private func archive(_ bufferBytes: Int, _ format: DocumentFormat = .native) -> SessionArchive {
        SessionArchive(of: service, format: format, bufferBytes: bufferBytes)
    }

    /// Expects that the bytes can be imported, and gives the number of messages of each session.
    private func counts(_ bytes: [UInt8], _ format: DocumentFormat = .native) async throws -> [Int] {
        let other = memoryService()
        var counts: [Int] = []
        for id in try await other.load(bytes, format).ids { counts.append(try await other.count(id)) }
        return counts
    }

    @Test("An archive holds every session as its document, newest first", arguments: DocumentFormat.allCases)
    func whole(_ format: DocumentFormat) async throws {
        let ids = try await fill(3)
        var sink = MemorySink()
        var told: [Int] = []
        let result = try await archive(1 << 20, format).writeAll(to: &sink) { told.append($0.sessions) }
        #expect(result.sessions == 3 && result.deleted == 0 && told == [1, 2, 3])
        // Each document is written at once, when it is complete.
        #expect(sink.writes == 3 && sink.takenBack == 0)
        #expect(try await counts(sink.bytes, format) == [450, 450, 450])
        if format == .openai {
            var expected: [UInt8] = []
            for id in ids.reversed() { expected += try await service.document(id, format) }
            #expect(sink.bytes == expected)
        }
    }

    @Test("An archive of an empty store is empty")
    func empty() async throws {
        var sink = MemorySink()
        #expect(try await archive(0).writeAll(to: &sink) == SessionArchive.Result())
        #expect(sink.bytes.isEmpty)
    }

    @Test(
        "An archive leaves out a session that is deleted meanwhile, even if a part of it was written",
        arguments: 1...reads,
        [0, 60_000, 1 << 20])
    func deleted(read: Int, bufferBytes: Int) async throws {
        let id = try await fill(3)[1]
        // The list is read, then all of the newest session, then this one.
        before(read: Self.reads + read) { (base) throws(StoreError) in _ = try await base.delete(id) }
        var sink = MemorySink()
        let result = try await archive(bufferBytes).writeAll(to: &sink)
        #expect(result.sessions == 2 && result.deleted == 1)
        #expect(try await counts(sink.bytes) == [450, 450])
        #expect((sink.takenBack > 0) == (bufferBytes < 1 << 20 && read > (bufferBytes == 0 ? 2 : 3)))
    }

    @Test(
        "An archive starts again with a session that is rewound meanwhile", arguments: DocumentFormat.allCases,
        [0, 60_000, 1 << 20])
    func rewound(format: DocumentFormat, bufferBytes: Int) async throws {
        for read in 1...Self.reads {
            let id = try await fill(1)[0]
            before(read: read - 1) { (base) throws(StoreError) in
                _ = try await base.rewind(id, RewindRequest(to: 440, time: .now()))
            }
            var sink = MemorySink()
            try await archive(bufferBytes, format).write(id, to: &sink)
            #expect(try await counts(sink.bytes, format) == [440], "read \(read)")
        }
    }

    @Test("An archive gives up on a session that is rewound again and again, and keeps nothing of it")
    func restless() async throws {
        let id = try await fill(1)[0]
        let rewind = FaultyStore.Fault.first { (base) throws(StoreError) in
            guard let session = try await base.get(id) else { return }
            _ = try await base.rewind(id, RewindRequest(to: session.messageCount - 1, time: .now()))
        }
        // The last message is missing, which takes one more read to notice.
        store.fail(reads: (0..<20).flatMap { _ in [.none, .none, rewind, .none, .none] })
        var sink = MemorySink()
        let error = try await storeError { () throws(StoreError) in try await archive(0).write(id, to: &sink) }
        #expect(error.code == .conflict && error.message.contains("each of 10 attempts"))
        #expect(sink.bytes.isEmpty && sink.takenBack > 0)
        store.fail()
        #expect(try await service.count(id) == Self.messages - 10)
    }

    @Test("Fails where the beginning of a document is out, and says that it is incomplete")
    func brokenOff() async throws {
        for (what, code) in [("deleted", nil), ("rewound", nil), ("scripted", StoreError.Code.unavailable)] {
            let ids = try await fill(2)
            let id = ids[1]
            switch what {
            case "deleted": before(read: 4) { (base) throws(StoreError) in _ = try await base.delete(id) }
            case "rewound":
                before(read: 4) { (base) throws(StoreError) in
                    _ = try await base.rewind(id, RewindRequest(to: 0, time: .now()))
                }
            default: store.fail(reads: Array(repeating: .none, count: 4) + [.failBefore(.unavailable)])
            }
            var sink = MemorySink(canTakeBack: false)
            let error = try await storeError { () throws(StoreError) in try await archive(0).writeAll(to: &sink) }
            #expect(error.code == code ?? .conflict)
            #expect(error.message.contains(what) && error.message.contains("ends in the middle"))
            #expect(error.cause is StoreError)
            store.fail()
            for session in try await service.list().sessions { try await service.delete(session.id) }
        }
    }

    @Test("An archive fails with the error of its sink and takes nothing back from it")
    func failingSink() async throws {
        _ = try await fill(2)
        for room in 0..<5 {
            var sink = MemorySink(room: room)
            let error = try await storeError { () throws(StoreError) in try await archive(0).writeAll(to: &sink) }
            #expect(error.code == .unavailable && error.message == "The disk is full.")
            #expect(sink.writes == room && sink.takenBack == 0)
        }
    }

    @Test("A single session is written even to a sink that cannot take back, and an absent one is an error")
    func single() async throws {
        var sink = WriteOnlySink()
        let error = try await storeError { () throws(StoreError) in try await archive(0).write(ulid(1), to: &sink) }
        #expect(error.code == .notFound && sink.bytes == 0)
        try await archive(0).write(try await fill(1)[0], to: &sink)
        #expect(sink.bytes > Self.messages)
        #expect(try await !sink.takeBack(1))
    }
}
