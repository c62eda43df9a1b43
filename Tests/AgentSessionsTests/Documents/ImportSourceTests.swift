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

/// A file of one test, removed with the value.
final class TemporaryFile: Sendable {
    let path: String

    init(_ bytes: [UInt8], pipe: Bool = false) throws {
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        path = "\(directory)/agent-sessions-test-\(try ULIDGenerator.shared.next())"
        if pipe {
            try #require(mkfifo(path, 0o600) == 0)
        } else {
            write(bytes)
        }
    }

    func write(_ bytes: [UInt8]) {
        guard let file = fopen(path, "w") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    deinit { unlink(path) }
}

/// A store that does something before it restores a session, and may fail.
struct HookedStore: ForwardingSessionStore {
    let base: any SessionStore = MemorySessionStore()
    var beforeRestore: @Sendable () throws(StoreError) -> Void = {}
    var afterRestore: @Sendable () throws(StoreError) -> Void = {}
    var beforeGet: @Sendable () throws(StoreError) -> Void = {}

    func get(_ id: ULID) async throws(StoreError) -> Session? {
        try beforeGet()
        return try await base.get(id)
    }

    func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        try beforeRestore()
        try await base.restore(session, messages: messages)
        try afterRestore()
    }
}

@Suite("Import source")
struct ImportSourceTests {
    private func archive(_ count: Int) async throws -> [UInt8] {
        let service = memoryService()
        var archive: [UInt8] = []
        for number in 0..<count {
            let session = try await service.create(actorName: "a/\(number)")
            _ = try await service.append((0..<3).map { NewMessage(.user, "Text \($0)") }, to: session.id)
            archive += try await service.document(session.id)
        }
        return archive
    }

    private func load(_ path: String) async throws(StoreError) -> ImportResult {
        try await memoryService().importSessions(.file(path: path), format: .native, options: ImportOptions())
    }

    @Test("A file is imported like its bytes")
    func file() async throws {
        let file = try TemporaryFile(try await archive(100))
        let result = try await load(file.path)
        #expect(result.ids.count == 100)
        #expect(result.messages == 300)
    }

    @Test("A pipe is read to its end, in pieces of any size")
    func pipe() async throws {
        let bytes = try await archive(20)
        let pipe = try TemporaryFile([], pipe: true)
        async let result = load(pipe.path)
        try await Task.sleep(for: .milliseconds(150))
        let path = pipe.path
        try await onOwnThread { (_) throws(StoreError) in
            let file = open(path, O_WRONLY)
            defer { close(file) }
            for start in stride(from: 0, to: bytes.count, by: 1000) {
                let piece = Array(bytes[start..<min(bytes.count, start + 1000)])
                _ = write(file, piece, piece.count)
                usleep(1000)
            }
        }
        #expect(try await result.ids.count == 20)
    }

    @Test("A cancelled task stops waiting for a pipe")
    func cancelledPipe() async throws {
        let pipe = try TemporaryFile([], pipe: true)
        let path = pipe.path
        let task = Task { () throws(StoreError) in try await load(path) }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        let error = await #expect(throws: StoreError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test("A cancelled task imports nothing")
    func cancelled() async throws {
        let bytes = try await archive(1)
        let task = Task { () throws(StoreError) in
            withUnsafeCurrentTask { $0?.cancel() }
            return try await memoryService().load(bytes)
        }
        let error = await #expect(throws: StoreError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test(
        "The error for a path that is not a file names it",
        arguments: ["/nowhere/at/all", "", "/tmp", "a\0b", "/tmp/" + String(repeating: "x", count: 5000)])
    func noFile(_ path: String) async throws {
        let error = await #expect(throws: StoreError.self) { try await load(path) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(quoted(path, limit: 60).dropLast(3)) == true)
    }

    @Test(
        "A file that changes between the two passes is refused, and its session is rolled back",
        arguments: DocumentFormat.allCases)
    func changed(_ format: DocumentFormat) async throws {
        let service = memoryService()
        let session = try await service.create(actorName: "a", metadata: ["k": "value"])
        _ = try await service.append((0..<2000).map { NewMessage(.user, "Text \($0)") }, to: session.id)
        let document = try await service.document(session.id, format)
        let text = String(decoding: document, as: UTF8.self)
        let changes = [
            text.replacing("Text 1999", with: "Text 1998"),
            text.replacing("\"role\":\"user\"", with: "\"role\":\"User\""),
            String(text.prefix(text.count / 2)), text.replacing("Text 0", with: "Text \\"),
            format == .openai
                ? text.replacing("Text 77", with: "Text 88")
                : text.replacing("\"sequence\":77", with: "\"sequence\":78"),
        ]
        for change in changes {
            let file = try TemporaryFile(document)
            let store = HookedStore(beforeRestore: { file.write(Array(change.utf8)) })
            let importing = PersistentSessionService(store, retryPolicy: .never)
            let error = await #expect(throws: StoreError.self) {
                try await importing.importSessions(.file(path: file.path), format: format, options: ImportOptions())
            }
            #expect(error?.code == .conflict)
            #expect(error?.message.contains("changed between") == true)
            #expect(error?.message.contains("Nothing was stored.") == true)
            #expect(try await importing.list().sessions.isEmpty)
        }
    }

