#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsPostgresServer
import AgentSessionsTestSupport
import Testing

@Suite("Corpus of conversations", .timeLimit(.minutes(5)))
struct CorpusTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    @Test(
        "A corpus that is imported, archived and imported elsewhere keeps every role, content, tool call and number",
        arguments: Engine.available)
    func roundTrip(engine: Engine) async throws {
        let conversations = try Corpus.conversations()
        let messageCount = conversations.reduce(0) { $0 + $1.messages.count }
        let first = try BuiltTool(on: try shop.url(engine))
        let imported = try await first.json("import", "--format", "openai", Corpus.path)
        #expect(imported["sessions"] == .integer(Int64(conversations.count)))
        #expect(imported["messages"] == .integer(Int64(messageCount)))
        let ids = try #require(imported["ids"]?.arrayValue).compactMap(\.stringValue)
        #expect(ids.count == conversations.count)

        let listed = try await sessions(in: first)
        #expect(Set(listed.compactMap { $0["id"]?.stringValue }) == Set(ids) && listed.count == ids.count)
        #expect(listed.reduce(0) { $0 + ($1["message_count"]?.integerValue ?? 0) } == Int64(messageCount))
        let longest = conversations.indices.max { conversations[$0].messages.count < conversations[$1].messages.count }
        for index in [0, longest ?? 0, conversations.count - 1] {
            try await expectTail(of: ids[index], in: first, is: conversations[index])
        }

        let archive = "\(shop.path)/archive.jsonl"
        let second = try BuiltTool(on: try shop.url(engine))
        #expect(try await first.json("export", "--all", "--output", archive)["sessions"] == imported["sessions"])
        let again = try await second.json("import", archive)
        #expect(again["sessions"] == imported["sessions"] && again["messages"] == imported["messages"])
        let (chats, copies) = ("\(shop.path)/chats.jsonl", "\(shop.path)/copies.jsonl")
        _ = try await second.json("export", "--all", "--format", "openai", "--output", chats)
        #expect(counted(try Corpus.lines(of: chats)) == counted(conversations))
        _ = try await second.json("export", "--all", "--output", copies)
        #expect(try await essence(of: copies) == essence(of: archive))
        try await second.expectSound()
    }

    /// Every session of a store, read in pages.
    private func sessions(in tool: BuiltTool) async throws -> [JSONValue] {
        var sessions: [JSONValue] = []
        var options: [String] = []
        while true {
            let page = try await tool.run(["list", "--limit", "70", "--json"] + options).json()
            sessions += try #require(page["sessions"]?.arrayValue)
            guard let next = page["next"]?.stringValue else { return sessions }
            options = ["--after", next]
        }
    }

    private func expectTail(of id: String, in tool: BuiltTool, is conversation: JSONValue) async throws {
        let shown = try await tool.json("show", id, "--last", "20")
        #expect(shown["session"]?["message_count"] == .integer(Int64(conversation.messages.count)))
        let messages = try #require(shown["messages"]?.arrayValue)
        let expected = conversation.messages.suffix(20)
        #expect(messages.count == expected.count)
        for (message, chat) in zip(messages, expected) {
            #expect(message["role"] == chat["role"])
            #expect(message["content"] == (chat["content"] == .null ? "" : chat["content"]))
            #expect(message["metadata"]?["tool_calls"] == chat["tool_calls"])
            #expect(message["tool_call_id"] == chat["tool_call_id"] ?? .null)
        }
        let last = Int64(conversation.messages.count)
        #expect(messages.map { $0["sequence"]?.integerValue } == Array((last - Int64(messages.count) + 1)...last))
    }

    /// An archive without what an import gives out anew, ids, and what follows from that. Quotation marks in texts are
    /// escaped, so that only keys are met.
    private func essence(of archive: String) async throws -> [UInt8] {
        let parts = [
            #""(session_)?id":"[0-9A-Z]{26}""#, #""exported_at":"[^"]*""#, #""checksum":"[0-9a-f]{64}""#,
        ]
        let edits = parts.flatMap { ["-e", "'s/\($0)//g'"] }.joined(separator: " ")
        let outcome = try await Shell.outcome(["sh", "-c", "sed -E \(edits) '\(archive)' | LC_ALL=C sort"])
        #expect(outcome.status == 0 && !outcome.output.isEmpty, "\(outcome.errors)")
        return outcome.output
    }

    /// An archive begins with the newest session, so the order of an import differs and is not compared.
    private func counted(_ values: [JSONValue]) -> [JSONValue: Int] {
        values.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
}

extension JSONValue {
    /// The messages of a conversation.
    fileprivate var messages: [JSONValue] { self["messages"]?.arrayValue ?? [] }
}
#endif
