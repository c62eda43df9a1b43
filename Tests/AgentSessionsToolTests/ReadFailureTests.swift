#if SQLite && os(Linux)
import AgentSessions
import Foundation
import AgentSessionsTestSupport
import Testing

/// A library that makes a part of a file unreadable, built once from `Tests/FailingReads`, or `nil` if there is no
/// compiler.
private let failingReads = preloadedLibrary("FailingReads/failing_reads.c")

@Suite(
    "Failing disk reads", .enabled(if: failingReads != nil, "needs clang"),
    .disabled(
        if: ProcessInfo.processInfo.environment["SANITIZER"] != nil,
        "the run time of a sanitizer has to be loaded before anything else"))
struct ReadFailureTests {
    /// A session of a megabyte, most of which is beyond the pages that an opening reads.
    private func filledSession(_ bench: Workbench) async throws -> String {
        let id = try await bench.session()
        let line = #"{"role": "user", "content": "\#(String(repeating: "x", count: 5000))"}"#
        let batch = try bench.file("batch", Array(Array(repeating: line, count: 200).joined(separator: "\n").utf8))
        _ = try await bench.run("append", id, "--batch", batch)
        return id
    }

    /// Runs the tool on the store of the bench, most of whose file the disk cannot read.
    private func run(_ bench: Workbench, failing times: Int, _ arguments: String...) async throws -> (Int32, String) {
        let pipe = Pipe()
        let process = try ToolProcess.make(arguments, store: bench.store(), output: pipe)
        process.environment = [
            "LD_PRELOAD": try #require(failingReads), "HOME": bench.path, "BAD_FILE": "a.db", "BAD_FROM": "65536",
            "BAD_TIMES": "\(times)",
        ]
        try process.run()
        let output = try await ToolProcess.read(pipe)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    @Test("A disk that fails to read is not reported as damage", arguments: ["show", "verify", "export"])
    func failing(verb: String) async throws {
        let bench = try Workbench()
        let id = try await filledSession(bench)
        let (status, output) = try await run(bench, failing: 1_000_000, verb, verb == "verify" ? "--json" : id)
        #expect(status == 1)
        #expect(output.contains("error: unavailable") && output.contains("cannot be read"), "\(output.suffix(500))")
        #expect(!output.contains("corrupt") && !output.contains("backup"), "\(output.suffix(500))")
    }

    @Test("A failed read is retried, and has no effect if it passes")
    func passing() async throws {
        let bench = try Workbench()
        let id = try await filledSession(bench)
        let (status, output) = try await run(bench, failing: 2, "show", id, "--last", "3", "--json")
        #expect(status == 0, "\(output.suffix(500))")
        #expect(output.contains("xxxxx"))
    }
}
#endif
