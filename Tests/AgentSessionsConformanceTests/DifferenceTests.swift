import AgentSessions
import AgentSessionsConformance
import Testing

@Suite("What a failure says of two values that differ")
struct DifferenceTests {
    /// What a scenario says where these are not the same.
    private func message<Value: Equatable & Sendable>(_ actual: Value, _ expected: Value) async -> String {
        await message { $0.expect(actual, equals: expected, "it") }
    }

    private func message(_ body: @escaping @Sendable (ScenarioContext) -> Void) async -> String {
        await ConformanceRunner(memoryStores).run(
            Scenario("test.one", .errors, "0", "A rule.", layers: [.repository]) { test in body(test) }
        ).message
    }

    private func messages(_ contents: [String]) throws -> [SessionMessage] {
        let session = try ULID(parsing: "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        return contents.enumerated().map { index, content in
            SessionMessage(
                id: session, sessionID: session, sequence: index + 1, role: .user, content: content,
                createdAt: .earliest)
        }
    }

    @Test("A record is told by the fields that differ")
    func fields() async throws {
        let id = try ULID(parsing: "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        let session = Session(id: id, actorName: "a", createdAt: .earliest, updatedAt: .earliest)
        var other = session
        other.messageCount = 3
        other.usage.inputTokens = 7
        #expect(
            await message(other, session)
                == "it: messageCount: expected 0, found 3; usage.inputTokens: expected 0, found 7")
        let optional: Session? = session
        #expect(await message(nil, optional).hasPrefix("it: expected Optional("))
    }

    @Test("A list is told by the first element that differs, and by its length")
    func lists() async throws {
        let three = try messages(["one", "two", "three"])
        var changed = three
        changed[1] = try messages(["", "zwei"])[1]
        #expect(await message(changed, three) == "it: [1].content: expected \"two\", found \"zwei\"")
        #expect(
            await message(Array(three.dropLast()), three).hasPrefix("it: expected 3 elements, found 2; missing: "))
        #expect(await message([1, 2, 4], [1, 2, 3]) == "it: [2]: expected 3, found 4")
    }

    @Test("Texts that look alike are told by their bytes, those of long texts where they part")
    func texts() async {
        #expect(await message("abd", "abc") == "it: expected \"abc\", found \"abd\"")
        let composed = await message("e\u{301}", "\u{E9}")
        #expect(composed.contains("(c3 a9, 2 bytes)") && composed.contains("(65 cc 81, 3 bytes)"), "\(composed)")
        let blank = await message("abc ", "abc")
        #expect(blank == "it: from byte 3 on: expected \"abc\" (the end, 3 bytes), found \"abc \" (20, 4 bytes)")
        #expect(await message("Abc", "abc").contains("61 62 63"))
        let long = String(repeating: "x", count: 100_000)
        let far = await message(long + "a" + long, long + "b" + long)
        #expect(far.contains("from byte 100000 on") && far.contains("200001 bytes") && far.utf8.count < 400, "\(far)")
    }

    @Test("Texts are compared by their bytes, where == takes some for equal")
    func bytes() async {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        #expect(composed == decomposed)
        #expect(await message { $0.expect(composed, equals: decomposed, "it") } != "")
        #expect(await message { $0.expect([composed], equals: [decomposed], "it") } != "")
        #expect(await message { $0.expect(Optional(composed), equals: Optional(decomposed), "it") } != "")
        #expect(await message { $0.expect(Optional("a"), equals: nil, "it") } != "")
        #expect(await message { $0.expect(composed, equals: "\u{E9}", "it") } == "")
        #expect(!composed.isSame(as: decomposed) && composed.isSame(as: "\u{E9}"))
    }

    @Test("Metadata is told by its members")
    func metadata() async {
        let expected: JSONObject = ["a": 1, "b": ["c": [1, 2.5]], "d": "x"]
        let found: JSONObject = ["a": 1.0, "b": ["c": [1, 2]], "e": "x"]
        let message = await message(found, expected)
        #expect(message.contains("[b][c][1]: expected") && message.contains("[d]: missing"), "\(message)")
        #expect(message.contains("[a]: expected integer(1), found double(1.0)"), "\(message)")
        #expect(message.contains("[e]: too many"), "\(message)")
    }

    @Test("No more than some fields are told of")
    func limits() async {
        let expected = JSONObject(members: (10..<40).map { ("k\($0)", JSONValue.integer(0)) })
        let found = JSONObject(members: (10..<40).map { ("k\($0)", JSONValue.integer(1)) })
        let message = await message(found, expected)
        #expect(message.contains("and 25 more differences") && !message.contains("k16"), "\(message)")
    }
}
