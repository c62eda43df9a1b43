#if SQLite
import AgentSessions
import AgentSessionsTestSupport
import Testing

@testable import agent_sessions

@Suite("Message verbs")
struct MessageCommandTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test("The append verb prints the stored message with the keys of the contract")
    func append() async throws {
        let id = try await bench.session()
        let stored = try await bench.append(
            id, "tool", "42", "--tool-call-id", "call-1", "--metadata", #"{"x":1.0}"#, "--message-id",
            "01J9ZK5C8N4V6Q2W3E7R8T9Y0A", "--expect-sequence", "0")
        let keys = ["content", "created_at", "id", "metadata", "role", "sequence", "session_id", "tool_call_id"]
        #expect(stored.objectValue?.keys == keys)
        #expect(stored["id"] == "01J9ZK5C8N4V6Q2W3E7R8T9Y0A" && stored["session_id"] == .string(id))
        #expect(stored["sequence"] == 1 && stored["role"] == "tool" && stored["content"] == "42")
        #expect(stored["tool_call_id"] == "call-1")
        #expect(try stored["metadata"]?.objectValue?.losslessText() == #"{"x":1.0}"#)
        #expect(try await bench.append(id, "user", "x")["tool_call_id"] == JSONValue.null)
    }

    @Test("The append verb says in its text output what was stored")
    func appendText() async throws {
        let id = try await bench.session()
        let result = try await bench.run("append", id, "--role", "user", "--content", "hi")
        #expect(result.text.hasPrefix("Stored message ") && result.text.hasSuffix("as sequence 1 of \(id).\n"))
    }

    @Test(
        "Content survives the append and show verbs byte for byte",
        arguments: [
            "", "a\0b", "e\u{301}", "é", "\u{202E}abc\u{2066}", "\u{FFFE}\u{FFFF}", "line\nline\r\n", "--json",
            "--help",
            "-5", "👩‍👩‍👧‍👦", String(repeating: "0123456789abcdef", count: 5 << 16),
        ])
    func content(_ text: String) async throws {
        let id = try await bench.session()
        let stored = try await bench.run("append", id, "--role", "user", "--json", input: Array(text.utf8)).json()
        #expect(stored["content"]?.stringValue?.utf8.elementsEqual(text.utf8) == true)
        if !text.utf8.contains(0), text.utf8.count < 1000 {
            #expect(
                try await bench.append(id, "user", text)["content"]?.stringValue?.utf8.elementsEqual(text.utf8) == true)
        }
        let shown = try await bench.show(id)
        #expect(shown["messages"]?[0]?["content"]?.stringValue?.utf8.elementsEqual(text.utf8) == true)
    }

    @Test("Content on standard input that is too long or not UTF-8 is refused")
    func badContent() async throws {
        let id = try await bench.session()
        try await bench.run("append", id, "--role", "user", input: [0x61, 0xFF]).expectRefusal("not UTF-8")
        let long = [UInt8](repeating: 0x61, count: (16 << 20) + 1)
        try await bench.run("append", id, "--role", "user", input: long).expectRefusal("16777216")
        let small = ["--store", bench.store() + "?max_content=4B", "append", id, "--role", "user"]
        try await bench.run(small, input: Array("12345".utf8)).expectRefusal("limitExceeded")
        try await bench.run(small + ["--content", "12345"]).expectRefusal("limitExceeded")
        #expect(try await bench.show(id)["messages"] == [])
    }

    @Test(
        "The append verb refuses an invalid message",
        arguments: [
            (["--role", "User", "--content", "x"], "\"User\" is not a role"),
            (["--role", "", "--content", "x"], "role"),
            (["--content", "x"], "--role"), (["--role", "user", "--content", "x", "--metadata", "[]"], "object"),
            (["--role", "user", "--content", "x", "--message-id", "x"], "ULID"),
            (["--role", "user", "--content", "x", "--tool-call-id", String(repeating: "x", count: 256)], "256"),
            (["--role", "user", "--content", "x", "--expect-sequence", "7"], "conflict"),
            (["--role", "user", "--batch", "x"], "--batch"), (["--role", "user", "--content"], "--content"),
            (["--role", "user", "--content", "x", "--expect-sequence", "x"], "expect-sequence"),
        ])
    func appendRefused(_ options: [String], _ hint: String) async throws {
        let id = try await bench.session()
        try await bench.run(["--store", bench.store(), "append", id] + options).expectRefusal(hint, [1, 64])
        #expect(try await bench.show(id)["session"]?["message_count"] == 0)
    }

    @Test("A replayed append gives the original and changes nothing, and another payload is a conflict")
    func replay() async throws {
        let id = try await bench.session()
        let key = "01J9ZK5C8N4V6Q2W3E7R8T9Y0A"
        let first = try await bench.append(id, "user", "x", "--message-id", key)
        #expect(try await bench.append(id, "user", "x", "--message-id", key) == first)
        try await bench.run("append", id, "--role", "user", "--content", "y", "--message-id", key).expectRefusal(
            "conflict")
        #expect(try await bench.show(id)["session"]?["message_count"] == 1)
    }

    @Test("A batch is stored whole and in order, from a file and from standard input", arguments: [true, false])
    func batch(_ fromFile: Bool) async throws {
        let id = try await bench.session()
        let lines = #"""
            {"role":"user","content":"a\u0000b"}
            {"role":"assistant","content":"","metadata":{"tool_calls":[{"id":"c"}],"x":-0.0},"id":"01J9ZK5C8N4V6Q2W3E7R8T9Y0A"}
            {"tool_call_id":"c","role":"tool","content":"42","metadata":null}
            {"id":null,"role":"assistant","content":"done","tool_call_id":null}
            """#
        let file = try bench.file("batch.jsonl", lines.utf8)
        let stored = try await bench.run(
            "append", id, "--batch", fromFile ? file : "-", "--expect-sequence", "0", "--json",
            input: fromFile ? [] : Array((lines + "\n").utf8)
        ).json()
        #expect(stored.arrayValue?.map { $0["sequence"] } == [1, 2, 3, 4])
        #expect(stored[0]?["content"] == "a\0b")
        #expect(stored[1]?["id"] == "01J9ZK5C8N4V6Q2W3E7R8T9Y0A")
        #expect(stored[2]?["tool_call_id"] == "c")
        #expect(try await bench.show(id)["messages"] == stored)
        let text = try await bench.run(
            "append", id, "--batch", "-",
            input: Array(lines.split(separator: "\n")[0].utf8 + [10] + lines.split(separator: "\n")[2].utf8))
        #expect(text.text == "Stored 2 messages as sequences 5 to 6 of \(id).\n")
    }

    @Test("Blank lines of a batch are skipped, but count as lines")
    func blankLines() async throws {
        let id = try await bench.session()
        let line = #"{"role":"user","content":"x"}"#
        let text = "\n\(line)\r\n\r\n \t \n\n\(line)\n\n \n"
        let store = bench.store() + "?max_batch=2"
        let stored = try await bench.run(
            ["--store", store, "append", id, "--batch", "-", "--json"], input: Array(text.utf8)
        ).json()
        #expect(stored.arrayValue?.map { $0["sequence"] } == [1, 2])
        try await bench.run("append", id, "--batch", "-", input: Array("\n\n{}\n".utf8)).expectRefusal("line 3")
        try await bench.run("append", id, "--batch", "-", input: Array("\n \n".utf8)).expectRefusal("batch is empty")
    }

    @Test(
        "A batch with an invalid line is refused with its number and stores nothing",
        arguments: [
            (#"{"role":"user"}"#, "no role or no content"), (#"{"content":"x"}"#, "no role or no content"),
            (#"{"role":"user","content":"x","colour":1}"#, "\"colour\""),
            (#"{"role":"user","content":1}"#, "not a string"),
            (#"{"role":"User","content":"x"}"#, "\"User\""), (#"{"role":"user","content":"x","id":"1"}"#, "ULID"),
            (#"{"role":"user","content":"x","metadata":[]}"#, "not an object"),
            (#"{"role":"user","content":"x","metadata":{"a":1,"a":2}}"#, "duplicated"),
            (#"{"role":"user","role":"user","content":"x"}"#, "duplicated"), ("[]", "object"), ("\u{A0}", "JSON"),
            ("nonsense", "JSON"),
            (#"{"role":"user","content":"x"} {}"#, "follows"), (#"{"role":"user","content":"\ud800"}"#, "surrogate"),
            (#"{"role":"user","content":"x","metadata":{"n":99999999999999999999}}"#, "64 bits"),
        ])
    func batchRefused(_ line: String, _ hint: String) async throws {
        let id = try await bench.session()
        let text = "{\"role\":\"user\",\"content\":\"fine\"}\n\(line)\n{\"role\":\"user\",\"content\":\"fine\"}\n"
        let result = try await bench.run("append", id, "--batch", bench.file("b.jsonl", text.utf8))
        result.expectRefusal("line 2")
        result.expectRefusal(hint)
        #expect(try await bench.show(id)["session"]?["message_count"] == 0)
    }

    @Test("A batch that is too large, empty, a directory, absent or not UTF-8 is refused")
    func batchBounds() async throws {
        let id = try await bench.session()
        let line = "{\"role\":\"user\",\"content\":\"x\"}\n"
        let store = bench.store() + "?max_batch=2"
        let three = try bench.file("three.jsonl", String(repeating: line, count: 3).utf8)
        try await bench.run(["--store", store, "append", id, "--batch", three]).expectRefusal("more than 2 messages")
        try await bench.run("append", id, "--batch", bench.file("empty.jsonl", [])).expectRefusal("batch is empty")
        try await bench.run("append", id, "--batch", bench.path).expectRefusal("directory")
        try await bench.run("append", id, "--batch", bench.path("none.jsonl")).expectRefusal("No such file")
        let bytes = Array("{\"role\":\"user\",\"content\":\"".utf8) + [0xFF] + Array("\"}".utf8)
        try await bench.run("append", id, "--batch", bench.file("latin.jsonl", bytes)).expectRefusal("UTF-8")
        let deep = "{\"role\":\"user\",\"content\":\"x\",\"metadata\":{\"a\":" + String(repeating: "[", count: 10_000)
        try await bench.run("append", id, "--batch", bench.file("deep.jsonl", deep.utf8)).expectRefusal("nested")
        let twice = "{\"role\":\"user\",\"content\":\"x\",\"id\":\"01J9ZK5C8N4V6Q2W3E7R8T9Y0A\"}\n"
        try await bench.run("append", id, "--batch", bench.file("twice.jsonl", (twice + twice).utf8)).expectRefusal(
            "twice")
        let limits = StoreLimits(contentBytes: 10, metadataBytes: 10)
        let error = #expect(throws: StoreError.self) {
            try BatchFile(limits: limits).messages(
                bench.file("long.jsonl", String(repeating: " ", count: 4000).utf8), console: .process)
        }
        #expect(error?.code == .limitExceeded)
        #expect(try await bench.show(id)["session"]?["message_count"] == 0)
    }

    @Test("The show verb gives all messages, the last ones, or a range")
    func show() async throws {
        let id = try await bench.session()
        for number in 1...6 { try await bench.append(id, "user", "\(number)") }
        func sequences(_ options: String...) async throws -> [JSONValue?]? {
            try await bench.run(["--store", bench.store(), "--json", "show", id] + options).json()["messages"]?
                .arrayValue?
                .map { $0["sequence"] }
        }
        #expect(try await sequences() == [1, 2, 3, 4, 5, 6])
        #expect(try await sequences("--last", "2") == [5, 6])
        #expect(try await sequences("--limit", "2", "--offset", "1") == [2, 3])
        #expect(try await sequences("--limit", "2") == [1, 2])
        #expect(try await sequences("--offset", "4") == [5, 6])
        #expect(try await sequences("--offset", "9") == [])
        #expect(try await bench.show(id)["session"]?["message_count"] == 6)
        for (options, hint) in [
            (["--last", "0"], "limit is 0"), (["--last", "-1"], "limit is -1"), (["--limit", "0"], "limit is 0"),
            (["--offset", "-1"], "-1"), (["--limit", "1", "--offset", "-1"], "-1"), (["--limit", "10001"], "10001"),
            (["--last", "1", "--limit", "1"], "one or the other"),
            (["--last", "1", "--offset", "1"], "one or the other"),
        ] {
            try await bench.run(["--store", bench.store(), "show", id] + options).expectRefusal(hint, [1, 64])
        }
    }

    @Test("The show verb prints speakers and tool calls, and makes control characters visible")
    func showText() async throws {
        let id = try await bench.session("evil\u{202E}x")
        try await bench.append(id, "user", "two\nlines \u{1B}[31m")
        try await bench.append(
            id, "assistant", "", "--metadata",
            #"{"name":"bob","tool_calls":[{"id":"c1","function":{"name":"find","arguments":"{\"a\":1}"}},{"type":"odd"},{"function":{"name":"g"}},{"function":{"name":"h","arguments":{"b":2}}}],"n":1}"#
        )
        try await bench.append(id, "tool", "42", "--tool-call-id", "c1")
        let text = try await bench.run("show", id).text
        #expect(text.contains(#"actor     evil\u{202E}x"#))
        #expect(text.contains("    two\n    lines \\u{1B}[31m\n"))
        #expect(text.contains("#2  assistant bob  "))
        #expect(text.contains(#"    → find({"a":1})  (c1)"#))
        #expect(text.contains(#"    → {"type":"odd"}"#))
        #expect(text.contains("    → g()"))
        #expect(text.contains(#"    → h({"b":2})"#))
        #expect(text.contains(#"    metadata {"n":1}"#))
        #expect(text.contains("#3  tool  (answers c1)"))
        #expect(!text.unicodeScalars.contains("\u{1B}") && !text.unicodeScalars.contains("\u{202E}"))
        #expect(try await bench.run("show", id, "--last", "1").text.contains("\n\n#3  tool"))
    }
}
#endif
