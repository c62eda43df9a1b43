#if SQLite && os(Linux)
import AgentSessions
import Foundation
import AgentSessionsTestSupport
import Testing

/// The built program in processes whose streams the tests hold.
@Suite("The program with slow streams and signals", .timeLimit(.minutes(2)))
struct StreamTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    /// A run of the program that has not finished yet.
    private final class Run {
        let process = Process()
        let input = Pipe()
        let output = Pipe()
        let errors = Pipe()

        init(_ arguments: [String], on bench: Workbench) throws {
            process.executableURL = URL(filePath: try ToolProcess.program.path)
            process.arguments = ["--store", bench.store()] + arguments
            process.environment = sanitizerEnvironment.merging(["HOME": bench.path]) { _, mine in mine }
            process.standardInput = input
            process.standardOutput = output
            process.standardError = errors
        }

        /// The result of the run, whose output is read from now on.
        func finish() async throws -> ToolRun {
            // The program fills at most one of the two pipes.
            let isErrors = try waiting(in: errors) > 0
            let first = try await ToolProcess.read(isErrors ? errors : output)
            let second = try await ToolProcess.read(isErrors ? output : errors)
            process.waitUntilExit()
            return ToolRun(
                status: process.terminationStatus, output: Array((isErrors ? second : first).utf8),
                errors: isErrors ? first : second)
        }

        /// The bytes that were not read yet.
        private func waiting(in pipe: Pipe) throws -> Int32 {
            var count: Int32 = 0
            try #require(ioctl(pipe.fileHandleForReading.fileDescriptor, UInt(FIONREAD), &count) == 0)
            return count
        }

        /// Waits until its standard output is full.
        func waitUntilStalled() async throws {
            while try waiting(in: output) < 60_000 {
                try #require(process.isRunning)
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    private func makeNonBlocking(_ handle: FileHandle) {
        let flags = fcntl(handle.fileDescriptor, F_GETFL)
        #expect(fcntl(handle.fileDescriptor, F_SETFL, flags | O_NONBLOCK) == 0)
    }

    /// A session whose messages have a mebibyte each, so that each is a page of its own.
    private func longSession(_ messages: Int) async throws -> String {
        let id = try await bench.session()
        let line = "{\"role\":\"user\",\"content\":\"\(String(repeating: "x", count: 1 << 20))\"}\n"
        let stored = try await bench.run(
            "append", id, "--batch", "-", input: Array(String(repeating: line, count: messages).utf8))
        try #require(stored.status == 0, "\(stored.errors)")
        return id
    }

    // MARK: Streams that do not block

    @Test("The program waits for the reader of a non-blocking output")
    func output() async throws {
        let id = try await longSession(1)
        let run = try Run(["export", id], on: bench)
        makeNonBlocking(run.output.fileHandleForWriting)
        try run.process.run()
        try await run.waitUntilStalled()
        try await Task.sleep(for: .milliseconds(50))
        let result = try await run.finish()
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(result.output.count > 1 << 20 && result.output.suffix(2) == Array("}\n".utf8))
    }

    @Test("The program waits for a non-blocking input", arguments: [["--role", "user"], ["--batch", "-"]])
    func input(_ options: [String]) async throws {
        let id = try await bench.session()
        let run = try Run(["append", id, "--json"] + options, on: bench)
        makeNonBlocking(run.input.fileHandleForReading)
        // If the program ends before it has read all, this process must not end too.
        signal(SIGPIPE, SIG_IGN)
        try run.process.run()
        let text = options[0] == "--role" ? ["one ", "two"] : [#"{"role":"user","#, #""content":"one two"}"# + "\n"]
        for part in text {
            try await Task.sleep(for: .milliseconds(150))
            try run.input.fileHandleForWriting.write(contentsOf: Data(part.utf8))
        }
        try run.input.fileHandleForWriting.close()
        let stored = try await run.finish().json()
        #expect((stored.arrayValue?.first ?? stored)["content"] == "one two")
    }

    @Test("The program waits for the reader of a non-blocking error output")
    func errors() async throws {
        let run = try Run(["show", "x"], on: bench)
        let writing = run.errors.fileHandleForWriting
        makeNonBlocking(writing)
        let junk = [UInt8](repeating: UInt8(ascii: "."), count: 4096)
        while write(writing.fileDescriptor, junk, junk.count) > 0 {}
        try run.process.run()
        try await Task.sleep(for: .milliseconds(150))
        let result = try await run.finish()
        #expect(result.status == 1 && result.errors.contains(".error: invalidArgument: "))
    }

    // MARK: What happens to a session while the reader lets it wait

    @Test("An export to a pipe fails if a partly written session is deleted or rewound")
    func brokenOff() async throws {
        for verb in [["delete"], ["rewind", "--to", "6"]] {
            let id = try await longSession(7)
            let run = try Run(["export", "--all", "--output", "-"], on: bench)
            try run.process.run()
            try await run.waitUntilStalled()
            #expect(try await bench.run([verb[0], id, "--store", bench.store()] + verb.dropFirst()).status == 0)
            let result = try await run.finish()
            #expect(result.status == 1)
            #expect(result.errors.contains("conflict: Session \(id) was"), "\(result.errors)")
            #expect(result.errors.contains("ends in the middle"), "\(result.errors)")
            _ = try await bench.run("delete", id)
        }
    }

    @Test("The show verb fails if its session is rewound meanwhile and has fewer messages than announced")
    func shown() async throws {
        let id = try await longSession(6)
        let run = try Run(["show", id, "--json"], on: bench)
        try run.process.run()
        try await run.waitUntilStalled()
        #expect(try await bench.run("rewind", id, "--to", "4").status == 0)
        let result = try await run.finish()
        #expect(result.status == 1 && result.errors.contains("was rewound while it was shown"), "\(result.errors)")
    }

    // MARK: Signals

    /// Runs an export that gets SIGTERM as soon as its file is begun. A script looks for the file, as a test could come
    /// too late where others keep the threads of the pool.
    private func signalled(_ prefix: String) async throws -> (run: ToolRun, isBySignal: Bool) {
        for _ in 0..<3 { _ = try await longSession(6) }
        let run = try Run(["export", "--all", "--output", bench.path("out.jsonl")], on: bench)
        let script = """
            (until set -- '\(bench.path)'/out.jsonl.*.partial; [ -e "$1" ]; do kill -0 $$ || exit; done; kill -TERM $$) &
            exec \(prefix) "$0" "$@"
            """
        run.process.arguments = ["-c", script, try ToolProcess.program.path] + (run.process.arguments ?? [])
        run.process.executableURL = URL(filePath: "/bin/sh")
        try run.process.run()
        return (try await run.finish(), run.process.terminationReason == .uncaughtSignal)
    }

    @Test("An export that a signal ends keeps the old file and leaves nothing else")
    func terminated() async throws {
        try bench.file("out.jsonl", "old".utf8)
        let (run, isBySignal) = try await signalled("")
        #expect(isBySignal && run.status == SIGTERM, "\(run.errors)")
        #expect(try bench.files("out.jsonl") == ["out.jsonl"])
        #expect(try bench.contents("out.jsonl") == Array("old".utf8))
    }

    @Test("An export goes on if it has to ignore the signal")
    func ignored() async throws {
        let (run, _) = try await signalled("env --ignore-signal=TERM")
        #expect(run.text == "Exported 3 sessions to \(bench.path("out.jsonl")).\n", "\(run.errors)")
        #expect(try bench.files("out.jsonl") == ["out.jsonl"])
    }
}
#endif
