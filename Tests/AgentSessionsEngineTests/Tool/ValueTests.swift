#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsTestSupport
import Testing

@Suite("Values that a store must preserve", .timeLimit(.minutes(5)))
struct ValueTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    private static let texts = [
        "", "\0", "a\0b\0", "\u{1}", "\u{1}0", "e\u{301}", "é", "\u{202E}abc\u{2066}", "\u{FFFE}\u{FFFF}",
        "\u{FEFF}mark", "line\r\nline\r\u{85}\u{2028}\u{7F}", "👩‍👩‍👧‍👦\u{10FFFF}", #"\u0000 \x00 \\ '' "$1" %s {} --json"#,
    ]

    /// Five megabytes whose pages differ, so that a swapped page is noticed.
    private static let long = (0..<5300).map { "é日🙏\0 " + String(repeating: "\($0) pages ", count: 90) }.joined()

    @Test("Text of any kind and length comes back unchanged", arguments: Engine.available)
    func text(engine: Engine) async throws {
        let tool = try BuiltTool(on: try shop.url(engine))
        let id = try await tool.createSession()
        // From standard input as it is, and as JSON. A JSON value is equal to one with the same bytes alone.
        var stored: [JSONValue] = []
        for text in [Self.long, "", "a\0b", "\u{FFFE}"] {
            let message = try await tool.json("append", id, "--role", "user", input: Array(text.utf8))
            #expect(message["content"] == .string(text), "\(text.debugDescription.prefix(40))")
            stored.append(message)
        }
        let lines = try Self.texts.map { text in
            try (["role": "user", "content": .string(text)] as JSONObject).losslessText() + "\n"
        }
        let batch = try await tool.json("append", id, "--batch", "-", input: Array(lines.joined().utf8))
        #expect(batch.arrayValue?.map { $0["content"] } == Self.texts.map { .string($0) })
        stored += batch.arrayValue ?? []
        #expect(try await tool.messages(of: id) == stored)
        // As a document, and in another store.
        let document = "\(shop.path)/document.json"
        _ = try await tool.json("export", id, "--output", document)
        let other = try BuiltTool(on: try shop.url(engine))
        let copy = try #require(try await other.json("import", document)["ids"]?[0]?.stringValue)
        #expect(try await other.messages(of: copy).map { $0["content"] } == stored.map { $0["content"] })
        try await other.expectSound()
    }

    @Test(
        "Numbers at both ends of their range, and the text of keys and ids, come back unchanged",
        arguments: Engine.available)
    func numbersKeysAndIDs(engine: Engine) async throws {
        let tool = try BuiltTool(on: try shop.url(engine))
        let metadata = """
            {"":"","\\u0000":"\\u0000","deep":[[{"k":[-0.0,1.0,1,5e-324,1.7976931348623157e+308]}]],"e\\u0301":"\\ufffe",\
            "i":9223372036854775807,"least":-9223372036854775808,"é":null}
            """
        let expected = try JSONParser.parse(metadata)
        let session = try await tool.json("create", "--actor", "e\u{301}/\u{202E}日本", "--metadata", metadata)
        let id = try #require(session["id"]?.stringValue)
        let line = #"{"role":"user","content":"x","tool_call_id":"a\u0000b","metadata":\#(metadata)}"#
        let stored = try await tool.json("append", id, "--batch", "-", input: Array(line.utf8))
        let single = try await tool.json("append", id, "--role", "user", "--content", "x", "--metadata", metadata)
        let most = "\(Int64.max)"
        let used = try await tool.json("usage", id, "--input", most, "--output", most, "--cost", most)
        #expect(used["input_tokens"] == .integer(.max) && used["estimated_cost"] == .integer(.max))
        let document = "\(shop.path)/document.json"
        _ = try await tool.json("export", id, "--output", document)
        let other = try BuiltTool(on: try shop.url(engine))
        let copy = try #require(try await other.json("import", document)["ids"]?[0]?.stringValue)

        #expect(session["metadata"] == expected)
        #expect(stored[0]?["metadata"] == expected && single["metadata"] == expected)
        for (tool, id) in [(tool, id), (other, copy)] {
            let shown = try await tool.json("show", id)
            #expect(shown["session"]?["metadata"] == expected)
            #expect(shown["session"]?["actor_name"] == "e\u{301}/\u{202E}日本")
            #expect(shown["session"]?["output_tokens"] == .integer(.max))
            #expect(shown["messages"]?[0]?["metadata"] == expected && shown["messages"]?[1]?["metadata"] == expected)
            #expect(shown["messages"]?[0]?["tool_call_id"] == "a\0b")
        }
        try await tool.run("usage", id, "--input", "1", "--output", "0").expectRefusal("input")
        #expect(try await tool.json("show", id)["session"]?["input_tokens"] == .integer(.max))
    }
}
#endif
