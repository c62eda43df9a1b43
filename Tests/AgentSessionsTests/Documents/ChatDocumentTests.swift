import AgentSessionsMemory
import AgentSessionsTestSupport
import AgentSessionsThreads
import Testing

@testable import AgentSessions

/// A line without what carries no information: nothing in place of null or no members, where that means the same.
private func informative(_ line: JSONValue) -> JSONValue {
    guard var object = line.objectValue else { return line }
    if object["actor_name"] == .null { object["actor_name"] = nil }
    if object["metadata"] == .null || object["metadata"] == [:] { object["metadata"] = nil }
    object["messages"] = .array(
        (object["messages"]?.arrayValue ?? []).map { message in
            guard var object = message.objectValue else { return message }
            if object["tool_call_id"] == .null { object["tool_call_id"] = nil }
            object["content"] = object["content"] ?? .null
            return .object(object)
        })
    return .object(object)
}

/// Chat lines and metadata that combine the names and values to which the format gives a meaning.
private struct ChatGenerator {
    private static let names = [
        "chat_format", "chat_format", "keys", "values", "metadata", "content", "content_parts", "tool_calls", "role",
        "tool_call_id", "actor_name", "messages", "absent", "a", "e\u{301}", "\u{e9}",
    ]

    var json: JSONGenerator

    init(seed: UInt64) {
        json = JSONGenerator(seed: seed)
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values[json.below(values.count)] }

    mutating func metadata(depth: Int) -> JSONObject {
        JSONObject(members: (0..<json.below(4)).map { _ in (pick(Self.names), value(depth: depth)) })
    }

    private mutating func value(depth: Int) -> JSONValue {
        switch json.below(depth > 0 ? 8 : 5) {
        case 0: return .null
        case 1: return pick(["", "a", "chat/import", "a\nb"])
        case 2: return .array((0..<json.below(3)).map { _ in .string(pick(Self.names)) })
        case 3: return pick([[["type": "text", "text": "a"], "b"], ["a"], [], [["text": 1]]])
        case 4: return json.below(2) == 0 ? .double(json.double()) : .integer(json.integer())
        default: return .object(metadata(depth: depth - 1))
        }
    }

    mutating func line() -> JSONValue {
        var line = metadata(depth: 4)
        line["metadata"] = pick([nil, .null, .object(metadata(depth: 4)), .object(metadata(depth: 4))])
        line["actor_name"] = pick([nil, .null, "a/b", "chat/import"])
        line["messages"] = .array((0..<json.below(4)).map { _ in message() })
        return .object(line)
    }

    private mutating func message() -> JSONValue {
        var message = metadata(depth: 4)
        message["role"] = "user"
        message["content"] = pick([nil, .null, "", "a", ["a"], [], [["type": "image"], ["text": "a"], ["text": "b"]]])
        message["tool_call_id"] = pick([nil, .null, "", "c"])
        return .object(message)
    }

    /// The text of a value, with its members in some order and white space between.
    mutating func text(_ value: JSONValue) -> String { json.looseText(value) }
}