    @Test("A header that changes between the two passes is refused", arguments: DocumentFormat.allCases)
    func changedHeader(_ format: DocumentFormat) async throws {
        let service = memoryService()
        let session = try await service.create(actorName: "local/actor", metadata: ["k": "value"])
        let document = try await service.document(session.id, format)
        let text = String(decoding: document, as: UTF8.self)
        for change in [
            text.replacing("value", with: "other"), text.replacing("local/actor", with: ""), "",
            text.replacing("\"messages\":[]", with: "\"massages\":[]"),
        ] {
            let file = try TemporaryFile(document)
            // The first pass reports its progress when it is done with a document.
            let options = ImportOptions(progress: { fraction in if fraction <= 0.5 { file.write(Array(change.utf8)) } })
            let importing = memoryService()
            let error = await #expect(throws: StoreError.self) {
                try await importing.importSessions(.file(path: file.path), format: format, options: options)
            }
            #expect(error?.code == .conflict, "\(String(describing: error))")
            #expect(try await importing.list().sessions.isEmpty)
        }
    }

    @Test("The error for a document that changed between the passes names it, and the documents before it are stored")
    func changedInTheMiddle() async throws {
        let lines = (1...5).map {
            #"{"actor_name":"line/\#($0)","messages":[{"role":"user","content":"text \#($0)"}]}"#
        }
        let text = lines.joined(separator: "\n")
        for change in [
            text.replacing("text 3", with: "text X"), text.replacing("line/3", with: "line/X"),
            text.replacing(#""text 3""#, with: " text 3 "),
        ] {
            let file = try TemporaryFile(Array(text.utf8))
            let options = ImportOptions(progress: { fraction in if fraction == 0.5 { file.write(Array(change.utf8)) } })
            let service = memoryService()
            let error = await #expect(throws: StoreError.self) {
                try await service.importSessions(.file(path: file.path), format: .openai, options: options)
            }
            #expect(error?.code == .conflict, "\(String(describing: error))")
            #expect(error?.message.contains("document 3 of") == true, "\(String(describing: error))")
            #expect(error?.message.contains("Stored: 2 of the 5 documents") == true, "\(String(describing: error))")
            #expect(try await service.list().sessions.map(\.actorName).sorted() == ["line/1", "line/2"])
        }
    }

    /// The number of the document in the archive that a session was imported from.
    private func number(_ session: Session) -> Int? { Int(session.actorName.dropFirst(2)).map { $0 + 1 } }

    @Test("The error for a session that cannot be stored says what is stored and where to go on")
    func failure() async throws {
        let calls = Mutex(0)
        let store = HookedStore(beforeRestore: { () throws(StoreError) in
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            if call > 30 {
                throw StoreError(
                    .unavailable, "The disk is full. Nothing was written. Make room.", backend: "memory",
                    nativeCode: "FULL")
            }
        })
        let service = PersistentSessionService(store, retryPolicy: .never)
        let bytes = try await archive(100)
        let error = try #require(await #expect(throws: StoreError.self) { try await service.load(bytes) })
        #expect(error.code == .unavailable && error.nativeCode == "FULL" && error.backend == "memory")
        let stored = try await service.list(limit: 200).sessions
        #expect(stored.count == 30 && stored.allSatisfy { $0.messageCount == 3 })
        let partial = try #require(error.cause as? PartialImport)
        #expect(partial.reason.message.hasPrefix("The disk is full."))
        #expect(partial.documents == 100 && partial.messages == 90 && partial.unknown.isEmpty)
        #expect(Set(partial.ids) == Set(stored.map(\.id)))
        for document in partial.stored {
            #expect(number(try await service.get(document.id)) == document.number && document.messages == 3)
        }
        // No document before it is missing, and those behind it that are already stored are named.
        let numbers = partial.stored.map(\.number)
        #expect(numbers == numbers.sorted() && !numbers.contains(partial.next))
        #expect(Array(1..<partial.next).allSatisfy(numbers.contains))
        #expect(partial.storedLater.map(\.number) == numbers.filter { $0 > partial.next })
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        #expect(partial.nextByte == lines[..<(partial.next - 1)].reduce(0) { $0 + $1.count + 1 })
        #expect(
            error.message.hasPrefix(
                "The import stopped at document \(partial.next) of the given bytes (from byte \(partial.nextByte)): "
                    + "The disk is full. Make room. Stored: 30 of the 100 documents, each whole. Go on from document "
                    + "\(partial.next)"), "\(error)")
        // A caller that goes on as the error says has everything once.
        let rest = lines.enumerated().filter { !numbers.contains($0.offset + 1) }.flatMap { $0.element + [10] }
        calls.withLock { $0 = -1000 }
        #expect(try await service.load(rest).ids.count == 70)
        let all = try await service.list(limit: 200).sessions.compactMap(number)
        #expect(all.sorted() == Array(1...100))
    }

    @Test("The error of an import names a session whose outcome is unknown")
    func partlyUnknown() async throws {
        let calls = Mutex(0)
        let lost: @Sendable () throws(StoreError) -> Void = { () throws(StoreError) in
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            if call == 1 { throw StoreError(.outcomeUnknown, "The connection was lost.") }
        }
        let store = HookedStore(
            afterRestore: lost, beforeGet: { () throws(StoreError) in throw StoreError(.unavailable, "No connection.") }
        )
        let service = PersistentSessionService(store, retryPolicy: .never)
        let error = try #require(
            await #expect(throws: StoreError.self) { try await service.load(try await archive(3)) })
        #expect(error.code == .outcomeUnknown)
        let partial = try #require(error.cause as? PartialImport)
        let unknown = try #require(partial.unknown.first)
        #expect(partial.unknown.count == 1 && unknown.number == partial.next && partial.stored.count == 2)
        #expect(
            error.message.contains(
                "not known whether document \(unknown.number) is stored: leave it out if there is a session "
                    + "\(unknown.id)"))
        #expect(try await store.base.get(unknown.id) != nil)
    }

    @Test("An import that stores nothing says so once")
    func nothingStored() async throws {
        let store = HookedStore(beforeRestore: { () throws(StoreError) in
            throw StoreError(.busy, "Somebody holds the lock; nothing was written. Try again.")
        })
        let service = PersistentSessionService(store, retryPolicy: .never)
        let error = try #require(
            await #expect(throws: StoreError.self) { try await service.load(try await archive(2)) })
        #expect(error.code == .busy && error.cause == nil)
        #expect(
            error.message
                == "The import stopped at document 1 of the given bytes (from byte 0): Somebody holds the lock. Try "
                + "again. Nothing was stored.")
    }

    @Test("An import of unknown outcome is settled by the id of the session", arguments: [true, false])
    func unknownOutcome(isStored: Bool) async throws {
        let calls = Mutex(0)
        let fail: @Sendable () throws(StoreError) -> Void = { () throws(StoreError) in
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            if call == 1 { throw StoreError(.outcomeUnknown, "The connection was lost.") }
        }
        let store = isStored ? HookedStore(afterRestore: fail) : HookedStore(beforeRestore: fail)
        let service = PersistentSessionService(store, retryPolicy: RetryPolicy(baseDelay: .milliseconds(1)))
        let result = try await service.load(try await archive(1))
        #expect(try await service.list().sessions.map(\.id) == result.ids)
        #expect(try await service.allMessages(of: result.ids[0]).count == 3)
    }

    @Test("The progress of an import grows from 0 to 1")
    func progress() async throws {
        let seen = Mutex<[Double]>([])
        let options = ImportOptions(progress: { fraction in seen.withLock { $0.append(fraction) } })
        _ = try await memoryService().importSessions(.bytes(try await archive(40)), format: .native, options: options)
        let fractions = seen.withLock { $0 }
        #expect(fractions.count == 80)
        #expect(fractions == fractions.sorted())
        #expect(fractions.last == 1)
    }

    @Test("An import of more sessions than allowed is refused before anything is stored")
    func tooMany() async throws {
        let service = memoryService()
        let error = await #expect(throws: StoreError.self) {
            try await service.importSessions(
                .bytes(try await archive(3)), format: .native, options: ImportOptions(maximumSessions: 2))
        }
        #expect(error?.code == .invalidArgument)
        #expect(try await service.list().sessions.isEmpty)
        #expect(try await service.importSession(.bytes(try await archive(1))) == service.list().sessions[0].id)
    }
}
