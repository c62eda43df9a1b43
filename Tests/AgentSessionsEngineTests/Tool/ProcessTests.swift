#if SQLite && LMDB && Postgres
import AgentSessions
import Foundation
import AgentSessionsPostgresServer
import AgentSessionsTestSupport
import Testing

@Suite("Concurrent processes of the tool", .timeLimit(.minutes(5)))
struct ProcessTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    @Test(
        "Processes that append to one session at once leave no gap, repeat nothing and lose nothing",
        arguments: Engine.available, [true, false])
    func concurrentAppends(engine: Engine, isThere: Bool) async throws {
        let tool = try BuiltTool(on: try shop.url(engine))
        let (writers, perWriter) = (8, 3)
        let id = isThere ? try await tool.createSession() : "01J9ZK5C8N4V6Q2W3E7R8T9Y0A"
        let stored = try await withThrowingTaskGroup(of: (made: Bool, messages: [JSONValue]).self) { group in
            for writer in 0..<writers {
                group.addTask {
                    // If there is no store yet, all create it at this moment, and one of them creates the session.
                    var made = false
                    if !isThere {
                        let run = try await tool.run("create", "--actor", "a/b", "--id", id)
                        made = run.status == 0
                        if !made { run.expectRefusal("alreadyExists") }
                    }
                    var messages: [JSONValue] = []
                    for number in 0..<perWriter {
                        messages.append(
                            try await tool.json("append", id, "--role", "user", "--content", "\(writer)-\(number)"))
                    }
                    return (made, messages)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(stored.count { $0.made } == (isThere ? 0 : 1))
        let messages = try await tool.messages(of: id)
        #expect(messages.map { $0["sequence"]?.integerValue } == Array(1...Int64(writers * perWriter)))
        // Each process was told what is stored.
        #expect(Set(messages) == Set(stored.flatMap(\.messages)))
        for writer in stored {
            let sequences = writer.messages.compactMap { $0["sequence"]?.integerValue }
            #expect(sequences == sequences.sorted() && sequences.count == perWriter)
        }
        let steps = try await tool.json("migrate", "--status")
        #expect(steps["applied"] == 2 && steps["migrations"]?.arrayValue?.count == 2)
        #expect(try await tool.json("list")["sessions"]?.arrayValue?.count == 1)
        try await tool.expectSound()
    }

    @Test("Killed processes have lost nothing that they printed as stored", arguments: Engine.available, [10, 110])
    func killed(engine: Engine, milliseconds: Int) async throws {
        let tool = try BuiltTool(on: try shop.url(engine))
        let id = try await tool.createSession()
        let printed = "\(shop.path)/printed"
        // Two loops that run the tool again and again, so that the kill hits any part of a run. They are a process
        // group of their own, print its number first, and end by themselves if they are not killed.
        let process = try Shell.start(
            """
            exec setsid --wait /bin/sh -c 'echo $$; for loop in 1 2; do (n=0; while [ $n -lt 200 ]; do n=$((n+1)); \
            "$0" --store "$1" append "$2" --role user --content "line $loop $n" --json; done) & done; wait' \
            '\(try BuiltTool.program.path)' '\(tool.store)' \(id) >\(printed) 2>/dev/null
            """)
        func lines() -> [Substring] {
            // Text behind the last line feed was cut off by the kill, and is not an acknowledgement.
            ((try? String(contentsOfFile: printed, encoding: .utf8)) ?? "")
                .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        }
        // The suite's limit ends a wait that would not end by itself.
        while lines().count < 4 { try await Task.sleep(for: .milliseconds(5)) }
        // The kill hits another part of a run for each argument.
        try await Task.sleep(for: .milliseconds(milliseconds))
        let group = try #require(lines().first.flatMap { pid_t($0) })
        // The whole group, the tool too, without a chance to clean up.
        #expect(kill(-group, SIGKILL) == 0)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        let acknowledged = try lines().dropFirst().map { try JSONParser.parse(String($0)) }
        #expect(acknowledged.count >= 3)
        let messages = try await tool.messages(of: id)
        #expect(messages.map { $0["sequence"]?.integerValue } == Array(1...Int64(messages.count)))
        #expect(Set(acknowledged).isSubset(of: messages))
        // At most one message per loop was stored and not yet printed.
        #expect(messages.count <= acknowledged.count + 2)
        try await tool.expectSound()
    }

    @Test(
        "Processes that replay an append get the original, and another payload for the same id is refused",
        arguments: Engine.available)
    func replayedAppends(engine: Engine) async throws {
        let tool = try BuiltTool(on: try shop.url(engine))
        let id = try await tool.createSession()
        let key = "01J9ZK5C8N4V6Q2W3E7R8T9Y0A"
        let metadata = #"{"n":1,"x":1.0}"#
        func append(_ options: String...) async throws -> ToolRun {
            try await tool.run(["append", id, "--message-id", key, "--json"] + options)
        }
        let first = try await append("--role", "user", "--content", "x", "--metadata", metadata).json()
        let session = try await tool.json("show", id)["session"]
        #expect(try await append("--role", "user", "--content", "x", "--metadata", metadata).json() == first)
        for other in [
            ["--role", "user", "--content", "y", "--metadata", metadata],
            ["--role", "tool", "--content", "x", "--metadata", metadata],
            ["--role", "user", "--content", "x", "--metadata", #"{"n":1,"x":1}"#],
            ["--role", "user", "--content", "x", "--metadata", metadata, "--tool-call-id", "c"],
        ] {
            let run = try await tool.run(["append", id, "--message-id", key] + other)
            run.expectRefusal(["conflict"], of: "\(other)")
        }
        // A batch: all of it again is a replay, a part of it is not.
        let lines = (1...3).map { #"{"role":"user","content":"b","id":"01J9ZK5C8N4V6Q2W3E7R8T9Y1\#($0)"}"# + "\n" }
        let batch = ["append", id, "--batch", "-", "--json"]
        let stored = try await tool.run(batch, input: Array(lines[0...1].joined().utf8)).json()
        #expect(try await tool.run(batch, input: Array(lines[0...1].joined().utf8)).json() == stored)
        try await tool.run(batch, input: Array(lines[1...2].joined().utf8)).expectRefusal("conflict")
        let shown = try await tool.json("show", id)
        #expect(shown["messages"] == .array([first] + (stored.arrayValue ?? [])))
        #expect(session?["message_count"] == 1 && shown["session"]?["message_count"] == 3)
    }
}
#endif