@Suite("Chat documents")
struct ChatDocumentTests {
    static let lines = [
        #"{"messages":[]}"#,
        #"{"actor_name":"a/b","metadata":{"task":1,"reward":0.0},"messages":[{"role":"user","content":"Hi"}]}"#,
        #"{"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"ok","tool_call_id":"c","name":"f"}]}"#,
        #"{"messages":[{"role":"assistant","content":"","tool_calls":[]},{"role":"assistant","tool_calls":[]},{"role":"assistant","content":"x","tool_calls":[]}]}"#,
        #"{"messages":[{"role":"user"},{"role":"user","content":null},{"role":"user","content":""}]}"#,
        #"{"messages":[{"role":"user","content":"x","tool_call_id":null}]}"#,
        #"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}},{"type":"text","text":"b"}]}]}"#,
        #"{"messages":[{"role":"user","content":[]},{"role":"user","content":["a","b"]},{"role":"user","content":[{"text":1}]}]}"#,
        #"{"messages":[{"role":"user","content":"a","content_parts":["a"]},{"role":"user","content":"a","content_parts":["b"]},{"role":"user","content":"a","content_parts":1}]}"#,
        #"{"messages":[{"role":"user","content":["a"],"content_parts":["a"]},{"role":"user","content":["a"],"content_parts":{}},{"role":"user","content_parts":[]},{"role":"user","content_parts":[1]}]}"#,
        #"{"messages":[{"role":"user","content":null,"tool_calls":1,"content_parts":[]}]}"#,
        #"{"messages":[{"role":"user","content":"","chat_format":{"absent":["content"]}},{"role":"user","content":"x","chat_format":{"values":{"content":null}}},{"role":"user","content":"","chat_format":7}]}"#,
        #"{"messages":[{"role":"user","content":"x","chat_format":{"metadata":{"role":1,"content":2,"tool_call_id":3}}},{"role":"user","content":"x","chat_format":{"metadata":{"other":1}}},{"role":"user","content":"x","chat_format":{"metadata":{"role":1,"chat_format":3}}},{"role":"user","content":"","chat_format":{"metadata":{"role":1,"chat_format":{"absent":["content"]}}}}]}"#,
        #"{"messages":[{"role":"user","content":"x","id":"1","session_id":"2","sequence":3,"metadata":{"a":1},"created_at":0,"refusal":null,"logprobs":{"content":[-0.0]}}]}"#,
        #"{"actor_name":"chat/import","messages":[]}"#, #"{"actor_name":null,"messages":[]}"#,
        #"{"metadata":{},"messages":[]}"#, #"{"metadata":null,"messages":[]}"#,
        #"{"tools":[{"type":"function"}],"id":"x","messages":[],"parallel_tool_calls":false}"#,
        #"{"metadata":{"tools":1,"a":2},"tools":[1],"b":3,"messages":[]}"#,
        #"{"metadata":{"chat_format":{"keys":["a"]},"a":1},"messages":[]}"#,
        #"{"metadata":{"chat_format":1},"a":2,"messages":[]}"#,
        #"{"chat_format":{"keys":["a"]},"a":2,"messages":[]}"#,
        #"{"metadata":{"a":2},"chat_format":{"values":{"actor_name":null}},"messages":[]}"#,
        #"{"actor_name":"x","metadata":{"messages":1,"actor_name":2,"metadata":{}},"messages":[]}"#,
        #"{"metadata":{"e\u0301":1,"\u00e9":2},"e\u0301":3,"messages":[]}"#,
    ]

    @Test("An imported chat line is exported unchanged", arguments: lines)
    func line(_ line: String) async throws {
        let service = memoryService()
        let result = try await service.load(line, .openai)
        let out = try await service.document(result.ids[0], .openai)
        #expect(try informative(JSONValue(document: out)) == informative(JSONValue(document: Array(line.utf8))))
        #expect(out.last == UInt8(ascii: "\n"))
        // And through a native document too.
        let native = try await service.load(try await service.document(result.ids[0]))
        #expect(try await service.document(native.ids[0], .openai) == out)
    }

    @Test("Fields and metadata of a chat line are stored where the contract says")
    func mapping() async throws {
        let now = try #require(Timestamp(microseconds: 4_000_000_000_000_000))
        let service = memoryService { now }
        let result = try await service.load(Self.lines.joined(separator: "\n"), .openai)
        #expect(result.ids.count == Self.lines.count)
        let plain = try await service.get(result.ids[1])
        #expect(plain.actorName == "a/b")
        #expect(plain.metadata == ["task": 1, "reward": 0.0])
        #expect(plain.createdAt >= now)
        #expect(plain.updatedAt == plain.createdAt)
        #expect(try await service.allMessages(of: plain.id).map(\.createdAt) == [plain.createdAt])
        #expect(try await service.get(result.ids[0]).actorName == "chat/import")

        let tools = try await service.allMessages(of: result.ids[2])
        #expect(tools[0].content == "")
        #expect(tools[0].metadata.keys == ["tool_calls"])
        #expect(tools[1].toolCallID == "c")
        #expect(tools[1].metadata == ["name": "f"])

        let parts = try await service.allMessages(of: result.ids[6])
        #expect(parts[0].content == "a\nb")
        #expect(parts[0].metadata.keys == ["content_parts"])
        #expect(parts[0].metadata["content_parts"]?.arrayValue?.count == 3)

        #expect(try await service.get(result.ids[18]).metadata["tools"] == [["type": "function"]])
    }

