#if SQLite
import AgentSessions
import AgentSessionsTestSupport
import Testing

@testable import agent_sessions

@Suite("Session verbs")
struct SessionCommandTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test("The create verb prints the session with the keys of the contract")
    func create() async throws {
        let metadata = #"{"a":1.0,"big":9223372036854775807,"least":-9223372036854775808,"é":null}"#
        let made = try await bench.run("create", "--actor", "local/é", "--metadata", metadata, "--json").json()
        let keys = [
            "actor_name", "created_at", "estimated_cost", "id", "input_tokens", "message_count", "metadata",
            "output_tokens", "updated_at",
        ]
        #expect(made.objectValue?.keys == keys)
        #expect(made["actor_name"] == "local/é")
        #expect(made["message_count"] == 0)
        #expect(try made["metadata"]?.objectValue?.losslessText() == metadata)
        let time = try #require(made["created_at"]?.stringValue)
        #expect(time.count == 27 && time.hasSuffix("Z"))
        #expect(made["updated_at"] == .string(time))
    }

    @Test("The create verb accepts an id once")
    func createWithID() async throws {
        let id = "01J9ZK5C8N4V6Q2W3E7R8T9Y0A"
        let made = try await bench.run("create", "--actor", "a", "--id", id, "--json").json()
        #expect(made["id"] == .string(id))
        try await bench.run("create", "--actor", "a", "--id", id).expectRefusal("alreadyExists")
    }

    @Test("The create verb prints a line for each field without --json")
    func createText() async throws {
        let result = try await bench.run("create", "--actor", "local/x", "--metadata", #"{"k":"v"}"#)
        #expect(result.status == 0)
        #expect(result.text.contains("actor     local/x\n"))
        #expect(result.text.contains(#"metadata  {"k":"v"}"#))
    }

    @Test(
        "The create verb refuses an invalid session",
        arguments: [
            (["--actor", ""], "The actor name is empty"), (["--actor", String(repeating: "x", count: 300)], "300"),
            (["--actor", "a\u{7}b"], "control character"), (["--actor", "a", "--metadata", "[1]"], "object"),
            (["--actor", "a", "--metadata", "{\"a\":"], "ends inside"), (["--actor", "a", "--metadata", ""], "empty"),
            (["--actor", "a", "--metadata", "{\"a\":1,\"a\":2}"], "duplicated"),
            (["--actor", "a", "--metadata", "{\"a\":99999999999999999999}"], "64 bits"),
            (["--actor", "a", "--metadata", #"{"a":"\ud800"}"#], "surrogate"),
            (
                [
                    "--actor", "a", "--metadata",
                    "{\"a\":" + String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000) + "}",
                ], "nested"
            ),
            (
                ["--actor", "a", "--metadata", "{\"a\":\"" + String(repeating: "x", count: 1 << 20) + "\"}"],
                "too large"
            ),
            (["--actor", "a", "--id", "not-a-ulid"], "ULID"),
            (["--actor", "a", "--id", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ"], "ULID"),
        ])
    func createRefused(_ options: [String], _ hint: String) async throws {
        _ = try await bench.run("migrate")
        for json in [[], ["--json"]] {
            try await bench.run(["--store", bench.store(), "create"] + options + json).expectRefusal(hint)
        }
        #expect(try await bench.run("list", "--json").json()["sessions"] == [])
    }

    @Test("The list verb gives sessions newest first and a cursor to go on with")
    func list() async throws {
        var ids: [String] = []
        for _ in 1...5 { ids.insert(try await bench.session(), at: 0) }
        var seen: [String] = []
        var options: [String] = []
        for _ in 1...3 {
            let page = try await bench.run(["--store", bench.store(), "list", "--limit", "2", "--json"] + options)
                .json()
            seen += page["sessions"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            guard let next = page["next"]?.stringValue else { break }
            options = ["--after", next]
        }
        #expect(seen == ids)
        let last = try await bench.run("list", "--limit", "2", "--offset", "4", "--json").json()
        #expect(last["next"] == JSONValue.null)
        #expect(last["sessions"]?.arrayValue?.count == 1)
    }

    @Test("The list verb filters by actor, and its cursor fits no other list")
    func listOfActor() async throws {
        for actor in ["a", "b", "a", "b"] { _ = try await bench.session(actor) }
        let page = try await bench.run("list", "--actor", "a", "--limit", "1", "--json").json()
        let cursor = try #require(page["next"]?.stringValue)
        let rest = try await bench.run("list", "--actor", "a", "--after", cursor, "--json").json()
        #expect(rest["sessions"]?.arrayValue?.map { $0["actor_name"] } == ["a"])
        try await bench.run("list", "--actor", "b", "--after", cursor).expectRefusal("another list")
        try await bench.run("list", "--after", cursor).expectRefusal("another list")
    }

    @Test("The list verb prints a table, says when it is empty, and tells how to go on")
    func listText() async throws {
        _ = try await bench.run("migrate")
        #expect(try await bench.run("list").text == "No sessions.\n")
        _ = try await bench.session("local/one")
        _ = try await bench.session("日本/二")
        let result = try await bench.run("list", "--limit", "1")
        let lines = result.text.split(separator: "\n")
        #expect(lines[0].hasPrefix("ID "))
        #expect(lines[1].contains("日本/二"))
        #expect(lines[2].hasPrefix("There are more: --after "))
    }

    @Test(
        "The list verb refuses an invalid request",
        arguments: [
            (["--limit", "0"], "limit is 0"), (["--limit", "-3"], "limit is -3"), (["--limit=-3"], "limit is -3"),
            (["--limit", "10001"], "10001"), (["--offset", "-1"], "offset is -1"), (["--after", "zz"], "cursor"),
            (["--after", "5331"], "cursor"), (["--limit", "many"], "many"),
        ])
    func listRefused(_ options: [String], _ hint: String) async throws {
        _ = try await bench.run("migrate")
        try await bench.run(["--store", bench.store(), "list"] + options).expectRefusal(hint, [1, 64])
    }

    @Test("The usage verb adds usage and prints the session")
    func usage() async throws {
        let id = try await bench.session()
        _ = try await bench.run("usage", id, "--input", "5", "--output", "7", "--cost", "1000001")
        let session = try await bench.run("usage", id, "--input", "1", "--output", "2", "--json").json()
        #expect(session["input_tokens"] == 6 && session["output_tokens"] == 9 && session["estimated_cost"] == 1_000_001)
    }

    @Test(
        "The usage verb refuses invalid usage and adds nothing",
        arguments: [
            (["--input", "-5", "--output", "1"], "-5 input"), (["--input", "1", "--output", "-1"], "-1 output"),
            (["--input", "1", "--output", "1", "--cost", "-1"], "-1 micro"),
            (["--input", "9223372036854775807", "--output", "0"], "64-bit"),
            (["--input", "9223372036854775808", "--output", "0"], "9223372036854775808"),
            (["--input", "1.5", "--output", "0"], "1.5"), (["--input", "1"], "--output"),
        ])
    func usageRefused(_ options: [String], _ hint: String) async throws {
        let id = try await bench.session()
        _ = try await bench.run("usage", id, "--input", "1", "--output", "1")
        try await bench.run(["--store", bench.store(), "usage", id] + options).expectRefusal(hint, [1, 64])
        #expect(try await bench.show(id)["session"]?["input_tokens"] == 1)
    }

    @Test("The update verb changes the actor, the metadata or both, under a revision")
    func update() async throws {
        let id = try await bench.session()
        let first = try await bench.run("update", id, "--actor", "local/new", "--json").json()
        #expect(first["actor_name"] == "local/new")
        let revision = try #require(first["updated_at"]?.stringValue)
        let second = try await bench.run(
            "update", id, "--metadata", #"{"n":1}"#, "--expect-revision", revision, "--json"
        ).json()
        #expect(second["metadata"] == ["n": 1])
        #expect(second["actor_name"] == "local/new")
        try await bench.run("update", id, "--actor", "x", "--expect-revision", revision).expectRefusal("conflict")
    }

    @Test(
        "The update verb refuses an invalid update",
        arguments: [
            ([], "--actor"), (["--metadata", "3"], "object"), (["--actor", ""], "empty"),
            (["--actor", "x", "--expect-revision", "yesterday"], "RFC 3339"),
        ])
    func updateRefused(_ options: [String], _ hint: String) async throws {
        let id = try await bench.session()
        try await bench.run(["--store", bench.store(), "update", id] + options).expectRefusal(hint, [1, 64])
    }

    @Test("The rewind verb removes the last messages, and their sequences are used again")
    func rewind() async throws {
        let id = try await bench.session()
        for text in ["one", "two", "three"] { try await bench.append(id, "user", text) }
        let session = try await bench.run("rewind", id, "--to", "1", "--expect-sequence", "3", "--json").json()
        #expect(session["message_count"] == 1)
        #expect(try await bench.append(id, "user", "again")["sequence"] == 2)
        try await bench.run("rewind", id, "--to", "0", "--expect-sequence", "3").expectRefusal("conflict")
        try await bench.run("rewind", id, "--to", "9").expectRefusal("cannot be rewound to 9")
        try await bench.run("rewind", id, "--to", "-1").expectRefusal("-1")
        #expect(try await bench.run("rewind", id, "--to", "0").text.contains("messages  0"))
        try await bench.run("rewind", id, "--to", "1").expectRefusal("has no messages")
    }

    @Test("The delete verb removes the session once")
    func delete() async throws {
        let id = try await bench.session()
        let other = try await bench.session()
        #expect(try await bench.run("delete", id, "--json").json() == ["deleted": .string(id)])
        try await bench.run("delete", id).expectRefusal("notFound")
        try await bench.run("show", id).expectRefusal("notFound")
        #expect(try await bench.run("delete", other).text == "Deleted session \(other).\n")
    }

    @Test(
        "Every verb on a session refuses an invalid id and an absent session",
        arguments: [
            ["show"], ["usage", "--input", "1", "--output", "1"], ["update", "--actor", "x"], ["rewind", "--to", "0"],
            ["delete"], ["export"], ["append", "--role", "user", "--content", "x"], ["show", "--last", "3"],
        ])
    func badSession(_ verb: [String]) async throws {
        for (id, hint) in [("nonsense", "ULID"), ("", "ULID"), ("01J9ZK5C8N4V6Q2W3E7R8T9Y0A", "notFound")] {
            try await bench.run(["--store", bench.store(), verb[0], id] + verb.dropFirst()).expectRefusal(hint)
        }
    }
}
#endif
