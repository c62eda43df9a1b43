import AgentSessionsMemory
import AgentSessionsThreads
import Testing

@testable import AgentSessions

/// A document with one fault, and a matching checksum if possible.
struct BadDocument: CustomTestStringConvertible, Sendable {
    let name: String
    let code: StoreError.Code
    let words: [String]
    let spoil: @Sendable ([UInt8]) throws -> [UInt8]

    var testDescription: String { name }

    init(
        _ name: String, _ code: StoreError.Code, _ words: String...,
        spoil: @escaping @Sendable ([UInt8]) throws -> [UInt8]
    ) {
        self.name = name
        self.code = code
        self.words = words
        self.spoil = spoil
    }

    /// Changes the value of the document and updates the checksum.
    static func value(
        _ name: String, _ code: StoreError.Code = .invalidArgument, _ words: String...,
        change: @escaping @Sendable (inout JSONObject) -> Void
    ) -> BadDocument {
        var bad = BadDocument(name, code) { try resealed($0, change) }
        bad = BadDocument(name: name, code: code, words: words, spoil: bad.spoil)
        return bad
    }

    /// Replaces text in the document.
    static func text(
        _ name: String, _ code: StoreError.Code = .invalidArgument, _ words: String..., replace old: String,
        with new: String
    ) -> BadDocument {
        bytes(name, code, words, replace: old, with: Array(new.utf8))
    }

    static func bytes(
        _ name: String, _ code: StoreError.Code = .invalidArgument, _ words: [String], replace old: String,
        with new: [UInt8]
    ) -> BadDocument {
        BadDocument(name: name, code: code, words: words) { document in
            let pattern = Array(old.utf8)
            let start = try #require(
                document.indices.first { document[$0...].starts(with: pattern) }, "\(old) is not there")
            return document[..<start] + new + document[(start + pattern.count)...]
        }
    }

    private init(
        name: String, code: StoreError.Code, words: [String], spoil: @escaping @Sendable ([UInt8]) throws -> [UInt8]
    ) {
        self.name = name
        self.code = code
        self.words = words
        self.spoil = spoil
    }
}