    static let empty: [(String, String)] = [
        (#"{"metadata":{},"messages":[]}"#, #"{"messages":[]}"#),
        (#"{"metadata":null,"messages":[]}"#, #"{"messages":[]}"#),
        (#"{"actor_name":null,"messages":[]}"#, #"{"messages":[]}"#),
        (#" { "messages" : [ ] , "metadata" : { "b":1, "a" : 2 } } "#, #"{"metadata":{"a":2,"b":1},"messages":[]}"#),
        (
            #"{"messages":[{"tool_call_id":null,"content":"x","role":"user"}]}"#,
            #"{"messages":[{"role":"user","content":"x"}]}"#
        ),
        (
            #"{"messages":[{"role":"assistant","tool_calls":[]}]}"#,
            #"{"messages":[{"role":"assistant","content":null,"tool_calls":[]}]}"#
        ),
    ]

    @Test("Empty members of a chat line leave no trace in metadata", arguments: empty)
    func noTrace(_ line: String, _ plain: String) async throws {
        let service = memoryService()
        let ids = try await service.load("\(line)\n\(plain)", .openai).ids
        let out = try await service.document(ids[0], .openai)
        #expect(try await service.document(ids[1], .openai) == out)
        #expect(String(decoding: out, as: UTF8.self) == plain + "\n")
        for id in ids {
            #expect(try await service.get(id).metadata["chat_format"] == nil)
            #expect(try await service.allMessages(of: id).allSatisfy { $0.metadata["chat_format"] == nil })
        }
    }

    /// A line, the metadata that its session has, and that of its message.
    static let own: [(String, JSONObject, JSONObject)] = [
        (
            #"{"metadata":{"chat_format":"mine","a":1},"messages":[{"role":"user","content":"x","chat_format":[1]}]}"#,
            ["chat_format": "mine", "a": 1], ["chat_format": [1]]
        ),
        (
            #"{"metadata":{"chat_format":"mine","a":1},"b":2,"messages":[{"role":"user","chat_format":[1]}]}"#,
            ["chat_format": ["keys": ["b"], "values": ["metadata": ["chat_format": "mine"]]], "a": 1, "b": 2],
            ["chat_format": ["content": nil, "chat_format": [1]]]
        ),
        (
            #"{"metadata":{"a":1},"chat_format":3,"a":2,"messages":[{"role":"user","content":"","chat_format":{"content":null}}]}"#,
            ["chat_format": ["values": ["chat_format": 3, "a": 2]], "a": 1],
            ["chat_format": ["chat_format": ["content": nil]]]
        ),
    ]

    @Test("A line that uses the name of our own marker gets its member back", arguments: own.indices)
    func ownMember(_ index: Int) async throws {
        let (line, session, message) = Self.own[index]
        let service = memoryService()
        let id = try await service.load(line, .openai).ids[0]
        #expect(try await service.get(id).metadata == session)
        #expect(try await service.allMessages(of: id)[0].metadata == message)
        let out = try JSONValue(document: try await service.document(id, .openai))
        #expect(try informative(out) == informative(JSONValue(document: Array(line.utf8))))
    }

    @Test("Generated chat lines survive import and export, through a native document too", arguments: 0..<20)
    func generated(_ seed: Int) async throws {
        var generator = ChatGenerator(seed: UInt64(seed))
        let service = memoryService()
        let lines = (0..<40).map { _ in generator.line() }
        let written = lines.map { generator.text($0) }.joined(separator: "\n")
        let result = try await service.load(written, .openai)
        for (line, id) in zip(lines, result.ids) {
            let out = try await service.document(id, .openai)
            // Numbers are the same if their texts are.
            #expect(informative(try JSONValue(document: out)).lossless == informative(line).lossless)
            let native = try await service.load(try await service.document(id))
            #expect(try await service.document(native.ids[0], .openai) == out)
            let again = try await service.load(out, .openai)
            #expect(try await Essence(service, again.ids[0]).metadata == Essence(service, id).metadata)
        }
    }

    @Test("Generated metadata of an application survives export and import", arguments: 0..<20)
    func generatedMetadata(_ seed: Int) async throws {
        var generator = ChatGenerator(seed: UInt64(seed))
        let service = memoryService()
        for round in 0..<40 {
            let actor = round.isMultiple(of: 2) ? "chat/import" : "a/b"
            let metadata = generator.metadata(depth: 3)
            let session = try await service.create(actorName: actor, metadata: metadata)
            let messages = (0..<4).map { _ in
                NewMessage(
                    .user, ["", "a", "a\nb"][generator.json.below(3)],
                    toolCallID: generator.json.below(2) == 0 ? nil : "c", metadata: generator.metadata(depth: 3))
            }
            _ = try await service.append(messages, to: session.id)
            let out = try await service.document(session.id, .openai)
            let id = try await service.load(out, .openai).ids[0]
            #expect(try await service.get(id).metadata == metadata)
            #expect(try await service.get(id).actorName == actor)
            let stored = try await service.allMessages(of: id)
            #expect(stored.map(\.content) == messages.map(\.content))
            #expect(stored.map(\.toolCallID) == messages.map(\.toolCallID))
            #expect(stored.map(\.metadata) == messages.map(\.metadata))
        }
    }

    @Test("Markers within markers, as deep as metadata may be, are handled quickly")
    func nested() async throws {
        var own: [JSONValue] = [1, 1, 1]
        for _ in 0..<20 {
            own = [
                ["values": ["metadata": ["chat_format": own[0]]]], ["chat_format": own[1]],
                ["metadata": ["role": 1, "chat_format": ["chat_format": own[2]]]],
            ]
        }
        let line: JSONValue = [
            "metadata": ["chat_format": own[0]],
            "messages": .array(
                own.dropFirst().map { ["role": "user", "content": "", "chat_format": $0] }
                    + [["role": "user", "content": "", "chat_format": ["chat_format": own[2]]]]),
        ]
        let service = memoryService()
        let start = ContinuousClock.now
        let id = try await service.load(line.lossless, .openai).ids[0]
        #expect(try JSONValue(document: try await service.document(id, .openai)) == line)
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("Tens of thousands of keys are merged quickly, or refused for their size", arguments: [0, 20_000])
    func manyKeys(_ shift: Int) async throws {
        func members(_ numbers: Range<Int>) -> String {
            numbers.map { #""k\#($0)":\#($0 % 7)"# }.joined(separator: ",")
        }
        let service = memoryService()
        let start = ContinuousClock.now
        // With a shift of 0 each key is there twice.
        let line = #"{"metadata":{\#(members(0..<20_000))},\#(members(shift..<shift + 20_000)),"messages":[]}"#
        let id = try await service.load(line, .openai).ids[0]
        #expect(try await service.get(id).metadata.count == 20_001 + shift)
        let out = try await service.document(id, .openai)
        #expect(try JSONValue(document: out) == JSONValue(document: Array(line.utf8)))
        let large = #"{"metadata":{\#(members(0..<50_000))},\#(members(shift..<shift + 50_000)),"messages":[]}"#
        let error = try await service.refusal(large, .openai)
        #expect(error.code == .limitExceeded && error.message.contains("together"), "\(error)")
        // This once took minutes.
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test("A native document in a chat import is refused by name, whatever the order of its keys")
    func nativeDocument() async throws {
        let service = memoryService()
        let session = try await service.sample()
        let native = try await service.document(session.id)
        for document in [
            native, Array(#"{"checksum":"x","messages":[],"schema_version":1}"#.utf8),
            Array(#"{"messages":[],"a":1,"checksum":null,"schema_version":2}"#.utf8),
        ] {
            let error = try await service.refusal(document, .openai)
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains("--format native"), "\(error)")
        }
        _ = try await service.load(#"{"messages":[],"schema_version":1}"#, .openai)
        _ = try await service.load(#"{"messages":[],"metadata":{"schema_version":1,"checksum":"x"}}"#, .openai)
    }

    static let metadata: [JSONObject] = [
        ["role": "x", "content": 1, "tool_call_id": nil, "a": 1], ["content_parts": ["other"]],
        ["chat_format": ["metadata": 1], "role": 1], ["role": 1, "chat_format": 5],
    ]

    @Test("Metadata of an application survives the chat format", arguments: metadata)
    func ownMetadata(_ metadata: JSONObject) async throws {
        let service = memoryService()
        let session = try await service.create(actorName: "a", metadata: metadata)
        _ = try await service.appendMessage(NewMessage(.user, "x", toolCallID: "c", metadata: metadata), to: session.id)
        let out = try await service.document(session.id, .openai)
        let result = try await service.load(out, .openai)
        #expect(try await service.allMessages(of: result.ids[0])[0].metadata == metadata)
        #expect(try await service.document(result.ids[0], .openai) == out)
    }

    static let forged: [JSONObject] = [
        ["chat_format": ["values": ["messages": 1]]], ["chat_format": ["values": ["actor_name": "z"]]],
        ["chat_format": ["values": ["metadata": ["a": 1]]]], ["chat_format": ["values": ["tools": 1]]],
        ["chat_format": ["keys": ["checksum", "schema_version"]], "checksum": 1, "schema_version": 1],
        ["chat_format": ["keys": ["nothing"]]], ["chat_format": ["keys": ["messages"]], "messages": 1],
        ["chat_format": ["keys": [1]]], ["chat_format": ["other": 1]], ["chat_format": ["values": 1]],
        ["chat_format": ["absent": 1]], ["chat_format": ["values": ["content": 5]]],
        ["chat_format": ["values": ["tool_call_id": nil]]], ["chat_format": ["values": ["chat_format": 1]], "role": 2],
        ["chat_format": ["values": ["content_parts": 1]], "content_parts": ["z"]], ["chat_format": [:]],
    ]

    @Test("A marker that no import made is exported as plain metadata, and nothing is lost", arguments: forged)
    func forgedMarker(_ metadata: JSONObject) async throws {
        let service = memoryService()
        // The last ones are not markers of a message, but of a session.
        let isOfSession = metadata["role"] != nil || metadata["content_parts"] != nil
        let session = try await service.create(actorName: "a", metadata: isOfSession ? ["a": 1] : metadata)
        _ = try await service.appendMessage(NewMessage(.user, "x", toolCallID: "c", metadata: metadata), to: session.id)
        let out = try await service.document(session.id, .openai)
        let value = try JSONValue(document: out)
        #expect(value["metadata"] == (isOfSession ? ["a": 1] : .object(metadata)))
        #expect(value["messages"]?[0]?["content"] == "x")
        let result = try await service.load(out, .openai)
        #expect(try await service.document(result.ids[0], .openai) == out)
    }

    static let refused: [(String, StoreError.Code, String)] = [
        (#"{}"#, .invalidArgument, "no \"messages\""),
        (#"[]"#, .invalidArgument, "JSON object"), (#"{"messages":{}}"#, .invalidArgument, "is an array"),
        (#"{"messages":[],"messages":[]}"#, .invalidArgument, "duplicated"),
        (#"{"messages":[],"a":1,"a":1}"#, .invalidArgument, "duplicated"),
        (#"{"messages":[],"metadata":{},"metadata":{}}"#, .invalidArgument, "duplicated"),
        (#"{"messages":[],"actor_name":"a","actor_name":"a"}"#, .invalidArgument, "duplicated"),
        (#"{"messages":[],"metadata":[]}"#, .invalidArgument, "not an object"),
        (#"{"messages":[],"actor_name":1}"#, .invalidArgument, "a string"),
        (#"{"messages":[],"actor_name":""}"#, .invalidArgument, "empty"),
        (#"{"messages":[],"a":9223372036854775808}"#, .invalidArgument, "64 bits"),
        (#"{"messages":[{"content":"x"}]}"#, .invalidArgument, "message 1: it has no \"role\""),
        (#"{"messages":[{"role":"User","content":"x"}]}"#, .invalidArgument, "not a role"),
        (#"{"messages":[{"role":"user","content":1}]}"#, .invalidArgument, "a string, null or an array"),
        (#"{"messages":[{"role":"user","content":{}}]}"#, .invalidArgument, "a string, null or an array"),
        (#"{"messages":[{"role":"user","tool_call_id":1}]}"#, .invalidArgument, "a string"),
        (#"{"messages":[{"role":"user","role":"user"}]}"#, .invalidArgument, "duplicated"),
        (#"{"messages":[{"role":"user","content":null,"content":null}]}"#, .invalidArgument, "duplicated"),
        (#"{"messages":[{"role":"user","tool_call_id":null,"tool_call_id":null}]}"#, .invalidArgument, "duplicated"),
        (#"{"messages":[{"role":"user","x":1,"x":1}]}"#, .invalidArgument, "duplicated"),
        (#"{"messages":[{"role":"user","x":{"y":1,"y":1}}]}"#, .invalidArgument, "duplicated"),
        (#"{"messages":[{"role":"user","x":12345678901234567890}]}"#, .invalidArgument, "64 bits"),
        (#"{"messages":[{"role":"user","content":"\udc00"}]}"#, .invalidArgument, "surrogate"),
        (#"{"messages":[{"role":"user","content":"x"}"#, .invalidArgument, "ends in the middle"),
        (#"{"messages":[]} {"messages":[1]}"#, .invalidArgument, "Document 2"),
        (
            #"{"messages":[{"role":"user","content":""# + String(repeating: "a", count: 20_000) + #""}]}"#,
            .limitExceeded, "content"
        ),
        (
            #"{"messages":[{"role":"user","tool_call_id":""# + String(repeating: "a", count: 300) + #""}]}"#,
            .limitExceeded, "tool call id"
        ),
        (
            #"{"messages":[{"role":"user","x":""# + String(repeating: "a", count: 2000) + #""}]}"#, .limitExceeded,
            "too large"
        ),
        (#"{"messages":[],"x":""# + String(repeating: "a", count: 2000) + #""}"#, .limitExceeded, "too large"),
        (
            #"{"messages":[],"x":""# + String(repeating: "a", count: 50_000) + #"","y":""#
                + String(repeating: "a", count: 50_000) + #""}"#, .limitExceeded, "keys beside messages"
        ),
    ]

    @Test("Bad chat lines are refused, and nothing is stored", arguments: refused.indices)
    func refusedLine(_ index: Int) async throws {
        let (line, code, words) = Self.refused[index]
        let service = memoryService(limits: StoreLimits(contentBytes: 10_000, metadataBytes: 1000))
        let error = try await service.refusal(line, .openai)
        #expect(error.code == code, "\(error)")
        #expect(error.message.contains(words), "\(error)")
    }

    @Test(
        "Two hundred real conversations survive import and export",
        .enabled(if: RecordedConversations.path != nil, "the recorded conversations are not here"))
    func corpus() async throws {
        let path = try #require(RecordedConversations.path)
        let service = memoryService()
        let result = try await service.importSessions(.file(path: path), format: .openai, options: ImportOptions())
        #expect(result.ids.count == 200)
        #expect(result.messages == 5308)
        let source = try DocumentBytes(.file(path: path), cancellation: CancellationFlag())
        var bytes = [UInt8](repeating: 0, count: source.count)
        _ = try bytes.withUnsafeMutableBytes { (buffer) throws(StoreError) in try source.read(at: 0, into: buffer) }
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 200)
        for (line, id) in zip(lines, result.ids) {
            let out = try await service.document(id, .openai)
            #expect(
                try LosslessJSON.encode(JSONValue(document: Array(line)))
                    == LosslessJSON.encode(JSONValue(document: out)))
        }
    }
}
