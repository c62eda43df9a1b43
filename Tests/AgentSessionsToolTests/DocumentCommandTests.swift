#if SQLite
import AgentSessions
import AgentSessionsBackends
import Foundation
import AgentSessionsTestSupport
import Testing

@testable import agent_sessions

@Suite("Document verbs")
struct DocumentCommandTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    /// A session with a message of each kind.
    private func sample() async throws -> String {
        let id = try await bench.session("local/sample")
        _ = try await bench.run("usage", id, "--input", "3", "--output", "4", "--cost", "5")
        try await bench.append(
            id, "user", "e\u{301} 👩‍👩‍👧‍👦 \u{202E}", "--metadata", #"{"big":9223372036854775807,"half":0.5,"one":1.0}"#)
        try await bench.append(
            id, "assistant", "", "--metadata", #"{"tool_calls":[{"id":"c","function":{"name":"f"}}]}"#)
        try await bench.append(id, "tool", "42", "--tool-call-id", "c")
        return id
    }

    /// The parts of a session's messages that an export keeps.
    private func payload(_ id: String, in store: String) async throws -> [[JSONValue?]] {
        let shown = try await bench.run(["--store", store, "show", id, "--json"]).json()
        return try #require(shown["messages"]?.arrayValue).map { message in
            ["sequence", "role", "content", "tool_call_id", "metadata"].map { message[$0] }
        }
    }

    private func imported(_ path: String, into store: String, _ options: String...) async throws -> JSONValue {
        try await bench.run(["--store", store, "import", path, "--json"] + options).json()
    }

    @Test("A session that is exported and imported elsewhere is the same", arguments: ["native", "openai"])
    func roundTrip(_ format: String) async throws {
        let id = try await sample()
        let document = try await bench.run("export", id, "--format", format)
        #expect(document.status == 0)
        #expect(document.output.last == 10 && document.output.count { $0 == 10 } == 1)
        let path = try bench.file("export.json", document.output)
        let other = bench.store("other.db")
        let result = try await imported(path, into: other, "--format", format)
        #expect(result["sessions"] == 1 && result["messages"] == 3)
        let copy = try #require(result["ids"]?[0]?.stringValue)
        #expect(copy != id)
        #expect(try await payload(copy, in: other) == payload(id, in: bench.store()))
    }

    @Test("The export verb writes a document to a file, for its owner alone, and reports it")
    func output() async throws {
        let id = try await sample()
        let direct = try await bench.run("export", id, "--format", "openai").output
        let result = try await bench.run(
            "export", id, "--format", "openai", "--output", bench.path("out.jsonl"), "--json")
        #expect(try result.json() == ["sessions": 1, "output": .string(bench.path("out.jsonl"))])
        #expect(try bench.contents("out.jsonl") == direct)
        let text = try await bench.run("export", id, "--output", bench.path("out.jsonl")).text
        #expect(text == "Exported 1 session to \(bench.path("out.jsonl")).\n")
        let dash = try await bench.run("export", id, "--format", "openai", "--output", "-")
        #expect(dash.output == direct)
    }

    @Test("An archive holds every session, one document per line, and can be imported whole")
    func archive() async throws {
        let ids = [try await sample(), try await sample(), try await bench.session("local/empty")]
        let path = bench.path("archive.jsonl")
        #expect(try await bench.run("export", "--all", "--output", path, "--json").json()["sessions"] == 3)
        #expect(try bench.contents("archive.jsonl").count { $0 == 10 } == 3)
        #expect(try await bench.run("export", "--all", "--output", "-").output.count { $0 == 10 } == 3)
        let other = bench.store("other.db")
        let result = try await imported(path, into: other)
        #expect(result["sessions"] == 3 && result["messages"] == 6)
        // Newest first, as they are listed.
        for (index, id) in ids.reversed().enumerated() {
            let copy = try #require(result["ids"]?[index]?.stringValue)
            #expect(try await payload(copy, in: other) == payload(id, in: bench.store()))
        }
    }

    @Test("An archive has every session of a store with more than one page of them")
    func manySessions() async throws {
        let lines = (1...450).map { "{\"messages\":[{\"role\":\"user\",\"content\":\"\($0)\"}]}\n" }.joined()
        let path = try bench.file("many.jsonl", lines.utf8)
        let result = try await bench.run("import", path, "--format", "openai")
        #expect(result.text.hasPrefix("Imported 450 sessions with 450 messages.\n"))
        #expect(result.text.hasSuffix("  … and 440 more\n"))
        #expect(
            try await bench.run("export", "--all", "--output", bench.path("all.jsonl"), "--json").json()["sessions"]
                == 450)
        #expect(Set(try bench.contents("all.jsonl").split(separator: 10)).count == 450)
    }

    @Test("Several files are imported in one run, and all are checked before the first is stored")
    func severalFiles() async throws {
        let id = try await sample()
        let good = try bench.file("good.json", try await bench.run("export", id).output)
        let store = bench.store("other.db")
        let result = try await bench.run(["--store", store, "import", good, good, "--json"]).json()
        #expect(result["sessions"] == 2 && result["messages"] == 6 && result["ids"]?.arrayValue?.count == 2)
        let bad = try bench.file("bad.json", "{\"schema_version\":1".utf8)
        try await bench.run(["--store", store, "import", good, bad]).expectRefusal("bad.json")
        try await bench.run(["--store", store, "import", good, bench.path("none")]).expectRefusal("none")
        #expect(try await bench.run(["--store", store, "list", "--json"]).json()["sessions"]?.arrayValue?.count == 2)
    }

    /// Imports the files into a store that accepts `sessions` sessions and no more.
    private func full(after sessions: Int, of files: [String]) async throws -> (json: ToolRun, text: ToolRun) {
        var runs: [ToolRun] = []
        for options in [["--json"], []] {
            var registry = BackendRegistry.standard
            try registry.register(FillingBackend.self)
            let bench = try Workbench(registry: registry)
            runs.append(try await bench.run(["--store", "filling:\(sessions)", "import"] + files + options))
        }
        return (runs[0], runs[1])
    }

    @Test("An import that ends midway says once what is stored and where to go on")
    func midway() async throws {
        for number in 1...3 { try await bench.append(try await bench.session(), "user", "\(number)") }
        let archive = try bench.file("a.jsonl", try await bench.run("export", "--all", "--output", "-").output)

        let (json, text) = try await full(after: 2, of: [archive])
        #expect(json.status == 1 && text.status == 1)
        let told = try JSONParser.parse(json.output)
        #expect(told["sessions"] == 2 && told["messages"] == 2)
        let ids = try #require(told["ids"]?.arrayValue?.compactMap { $0.stringValue })
        #expect(Set(ids).count == 2)
        let stopped = try #require(told["stopped"])
        #expect(stopped["file"] == .string(archive) && stopped["code"] == "limitExceeded" && stopped["unknown"] == [])
        let next = try #require(stopped["document"]?.integerValue)
        let lines = try bench.contents("a.jsonl").split(separator: 10)
        #expect(stopped["byte"]?.integerValue == lines[..<Int(next - 1)].reduce(0) { $0 + Int64($1.count) + 1 })
        let later = try #require(stopped["stored_later"]?.arrayValue)
        #expect(later.compactMap { $0["document"]?.integerValue } == Array((next + 1)..<4))
        #expect(later.compactMap { $0["id"]?.stringValue } == ids.suffix(later.count))
        let message = try #require(stopped["message"]?.stringValue)
        #expect(json.errors == "error: limitExceeded: \(message) [filling]\n")
        for run in [json, text] {
            #expect(!run.errors.contains("othing was"), "\(run.errors)")
            #expect(run.errors.contains("Stored: 2 of the 3 documents, each whole. Go on from document"))
        }
        #expect(text.text.hasPrefix("Stored before the import stopped: 2 sessions with 2 messages.\n  01"))
        #expect(text.text.split(separator: "\n").count == 3)
    }

    @Test("An import of several files that ends midway tells the files before and after that point apart")
    func midwayOfSeveral() async throws {
        for number in 1...3 { try await bench.append(try await bench.session(), "user", "\(number)") }
        let archive = try bench.file("a.jsonl", try await bench.run("export", "--all", "--output", "-").output)

        // The first file fits, and nothing or a part of the second.
        for (room, part) in [(3, "Nothing of this file was stored."), (4, "Stored: 1 of the 3 documents")] {
            let (json, text) = try await full(after: room, of: [archive, archive, archive])
            let told = try JSONParser.parse(json.output)
            #expect(json.status == 1 && told["sessions"]?.integerValue == Int64(room))
            #expect(told["ids"]?.arrayValue?.count == room && told["stopped"]?["file"] == .string(archive))
            if room == 3 { #expect(told["stopped"]?["document"] == 1 && told["stopped"]?["stored_later"] == []) }
            for run in [json, text] {
                #expect(run.errors.contains(part), "\(run.errors)")
                #expect(run.errors.contains("All of the files before it is stored: 3 sessions."))
                #expect(run.errors.contains("Nothing of the 1 file after it is stored."))
            }
            #expect(text.text.split(separator: "\n").count == room + 1)
        }
        // An import that stored nothing is a plain error.
        for run in [
            try await full(after: 0, of: [archive]).json, try await full(after: 0, of: [archive, archive]).text,
        ] {
            run.expectRefusal("Nothing was stored.")
        }
    }

    @Test("Progress of documents is shown on a terminal")
    func progress() async throws {
        let id = try await sample()
        let path = bench.path("out.json")
        let exported = try await bench.run(
            ["--store", bench.store(), "export", "--all", "--output", path], showsProgress: true)
        #expect(exported.errors.contains("Exporting 1 session"))
        let imported = try await bench.run(["--store", bench.store(), "import", path], showsProgress: true)
        #expect(imported.errors.contains("100 %"))
        #expect(imported.errors.hasSuffix("\r\u{1B}[K"))
        #expect(imported.status == 0)
        _ = id
    }

    @Test("An import of an edited document is refused, with an error for each fault, and stores nothing")
    func refused() async throws {
        let id = try await sample()
        let document = try await bench.run("export", id).text
        let faults: [(String, [UInt8], String)] = [
            ("truncated", Array(document.utf8.dropLast(40)), "cut short"),
            ("edited", Array(document.replacing("42", with: "43").utf8), "checksumMismatch"),
            (
                "newer", Array(document.replacing("\"schema_version\":1", with: "\"schema_version\":99").utf8),
                "unsupportedSchemaVersion"
            ),
            ("gap", Array(document.replacing("\"sequence\":2", with: "\"sequence\":5").utf8), "sequence"),
            (
                "duplicate", Array(document.replacing("\"half\":0.5", with: "\"half\":0.5,\"half\":0.5").utf8),
                "duplicated"
            ),
            ("large", Array(document.replacing("9223372036854775807", with: "9223372036854775808").utf8), "64 bits"),
            ("latin", document.replacing("👩‍👩‍👧‍👦", with: "\u{1}").utf8.map { $0 == 1 ? 0xFF : $0 }, "UTF-8"),
            ("surrogate", Array(document.replacing("👩‍👩‍👧‍👦", with: "\\ud83d").utf8), "surrogate"),
        ]
        let store = bench.store("other.db")
        for (name, bytes, hint) in faults {
            let path = try bench.file("\(name).json", bytes)
            let result = try await bench.run(["--store", store, "import", path])
            result.expectRefusal(hint)
            result.expectRefusal(name)
        }
        try await bench.run(["--store", store, "import", bench.path]).expectRefusal("directory")
        try await bench.run(["--store", store, "import", "/dev/null"]).expectRefusal("not an ordinary file")
        #expect(try await bench.run(["--store", store, "list", "--json"]).json()["sessions"] == [])
    }

    @Test("An export that cannot be written keeps the old file and leaves nothing else")
    func badOutput() async throws {
        let id = try await sample()
        try bench.file("old", "old".utf8)
        try await bench.run("export", "01J9ZK5C8N4V6Q2W3E7R8T9Y0A", "--output", bench.path("old")).expectRefusal(
            "notFound")
        #expect(try bench.contents("old") == Array("old".utf8))
        #expect(try bench.files("old") == ["old"])
        try await bench.run("export", id, "--output", bench.path).expectRefusal("directory")
        try await bench.run("export", "--all", "--output", bench.path("none/x")).expectRefusal("No such file")
    }

    @Test("The demo verb does the whole job and can be run again")
    func demo() async throws {
        for run in 1...2 {
            let result = try await bench.run("demo")
            #expect(result.status == 0, "\(result.errors)")
            for part in ["==> Importing", "==> Listing", "==> Showing", "==> Appending", "==> Exporting", bench.path] {
                #expect(result.text.contains(part), "\(part)")
            }
            #expect(try await bench.run("list", "--json").json()["sessions"]?.arrayValue?.count == run * 7)
        }
        let summary = try await bench.run("demo", "--json").json()
        #expect(summary["sessions"] == 6 && summary["messages"] == 64 && summary["identical"] == true)
        #expect(summary["session"]?["output_tokens"] == 12)
        #expect(try bench.files("agent-sessions-") == [])
    }
}
#endif
