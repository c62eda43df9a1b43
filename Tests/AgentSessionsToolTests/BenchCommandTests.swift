import AgentSessions
import AgentSessionsTestSupport
import Foundation
import Testing

@testable import agent_sessions

@Suite("The bench verb")
struct BenchCommandTests {
    @Test("The bench verb measures stores beside their engines, saves, compares and leaves nothing behind")
    func measures() async throws {
        let bench = try Workbench()
        // A file at the URL itself belongs to the user, and is not even a store.
        try bench.file("a.db", Array("not a database".utf8))
        let arguments = [
            "--store", bench.store(), "bench", "--workloads", "message_append,session_get", "--clients", "1,2",
            "--seconds", "0.01", "--repetitions", "3", "--json",
        ]
        let first = try await bench.run(arguments + ["--save", bench.path("saved.json")]).json()
        let results = try #require(first["results"]?.arrayValue)
        #expect(Set(results.compactMap { $0["store"]?.stringValue }) == ["noop", "sqlite", "raw-sqlite"])
        #expect(results.allSatisfy { $0["verified"] == true && $0["repetitions"]?.arrayValue?.count == 3 })
        #expect(results.contains { $0["store"] == "sqlite" && $0["ratio_to_raw"] != .null })
        #expect(results.contains { $0["store"] == "sqlite" && $0["tier"] == "T2" })
        let second = try await bench.run(
            arguments + ["--compare", bench.path("saved.json"), "--report", bench.path("report.html")]
        ).json()
        #expect(second["comparison"]?.arrayValue?.count == results.count)
        #expect(String(decoding: try bench.contents("report.html"), as: UTF8.self).contains("<svg"))
        #expect(try bench.contents("a.db") == Array("not a database".utf8))
        #expect(try bench.files("") == ["a.db", "report.html", "saved.json"])
    }

    @Test(
        "The bench verb refuses wrong options and names the allowed ones",
        arguments: [
            (["--workloads", "message_appned"], "message_append"), (["--clients", "0"], "from 1 to 1024"),
            (["--clients", "1,x"], "from 1 to 1024"), (["--seconds", "0"], "0.01 to 3600"),
            (["--repetitions", "0"], "1 to 1000"), (["--sizes", "5"], "from 10"), (["--rate", "0"], "from 1"),
            (["--stores", "oracle:x"], "oracle"), (["--corpus", "/nowhere"], "/nowhere"),
            (["--compare", "/nowhere"], "/nowhere"),
        ])
    func refusals(_ options: [String], _ hint: String) async throws {
        let bench = try Workbench()
        try await bench.run(["--store", bench.store(), "bench"] + options).expectRefusal(hint, [1, 64])
    }

    @Test("The progress line has a bar and the remaining time")
    func progress() {
        #expect(
            TimedProgress.line("Measuring", 0.5, "session_get on sqlite", after: .seconds(60))
                == "Measuring [############............] 50 %, 61 s left session_get on sqlite")
        #expect(TimedProgress.line("Measuring", 0, "x", after: .zero) == "Measuring [........................] 0 % x")
        #expect(TimedProgress.line("Measuring", 0.1, "x", after: .seconds(60)).contains(" 9 min left"))
    }

    @Test("Ctrl-C reports the measurements and exits as interrupted")
    func interruption() async throws {
        let bench = try Workbench()
        let pipe = Pipe()
        let process = try ToolProcess.make(
            ["bench", "--workloads", "session_get", "--clients", "1", "--seconds", "0.2", "--repetitions", "1000"],
            store: bench.store(), output: pipe)
        try process.run()
        // Long enough for the handler to be installed; a signal before that would kill the process, which is reported.
        try await Task.sleep(for: .seconds(3))
        process.interrupt()
        let output = try await ToolProcess.read(pipe)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 130)
        #expect(output.contains("The benchmark was interrupted"))
        #expect(try bench.files("agent-sessions-bench").isEmpty)
    }
}