@Suite("Refused native imports")
struct NativeRefusalTests {
    static let documents: [BadDocument] = [
        BadDocument("byte order mark", .invalidArgument, "byte order mark") { [0xEF, 0xBB, 0xBF] + $0 },
        BadDocument("UTF-16", .invalidArgument, "UTF-16") { [0xFF, 0xFE] + $0 },
        BadDocument("an array", .invalidArgument, "JSON object") { Array("[".utf8) + $0 + Array("]".utf8) },
        BadDocument("more behind it", .invalidArgument, "Document 2", "unexpected") { $0 + Array("x".utf8) },
        BadDocument("twice, the second cut", .invalidArgument, "Document 2", "ends in the middle") {
            $0 + $0.dropLast(5)
        },
        .bytes("not UTF-8 in a text", .invalidArgument, ["message 1", "UTF-8"], replace: "brief", with: [0xC3, 0x28]),
        .bytes("not UTF-8 in a key", .invalidArgument, ["UTF-8"], replace: "writer", with: [0xFF]),
        .text("unpaired surrogate", .invalidArgument, "message 1", "surrogate", replace: "brief", with: #"\ud800x"#),
        .text("raw control character", .invalidArgument, "control characters", replace: "brief", with: "\u{1}"),
        .text("missing quotation mark", .invalidArgument, replace: "\"role\":\"", with: "\"role\":"),
        .text("comma at the end", .invalidArgument, "unexpected", replace: "],\"checksum\"", with: ",],\"checksum\""),
        .text("no comma", .invalidArgument, "unexpected", replace: ",\"writer\"", with: " \"writer\""),
        .text("no colon", .invalidArgument, "unexpected", replace: "\"writer\":", with: "\"writer\""),
        .text("no value", .invalidArgument, "a value", replace: "\"schema_version\":1", with: "\"schema_version\":"),
        .text("half a word", .invalidArgument, "allowed here: null", replace: "null", with: "nul"),
        .text("number with a tail", .invalidArgument, replace: "\"schema_version\":1", with: "\"schema_version\":1x"),
        .text(
            "duplicate key at the top", .invalidArgument, "duplicated", "writer", replace: "{\"schema",
            with: "{\"writer\":\"w\",\"schema"),
        .text(
            "duplicate version", .invalidArgument, "duplicated", replace: "{\"schema",
            with: "{\"schema_version\":1,\"schema"
        ),
        .text(
            "duplicate messages", .invalidArgument, "duplicated", "messages", replace: "\"messages\":",
            with: "\"messages\":[],\"messages\":"),
        .text(
            "duplicate session", .invalidArgument, "duplicated", "session", replace: "\"messages\":[",
            with: #""session":{},"messages":["#),
        .text(
            "duplicate key of the session", .invalidArgument, "duplicated", "actor_name", replace: "{\"actor_name\"",
            with: "{\"actor_name\":\"x\",\"actor_name\""),
        .text(
            "duplicate key of a message", .invalidArgument, "duplicated", "content", "message 1",
            replace: "{\"content\"",
            with: "{\"content\":\"x\",\"content\""),
        .text(
            "duplicate escaped key", .invalidArgument, "duplicated", replace: "{\"content\"",
            with: "{\"cont\\u0065nt\":\"x\",\"content\""),
        .text(
            "duplicate key of metadata", .invalidArgument, "duplicated", replace: "\"metadata\":{",
            with: "\"metadata\":{\"a\":1,\"a\":1,"),
        .text(
            "integer beyond 64 bits", .invalidArgument, "64 bits", replace: "9223372036854775807",
            with: "9223372036854775808"),
        .text(
            "token count beyond 64 bits", .invalidArgument, "64 bits", replace: "\"input_tokens\":7",
            with: "\"input_tokens\":99999999999999999999"),
        .text("changed content", .checksumMismatch, "changed or damaged", replace: "brief", with: "bried"),
        .text("changed usage", .checksumMismatch, replace: "\"input_tokens\":7", with: "\"input_tokens\":8"),
        .text("changed writer", .checksumMismatch, replace: BuildInfo.writer, with: "agent-sessions/9"),
        .text("changed metadata", .checksumMismatch, replace: "\"b\":1.0", with: "\"b\":1.5"),
        .text("capitals in the checksum", .checksumMismatch, replace: "\"checksum\":\"", with: "\"checksum\":\"A"),
        .text(
            "version 99", .unsupportedSchemaVersion, "99", replace: "\"schema_version\":1",
            with: "\"schema_version\":99"),
        .text(
            "version 0", .unsupportedSchemaVersion, "0", replace: "\"schema_version\":1", with: "\"schema_version\":0"),
        .text(
            "version in a text", .invalidArgument, "a number", replace: "\"schema_version\":1",
            with: "\"schema_version\":\"1\""),
        .text(
            "version with a fraction", .invalidArgument, "integer", replace: "\"schema_version\":1",
            with: "\"schema_version\":1.0"),
        .text(
            "no object as session", .invalidArgument, "allowed here: {", replace: "\"session\":{",
            with: "\"session\":[{"),
        .text(
            "null as messages", .invalidArgument, "messages is an array", replace: "\"messages\":[",
            with: "\"messages\":null,\"x\":["),
        .text(
            "export time", .invalidArgument, "not a time", replace: "\"exported_at\":\"2", with: "\"exported_at\":\"x"),
        .text("small letters in an id", .invalidArgument, "ULID", replace: "\"id\":\"0", with: "\"id\":\"z"),
        .value("unknown key at the top", .invalidArgument, "extra") { $0["extra"] = 1 },
        .value("unknown key of the session", .invalidArgument, "the session", "extra") {
            $0.edit("session") { $0["extra"] = 1 }
        },
        .value("unknown key of a message", .invalidArgument, "message 2", "extra") {
            $0.editMessage(1) { $0["extra"] = 1 }
        },
        .value("no checksum", .invalidArgument, "no \"session\"") { $0["session"] = nil },
        .value("no messages", .invalidArgument, "no \"messages\"") { $0["messages"] = nil },
        .value("no writer", .invalidArgument, "no \"writer\"") { $0["writer"] = nil },
        .value("no version", .invalidArgument, "no \"schema_version\"") { $0["schema_version"] = nil },
        .value("no export time", .invalidArgument, "no \"exported_at\"") { $0["exported_at"] = nil },
        .value("a gap", .invalidArgument, "sequence 3", "2 belongs") { object in
            object["messages"] = .array(
                (object["messages"]?.arrayValue ?? []).enumerated().filter { $0.offset != 1 }.map(\.element))
        },
        .value("the wrong order", .invalidArgument, "1 belongs") { object in
            object["messages"] = .array((object["messages"]?.arrayValue ?? []).reversed())
        },
        .value("sequences from 0", .invalidArgument, "1 belongs") { $0.editMessage(0) { $0["sequence"] = 0 } },
        .value("a negative sequence", .invalidArgument, "must not be negative") {
            $0.editMessage(0) { $0["sequence"] = -1 }
        },
        .value("a message less", .invalidArgument, "message_count 3", "2 messages") { object in
            object["messages"] = .array((object["messages"]?.arrayValue ?? []).dropLast())
        },
        .value("another message count", .invalidArgument, "message_count 4") {
            $0.edit("session") { $0["message_count"] = 4 }
        },
        .value("a message of another session", .invalidArgument, "message 2", "session_id") {
            $0.editMessage(1) { $0["session_id"] = "00000000000000000000000001" }
        },
        .value("another session id", .invalidArgument, "session_id") {
            $0.edit("session") { $0["id"] = "00000000000000000000000001" }
        },
        .value("the same message id twice", .invalidArgument, "duplicated") { object in
            let id = object["messages"]?[0]?["id"]
            object.editMessage(2) { $0["id"] = id }
        },
        .value("a role in capitals", .invalidArgument, "message 1", "not a role") {
            $0.editMessage(0) { $0["role"] = "User" }
        },
        .value("content that is a number", .invalidArgument, "a string") { $0.editMessage(0) { $0["content"] = 1 } },
        .value("content that is null", .invalidArgument, "a string") { $0.editMessage(0) { $0["content"] = .null } },
        .value("metadata that is an array", .invalidArgument, "not an object") {
            $0.editMessage(0) { $0["metadata"] = [] }
        },
        .value("a tool call id that is a number", .invalidArgument, "a string") {
            $0.editMessage(0) { $0["tool_call_id"] = 1 }
        },
        .value("no role", .invalidArgument, "no \"role\"") { $0.editMessage(0) { $0["role"] = nil } },
        .value("no tool call id", .invalidArgument, "no \"tool_call_id\"") {
            $0.editMessage(0) { $0["tool_call_id"] = nil }
        },
        .value("a message that is a number", .invalidArgument, "allowed here: {") { $0["messages"] = [1, 2, 3] },
        .value("negative tokens", .invalidArgument, "input_tokens", "negative") {
            $0.edit("session") { $0["input_tokens"] = -1 }
        },
        .value("a time of another form", .invalidArgument, "created_at", "six decimals") {
            $0.edit("session") { $0["created_at"] = "2026-01-01T00:00:00Z" }
        },
        .value("a time that is none", .invalidArgument, "created_at") {
            $0.editMessage(0) { $0["created_at"] = "2026-02-30T00:00:00.000000Z" }
        },
        .value("updated before created", .invalidArgument, "before it was created") {
            $0.edit("session") { $0["updated_at"] = "2001-01-01T00:00:00.000000Z" }
        },
        .value("an empty actor name", .invalidArgument, "actor name is empty") {
            $0.edit("session") { $0["actor_name"] = "" }
        },
        .value("a long actor name", .limitExceeded, "300 bytes") {
            $0.edit("session") { $0["actor_name"] = .string(String(repeating: "a", count: 300)) }
        },
        .value("a long tool call id", .limitExceeded, "256 bytes") {
            $0.editMessage(0) { $0["tool_call_id"] = .string(String(repeating: "a", count: 256)) }
        },
        .value("deep metadata", .limitExceeded, "nested") { object in
            var value: JSONValue = 1
            for _ in 0..<64 { value = [value] }
            object.editMessage(0) { $0["metadata"] = .object(["a": value]) }
        },
        .text(
            "metadata 10,000 deep", .limitExceeded, "nested", replace: "\"metadata\":{",
            with: "\"metadata\":{\"a\":" + String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)
                + ","),
        .value("large metadata", .limitExceeded, "too large") {
            $0.edit("session") { $0["metadata"] = ["a": .string(String(repeating: "a", count: 1 << 20))] }
        },
    ]

    @Test("Each bad document has its own error and leaves the store as it was", arguments: documents)
    func refused(_ bad: BadDocument) async throws {
        let service = memoryService()
        let document = try await service.document(try await service.sample().id)
        let error = try await service.refusal(try bad.spoil(document))
        #expect(error.code == bad.code, "\(error)")
        for word in bad.words { #expect(error.message.contains(word), "\(error)") }
        #expect(!error.message.contains("brief"))
        #expect(error.message.contains("othing was stored"))
    }

    @Test("An unsupported version is reported before any other fault, wherever it stands")
    func versionFirst() async throws {
        let service = memoryService()
        for text in [
            #"{"schema_version":99,"things":[1,2]}"#, #"{"things":[1,{"a":"]"}],"schema_version":99}"#,
            #"{"messages":[{"sequence":"a"}],"session":[],"schema_version":99}"#,
            #"{"session":{"new":1},"schema_version":2}"#,
        ] {
            #expect(try await service.refusal(text).code == .unsupportedSchemaVersion)
        }
        for text in [
            #"{"things":1}"#, #"{"things":1,"schema_version":1}"#, #"{"things":1,"schema_version":"x"}"#,
            #"{"things":1,,}"#,
        ] {
            let error = try await service.refusal(text)
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains("things"), "\(error)")
        }
    }

    @Test("Content beyond the limit is refused, even if it is longer than what is read into memory")
    func longContent() async throws {
        let service = memoryService()
        let session = try await service.create(actorName: "a")
        _ = try await service.appendMessage(NewMessage(.user, String(repeating: "é", count: 1 << 20)), to: session.id)
        let document = try await service.document(session.id)
        let small = memoryService(limits: StoreLimits(contentBytes: 1 << 20, metadataBytes: 1000))
        let error = try await small.refusal(document)
        #expect(error.code == .limitExceeded)
        #expect(error.message.contains("content of the message has 2097152 bytes"))
        let smaller = memoryService(limits: StoreLimits(contentBytes: 1000, metadataBytes: 1000))
        let other = try await smaller.refusal(document)
        #expect(other.code == .limitExceeded)
        #expect(other.message.contains("bytes of JSON"))
        // A text without an end that is invalid before the limit is refused as invalid, not as too long.
        let torn = Array(#"{"messages":[{"content":"a" "b"#.utf8) + document
        let torn1 = try await smaller.refusal(torn)
        #expect(torn1.code == .invalidArgument)
    }

    @Test("Duplicated ids are found however many there are, with a bounded number in memory")
    func repeatedIDs() async throws {
        let walker = DocumentWalker.self
        func check(_ ids: [UInt64], capacity: Int) throws(StoreError) {
            let text = "[" + ids.map { "\($0)" }.joined(separator: ",") + "]"
            let flag = CancellationFlag()
            var reading = walker.init(try DocumentBytes(.bytes(Array(text.utf8)), cancellation: flag))
            var repeated = DuplicateIDDetector(capacity: capacity)
            for (index, id) in ids.enumerated() { try repeated.addUnique(ULID(high: 0, low: id), at: index + 1) }
            let document = CheckedDocument(
                start: 0, messages: 0..<text.utf8.count, count: ids.count, header: 0, body: 0)
            try repeated.check(document, &reading, cancellation: flag) { (bytes, place) throws(StoreError) in
                var reader = try FieldReader(bytes, at: place)
                return ULID(high: 0, low: UInt64(try reader.integer()))
            }
        }
        for capacity in [1, 2, 3, 100] {
            try check([1, 2, 3], capacity: capacity)
            try check([], capacity: capacity)
            try check([9, 8, 7, 6, 5, 4, 3, 2, 1], capacity: capacity)
            try check((0..<2000).map { $0 ^ 1 }, capacity: capacity * 20)
            for bad: [UInt64] in [
                [1, 1], [1, 2, 1], [9, 8, 7, 6, 5, 4, 3, 2, 9], [9, 8, 7, 8], [9, 8, 7, 6, 5, 5], [9, 1, 2, 3, 4, 1],
                [9, 5, 4, 3, 2, 5], [2, 1, 3, 4, 5, 3],
            ] {
                let error = #expect(throws: StoreError.self) { try check(bad, capacity: capacity) }
                #expect(error?.message.contains("duplicated") == true)
            }
        }
    }
}
