#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsBackends
import Foundation
import AgentSessionsPostgresServer
import AgentSessionsTestSupport
import Testing

/// Arguments that the tool must refuse, and what its error has to say.
private struct Refusal: Sendable {
    /// `{id}` stands for the id of a session with three messages.
    let arguments: [String]
    let hints: [String]
    let input: [UInt8]

    init(_ arguments: [String], _ hints: String..., input: [UInt8] = []) {
        self.arguments = arguments
        self.hints = hints
        self.input = input
    }

    /// A batch whose second line is this one.
    static func batch(_ line: String, _ hint: String) -> Refusal {
        let fine = #"{"role":"user","content":"fine"}"#
        return Refusal(
            ["append", "{id}", "--batch", "-"], "line 2", hint, input: Array("\(fine)\n\(line)\n\(fine)\n".utf8))
    }
}

/// A store that bad input must leave as it is.
private struct Sample {
    let tool: BuiltTool
    /// The one session, which has three messages.
    let id: String
    /// The same store, open in this process.
    let store: any SessionStore
    let before: [String: String]

    func expectUnharmed(by given: String, _ location: SourceLocation = #_sourceLocation) async throws {
        let now = try await documents(of: store)
        #expect(now == before, "\(given)", sourceLocation: location)
    }
}

@Suite("Bad input to the tool", .timeLimit(.minutes(5)))
struct RefusalTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    private static let absent = "01J9ZK5C8N4V6Q2W3E7R8T9Y0A"
    private static let deep =
        #"{"a":\#(String(repeating: "[", count: 10_000))\#(String(repeating: "]", count: 10_000))}"#

    private static let refusals: [Refusal] = [
        // Names, ids and metadata
        Refusal(["create", "--actor", ""], "actor name is empty"),
        Refusal(["create", "--actor", String(repeating: "x", count: 300)], "300"),
        Refusal(["create", "--actor", "a\u{7}b"], "control character"),
        Refusal(["create", "--actor", "a", "--id", "not-a-ulid"], "ULID"),
        Refusal(["create", "--actor", "a", "--id", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ"], "ULID"),
        Refusal(["create", "--actor", "a", "--id", "{id}"], "alreadyExists"),
        Refusal(["create", "--actor", "a", "--metadata", "[1]"], "object"),
        Refusal(["create", "--actor", "a", "--metadata", deep], "nested"),
        Refusal(["create", "--actor", "a", "--metadata", #"{"a":1,"a":1}"#], "duplicated"),
        Refusal(["create", "--actor", "a", "--metadata", #"{"a":9223372036854775808}"#], "64 bits"),
        Refusal(["create", "--actor", "a", "--metadata", #"{"a":"\ud800"}"#], "surrogate"),
        Refusal(["update", "{id}", "--actor", ""], "actor name is empty"),
        Refusal(["update", "{id}", "--metadata", deep], "nested"),
        // Absent sessions
        Refusal(["show", "nonsense"], "ULID"), Refusal(["show", absent], "notFound"),
        Refusal(["export", absent], "notFound"), Refusal(["delete", absent], "notFound"),
        Refusal(["append", absent, "--role", "user", "--content", "x"], "notFound"),
        Refusal(["usage", absent, "--input", "1", "--output", "1"], "notFound"),
        Refusal(["rewind", absent, "--to", "0"], "notFound"),
        Refusal(["update", absent, "--actor", "x"], "notFound"),
        // Messages
        Refusal(["append", "{id}", "--role", "User", "--content", "x"], "\"User\" is not a role"),
        Refusal(["append", "{id}", "--role", "user", "--content", "x", "--message-id", "x"], "ULID"),
        Refusal(["append", "{id}", "--role", "user", "--content", "x", "--metadata", deep], "nested"),
        Refusal(["append", "{id}", "--role", "user", "--content", "x", "--expect-sequence", "2"], "conflict", "3"),
        Refusal(["append", "{id}", "--role", "user"], "not UTF-8", input: [0x61, 0xFF]),
        Refusal(
            ["append", "{id}", "--role", "user"], "16777216", input: [UInt8](repeating: 0x61, count: (16 << 20) + 1)),
        .batch(#"{"role":"USER","content":"x"}"#, "not a role"),
        .batch(#"{"role":"user","content":"\udc00"}"#, "surrogate"),
        Refusal(
            ["append", "{id}", "--batch", "-"], "twice",
            input: Array(String(repeating: #"{"role":"user","content":"x","id":"\#(absent)"}\#n"#, count: 2).utf8)
        ),
        // Pages
        Refusal(["list", "--limit", "0"], "limit is 0"), Refusal(["list", "--limit", "-3"], "limit is -3"),
        Refusal(["list", "--offset", "-1"], "offset is -1"), Refusal(["list", "--after", "zz"], "cursor"),
        Refusal(["show", "{id}", "--last", "0"], "limit is 0"),
        Refusal(["show", "{id}", "--limit", "-1"], "limit is -1"),
        // Usage and rewind
        Refusal(["usage", "{id}", "--input", "-5", "--output", "1"], "-5 input"),
        Refusal(["usage", "{id}", "--input", "9223372036854775807", "--output", "1"], "input"),
        Refusal(["rewind", "{id}", "--to", "4"], "4"), Refusal(["rewind", "{id}", "--to", "-1"], "-1"),
        Refusal(["rewind", "{id}", "--to", "1", "--expect-sequence", "2"], "conflict"),
        Refusal(["nonsense"], "nonsense"), Refusal(["append", "{id}", "--content", "x"], "--role"),
    ]

    /// Runs `body` with a store that has a session, and checks the store afterwards.
    private func withSample(_ engine: Engine, _ body: (Sample) async throws -> Void) async throws {
        let url = try shop.url(engine)
        let tool = try BuiltTool(on: url)
        try await shop.withStore(url) { store in
            let service = store.makeService()
            let session = try await service.create(actorName: "local/test", metadata: ["half": 0.5])
            try await service.append(
                [
                    NewMessage(.user, "e\u{301} 👩‍👩‍👧‍👦", metadata: ["big": 9_223_372_036_854_775_807, "half": 0.5]),
                    NewMessage(.assistant, "", metadata: ["tool_calls": [["id": "c"]]]),
                    NewMessage(.tool, "42", toolCallID: "c"),
                ], to: session.id, usage: TokenUsage(inputTokens: 1, outputTokens: 2), expectedSequence: nil)
            try await body(
                Sample(
                    tool: tool, id: session.id.description, store: store, before: try await documents(of: store)))
        }
        try await tool.expectSound()
    }

    @Test("Each bad argument has its own error and leaves the store as it was", arguments: Engine.available)
    func badArguments(engine: Engine) async throws {
        try await withSample(engine) { sample in
            for refusal in Self.refusals {
                let arguments = refusal.arguments.map { $0.replacing("{id}", with: sample.id) }
                let given = String(arguments.joined(separator: " ").prefix(100))
                let run = try await sample.tool.run(arguments, input: refusal.input)
                run.expectRefusal(refusal.hints, of: given)
                #expect(!run.errors.contains("fine"), "\(given)")
                try await sample.expectUnharmed(by: given)
            }
        }
    }

    @Test(
        "A cursor of another list, an invalid setting and a value beyond a configured limit are refused",
        arguments: Engine.available)
    func badCursorsAndLimits(engine: Engine) async throws {
        let name = PostgresCluster.freshSchema()
        let tool = try BuiltTool(on: try shop.url(engine, name))
        for actor in ["a", "a", "b", "b"] { _ = try await tool.json("create", "--actor", actor) }
        let page = try await tool.json("list", "--actor", "a", "--limit", "1")
        let cursor = try #require(page["next"]?.stringValue)
        for list in [["list"], ["list", "--actor", "b"]] {
            try await tool.run(list + ["--after", cursor]).expectRefusal("another list")
        }
        let rest = try await tool.json("list", "--actor", "a", "--after", cursor)
        #expect(rest["sessions"]?.arrayValue?.count == 1 && rest["next"] == JSONValue.null)

        let id = try #require(rest["sessions"]?[0]?["id"]?.stringValue)
        let strict = try BuiltTool(on: try shop.url(engine, name, "max_content=4B", "max_batch=1"))
        try await strict.run("append", id, "--role", "user", "--content", "12345").expectRefusal("limitExceeded")
        let batch = String(repeating: "{\"role\":\"user\",\"content\":\"1\"}\n", count: 2)
        try await strict.run("append", id, "--batch", "-", input: Array(batch.utf8)).expectRefusal(
            "more than 1 message:")
        for (setting, hint) in [
            ("colour=red", "\"colour\""), ("migrate=maybe", "require"), ("max_content=0", "max_content"),
        ] {
            let wrong = try BuiltTool(on: try shop.url(engine, name, setting))
            let run = try await wrong.run("append", id, "--role", "user", "--content", "x")
            run.expectRefusal(["invalidArgument", hint], of: setting)
        }
        #expect(try await tool.messages(of: id) == [])
    }

    // MARK: Documents

    @Test(
        "A document that differs from its export is refused, and nothing of it is stored", arguments: Engine.available)
    func editedDocument(engine: Engine) async throws {
        try await withSample(engine) { sample in
            let document = try await sample.tool.run("export", sample.id).text
            func edited(_ old: String, _ new: String) throws -> [UInt8] {
                try #require(document.contains(old))
                return Array(document.replacing(old, with: new).utf8)
            }
            let faults: [(name: String, bytes: [UInt8], hint: String)] = [
                ("truncated", Array(document.utf8.dropLast(40)), "cut short"),
                ("edited", try edited("\"42\"", "\"43\""), "checksumMismatch"),
                ("newer", try edited("\"schema_version\":1", "\"schema_version\":99"), "unsupportedSchemaVersion"),
                ("gap", try edited("\"sequence\":2", "\"sequence\":5"), "sequence"),
                ("duplicate", try edited("\"half\":0.5", "\"half\":0.5,\"half\":0.5"), "duplicated"),
                ("large", try edited("9223372036854775807", "9223372036854775808"), "64 bits"),
                ("latin", try edited("👩‍👩‍👧‍👦", "\u{1}").map { $0 == 1 ? 0xFF : $0 }, "UTF-8"),
                ("surrogate", try edited("👩‍👩‍👧‍👦", "\\ud83d"), "surrogate"),
                ("capitals", try edited("\"role\":\"tool\"", "\"role\":\"Tool\""), "not a role"),
                // A valid document comes first: neither is stored.
                ("second", Array((document + document.dropLast(40)).utf8), "Document 2"),
            ]
            let good = "\(shop.path)/good.json"
            try Data(document.utf8).write(to: URL(filePath: good))
            for (name, bytes, hint) in faults {
                let path = "\(shop.path)/\(name).json"
                try Data(bytes).write(to: URL(filePath: path))
                try await sample.tool.run("import", path).expectRefusal([hint, name], of: name)
                try await sample.expectUnharmed(by: name)
            }
            // A valid file comes first: it is not stored either.
            for (path, hint) in [
                (shop.path, "directory"), ("\(shop.path)/none", "No such file"), ("/dev/null", "not an ordinary file"),
                ("\(shop.path)/edited.json", "checksumMismatch"),
            ] {
                try await sample.tool.run("import", good, path).expectRefusal(hint)
                try await sample.expectUnharmed(by: path)
            }
            for (line, hint) in [(#"{"messages":[{"role":"user""#, "ends"), ("[]", "object")] {
                let path = "\(shop.path)/chat.jsonl"
                let whole = #"{"messages":[{"role":"user","content":"x"}]}"#
                try Data("\(whole)\n\(line)".utf8).write(to: URL(filePath: path))
                try await sample.tool.run("import", "--format", "openai", path).expectRefusal([hint], of: line)
                try await sample.expectUnharmed(by: line)
            }
        }
    }
}
#endif
