import AgentSessionsMemory
import Testing

@testable import AgentSessions

@Suite("Native import")
struct NativeImportTests {
    @Test("An imported session is whole and has fresh ids")
    func roundTrip() async throws {
        let service = memoryService()
        let session = try await service.sample()
        let result = try await service.load(try await service.document(session.id))
        #expect(result.messages == 3)
        let id = try #require(result.ids.first)
        #expect(id != session.id)
        #expect(try await Essence(service, id) == Essence(service, session.id))
        let old = Set(try await service.allMessages(of: session.id).map(\.id))
        #expect(try await service.allMessages(of: id).allSatisfy { !old.contains($0.id) && $0.sessionID == id })
        _ = try await service.appendMessage(NewMessage(.user, "more"), to: id)
    }

    static let hostile = [
        "", "\0", "a\0b", "e\u{301}", "\u{E9}", "\u{202E}abc\u{2066}", "\u{FFFE}\u{FFFF}\u{10FFFF}", "\u{FEFF}x",
        "\"\\/\u{8}\u{C}\n\r\t\u{1F}\u{7F}",
        "👩‍👩‍👧‍👦", String(repeating: "Grüße, 漢字, and plain text to fill up a line\u{0}", count: 100_000),
    ]

    @Test("Text of any kind survives export and import byte for byte", arguments: hostile.indices)
    func hostileText(_ index: Int) async throws {
        let text = Self.hostile[index]
        let service = memoryService()
        let session = try await service.create(actorName: "a", metadata: ["k": .string(String(text.prefix(1000)))])
        _ = try await service.append(
            [NewMessage(.user, text, toolCallID: String(text.prefix(20)), metadata: [String(text.prefix(9)): 1])],
            to: session.id)
        for format in DocumentFormat.allCases {
            let result = try await service.load(try await service.document(session.id, format), format)
            let message = try #require(try await service.allMessages(of: result.ids[0]).first)
            #expect(message.content.isIdentical(to: text))
            #expect(message.toolCallID?.isIdentical(to: String(text.prefix(20))) == true)
            #expect(message.metadata == [String(text.prefix(9)): 1])
        }
    }

    @Test("Numbers keep their kind and every digit")
    func numbers() async throws {
        let numbers: JSONObject = [
            "min": .integer(.min), "max": .integer(.max), "one": 1.0, "big": .double(1e20), "huge": .double(1e300),
            "zero": .double(-0.0), "tiny": .double(.leastNonzeroMagnitude), "text": "1.0",
        ]
        let service = memoryService()
        let session = try await service.create(actorName: "a", metadata: numbers)
        _ = try await service.appendMessage(NewMessage(.user, "x", metadata: numbers), to: session.id)
        _ = try await service.updateTokenUsage(
            session.id, adding: TokenUsage(inputTokens: .max, outputTokens: 0, estimatedCost: .max))
        let result = try await service.load(try await service.document(session.id))
        #expect(try await Essence(service, result.ids[0]) == Essence(service, session.id))
    }

    @Test("Keys may be in any order, and white space between them is ignored")
    func anyOrder() async throws {
        let service = memoryService()
        let session = try await service.sample()
        let object = try #require(try JSONValue(document: try await service.document(session.id)).objectValue)
        let orders = [
            object.keys, object.keys.reversed(),
            ["messages", "checksum", "exported_at", "session", "writer", "schema_version"],
        ]
        for order in orders {
            var text: [UInt8] = Array(" \n{ ".utf8)
            for (index, key) in order.enumerated() {
                if index > 0 { text += Array(" ,\t".utf8) }
                text += Array("\"\(key)\" : ".utf8)
                text += try LosslessJSON.encode(object[key] ?? .null)
            }
            text += Array(" }\r\n ".utf8)
            let result = try await service.load(text)
            #expect(try await Essence(service, result.ids[0]) == Essence(service, session.id))
        }
    }

    @Test("An archive holds one document after another, and the ids are returned in their order")
    func archive() async throws {
        let service = memoryService()
        var archive: [UInt8] = []
        var ids: [ULID] = []
        for number in 0..<150 {
            let session = try await service.create(actorName: "actor/\(number)")
            _ = try await service.append(
                (0...number % 7).map { NewMessage(.user, "\(number) \($0)") }, to: session.id)
            archive += try await service.document(session.id)
            ids.append(session.id)
        }
        let other = memoryService()
        let result = try await other.load(archive)
        #expect(result.ids.count == 150)
        for (old, new) in zip(ids, result.ids) {
            #expect(try await Essence(service, old) == Essence(other, new))
        }
        #expect(result.ids == result.ids.sorted())
        let error = await #expect(throws: StoreError.self) {
            try await other.importSession(.bytes(archive))
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("more than 1 sessions") == true)
    }

    @Test("A document that is cut short anywhere is refused with an error that says so")
    func truncated() async throws {
        let service = memoryService()
        let document = try await service.document(try await service.sample().id)
        for end in 1..<document.count - 1 {
            let error = try await service.refusal(Array(document[..<end]))
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains("ends in the middle"), "\(end): \(error)")
        }
    }

    @Test(
        "An empty source is an empty archive, and not a document",
        arguments: ["", " \n\t"], DocumentFormat.allCases)
    func empty(_ text: String, _ format: DocumentFormat) async throws {
        let service = memoryService()
        let source = DocumentSource.bytes(Array(text.utf8))
        let result = try await service.importSessions(source, format: format, options: ImportOptions())
        #expect(result == ImportResult(ids: [], messages: 0))
        let error = await #expect(throws: StoreError.self) { try await service.importSession(source) }
        #expect(error?.code == .invalidArgument && error?.message.contains("is empty") == true)
        #expect(try await service.list().sessions.isEmpty)
    }

    @Test("A document with a changed byte is refused or holds the same session", arguments: 0..<8)
    func edited(_ part: Int) async throws {
        let service = memoryService()
        let session = try await service.create(actorName: "a/b", metadata: ["n": 10, "d": 2.5])
        _ = try await service.append(
            [NewMessage(.user, "Hé\n"), NewMessage(.tool, "x", toolCallID: "c", metadata: ["k": ["v"]])], to: session.id
        )
        let document = try await service.document(session.id)
        let essence = try await Essence(service, session.id)
        let replacements: [UInt8] = [0x00, 0x20, 0x22, 0x2C, 0x31, 0x5C, 0x7D, 0xC3]
        for index in stride(from: part, to: document.count, by: 8) {
            for byte in replacements + [document[index] ^ 1, document[index] ^ 0x20] where byte != document[index] {
                var edited = document
                edited[index] = byte
                let other = memoryService()
                do {
                    let result = try await other.load(edited)
                    #expect(try await Essence(other, result.ids[0]) == essence, "byte \(index) as \(byte)")
                } catch let error as StoreError {
                    let codes: [StoreError.Code] = [
                        .invalidArgument, .checksumMismatch, .unsupportedSchemaVersion, .limitExceeded,
                    ]
                    #expect(codes.contains(error.code), "\(error)")
                }
            }
        }
    }
}
