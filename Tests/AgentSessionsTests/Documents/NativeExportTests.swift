import AgentSessionsMemory
import Synchronization
import Testing

@testable import AgentSessions

@Suite("Native export")
struct NativeExportTests {
    @Test("A native document has the keys of the contract in their order and ends with a line feed")
    func shape() async throws {
        let service = memoryService()
        let session = try await service.sample()
        let text = String(decoding: try await service.document(session.id), as: UTF8.self)
        #expect(text.hasPrefix(#"{"schema_version":1,"writer":"\#(BuildInfo.writer)","exported_at":""#))
        let places = ["\"session\":{", "\"messages\":[", "\"checksum\":"].compactMap { text.firstRange(of: $0) }
        #expect(places.count == 3)
        #expect(places.map(\.lowerBound) == places.map(\.lowerBound).sorted())
        #expect(text.hasSuffix("\"}\n"))
        #expect(text.filter { $0 == "\n" }.count == 1)

        let value = try JSONValue(document: Array(text.utf8))
        #expect(value.objectValue?.count == 6)
        #expect(value["session"]?.objectValue?.count == 9)
        let messages = try #require(value["messages"]?.arrayValue)
        #expect(messages.count == 3)
        for message in messages { #expect(message.objectValue?.count == 8) }
        #expect(messages[0]["tool_call_id"] == .null)
        #expect(messages[2]["tool_call_id"] == "c1")
        #expect(value["session"]?["message_count"] == 3)
        #expect(value["session"]?["metadata"]?["b"] == .double(1))
    }

    @Test("The checksum of a document is the SHA-256 of its canonical JSON without checksum and export time")
    func checksum() async throws {
        let service = memoryService()
        let session = try await service.sample()
        let object = try #require(try JSONValue(document: try await service.document(session.id)).objectValue)
        #expect(object["checksum"]?.stringValue == (try independentChecksum(of: object)))
    }

    @Test("The same session exports the same bytes, apart from the export time of the clock")
    func sameBytes() async throws {
        let times = Mutex(0)
        let service = memoryService {
            Timestamp(
                microseconds: times.withLock { time in
                    time += 1
                    return Int64(time)
                }) ?? .earliest
        }
        let session = try await service.sample()
        let revision = try await service.get(session.id).revision
        var documents: [JSONObject] = []
        for _ in 0..<2 {
            documents.append(
                try #require(try JSONValue(document: try await service.document(session.id)).objectValue))
        }
        #expect(documents[0] != documents[1])
        for index in documents.indices { documents[index]["exported_at"] = nil }
        #expect(documents[0] == documents[1])
        #expect(try await service.get(session.id).revision == revision)
    }

    @Test("An empty session has an empty array of messages")
    func empty() async throws {
        let service = memoryService()
        let session = try await service.create(actorName: "a")
        let document = try await service.document(session.id)
        #expect(try JSONValue(document: document)["messages"] == [])
        #expect(try await service.load(document).messages == 0)
    }

    @Test("The export of an absent session fails at the first read and is finished then")
    func absent() async throws {
        let service = memoryService()
        var reading = service.exportSession(ULID(high: 1, low: 1)).makeAsyncIterator()
        let error = await #expect(throws: StoreError.self) { try await reading.next() }
        #expect(error?.code == .notFound)
        #expect(try await reading.next() == nil)
    }

    @Test("A long session is exported in pages of bounded size")
    func bounded() async throws {
        let service = memoryService()
        let session = try await service.create(actorName: "long")
        for start in stride(from: 0, to: 20_000, by: 5000) {
            let batch = (start..<start + 5000).map { NewMessage(.user, "Message \($0)") }
            _ = try await service.append(batch, to: session.id)
        }
        let large = String(repeating: "x", count: 700_000)
        for _ in 0..<4 { _ = try await service.appendMessage(NewMessage(.user, large), to: session.id) }
        var chunks = 0
        var largest = 0
        var bytes: [UInt8] = []
        for try await chunk in service.exportSession(session.id) {
            chunks += 1
            largest = max(largest, chunk.count)
            bytes += chunk
        }
        #expect(chunks > 100)
        #expect(largest < 3 << 20)
        let other = memoryService()
        let result = try await other.load(bytes)
        #expect(result.messages == 20_004)
        #expect(try await Essence(other, result.ids[0]) == Essence(service, session.id))
    }

    @Test("Appends during an export are left out of the document")
    func appendsMeanwhile() async throws {
        let service = memoryService()
        let session = try await service.create(actorName: "busy")
        _ = try await service.append((0..<500).map { NewMessage(.user, "\($0)") }, to: session.id)
        let before = try await service.get(session.id)
        var bytes: [UInt8] = []
        for try await chunk in service.exportSession(session.id) {
            bytes += chunk
            _ = try await service.append((0..<300).map { NewMessage(.user, "later \($0)") }, to: session.id)
        }
        let document = try JSONValue(document: bytes)
        #expect(document["messages"]?.arrayValue?.count == 500)
        #expect(document["session"]?["message_count"] == 500)
        #expect(document["session"]?["updated_at"] == .string(before.updatedAt.description))
        #expect(try await memoryService().load(bytes).messages == 500)
    }

    @Test("A rewind during an export ends it with a conflict", arguments: [0, 150, 499])
    func rewindMeanwhile(to sequence: Int) async throws {
        let service = memoryService()
        let session = try await service.create(actorName: "busy")
        _ = try await service.append((0..<500).map { NewMessage(.user, "\($0)") }, to: session.id)
        var reading = service.exportSession(session.id).makeAsyncIterator()
        _ = try await reading.next()
        _ = try await service.rewind(session.id, to: sequence)
        let refill = sequence == 150 ? 0 : 600
        if refill > 0 {
            _ = try await service.append((0..<refill).map { NewMessage(.user, "new \($0)") }, to: session.id)
        }
        let error = await #expect(throws: StoreError.self) { while try await reading.next() != nil {} }
        #expect(error?.code == .conflict)
        #expect(try await reading.next() == nil)
    }

    @Test("A change between the first page and the snapshot of an export is not a conflict", arguments: [0, 10, 300])
    func changeBeforeTheAnchor(rewindTo sequence: Int) async throws {
        let service = memoryService()
        let session = try await service.create(actorName: "busy")
        _ = try await service.append((0..<500).map { NewMessage(.user, "\($0)") }, to: session.id)
        let calls = Mutex(0)
        var pages = SessionPages(of: session.id) { (range, limit) throws(StoreError) in
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            if call == 2 { _ = try await service.rewind(session.id, to: sequence) }
            return try await service.messages(in: session.id, range, limit: limit)
        }
        var messages: [SessionMessage] = []
        while let page = try await pages.next() { messages += page }
        #expect(messages.map(\.sequence) == Array(0..<sequence).map { $0 + 1 })
        #expect(pages.session?.messageCount == sequence)
    }
}
