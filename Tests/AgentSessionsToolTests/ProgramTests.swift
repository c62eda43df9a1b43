#if SQLite
import AgentSessions
import Foundation
import AgentSessionsTestSupport
import Testing

@testable import agent_sessions

/// The built program in processes of its own.
@Suite("The agent-sessions program")
struct ProgramTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    /// Runs a line of the shell, in which `$T` is the program on the store of the test, to its end.
    ///
    /// Nothing here blocks a thread of Swift's pool.
    private func shell(_ line: String) async throws -> ToolRun {
        let name = UUID().uuidString
        let (output, errors) = (try bench.file("\(name).out", []), try bench.file("\(name).err", []))
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", line]
        process.currentDirectoryURL = URL(filePath: bench.path)
        process.environment = sanitizerEnvironment.merging([
            "T": try ToolProcess.program.path, "AGENT_SESSIONS_STORE": bench.store(), "HOME": bench.path,
            "PATH": "/usr/bin:/bin", "TMPDIR": bench.path,
        ]) { _, mine in mine }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        let (ended, end) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { process in
            end.yield(process.terminationStatus)
            end.finish()
        }
        try process.run()
        var status: Int32 = -1
        for await ending in ended { status = ending }
        return ToolRun(
            status: status, output: try bench.contents("\(name).out"),
            errors: String(decoding: try bench.contents("\(name).err"), as: UTF8.self))
    }

    /// Appends messages of half a kilobyte each.
    private func fill(_ id: String, messages: Int) async throws {
        let line = "{\"role\":\"user\",\"content\":\"\(String(repeating: "x", count: 500))\"}\n"
        let result = try await bench.run(
            "append", id, "--batch", "-", input: Array(String(repeating: line, count: messages).utf8))
        #expect(result.status == 0)
    }

    @Test("The program does what its arguments say and exits with the matching status")
    func works() async throws {
        #expect(try await shell("\"$T\" --version").text == "\(BuildInfo.version)\n")
        let made = try await shell("\"$T\" create --actor local/é --json").json()
        #expect(made["actor_name"] == "local/é")
        #expect(try await shell("\"$T\" list").text.contains("local/é"))
        try await shell("\"$T\" show x").expectRefusal("ULID")
        try await shell("\"$T\" nonsense").expectRefusal("nonsense", [64])
        try await shell("\"$T\" create --actor \"$(printf 'a\\377')\"").expectRefusal("not UTF-8", [64])
    }

    @Test("The program reads content from a pipe, whatever text it holds")
    func pipe() async throws {
        let id = try await bench.session()
        let stored = try await shell("printf 'a\\000b\\n' | \"$T\" append \(id) --role user --json").json()
        #expect(stored["content"] == "a\0b\n")
    }

    @Test("A closed or full standard output is an error, not a crash, and never reaches the store")
    func closedOutput() async throws {
        let id = try await bench.session()
        try await fill(id, messages: 400)
        let gone = try await shell("{ \"$T\" show \(id) --json; echo $? >status; } | head -c 10 >/dev/null; cat status")
        #expect(gone.text == "1\n")
        #expect(gone.errors.contains("Broken pipe"))
        try await shell("\"$T\" list >&-").expectRefusal("Standard output cannot be written")
        try await shell("\"$T\" list >/dev/full").expectRefusal("No space left")
        try await shell("\"$T\" append \(id) --role user <&-").expectRefusal("Standard input cannot be read")
        #expect(try await shell("\"$T\" list 2>&- >&-; echo $?").text == "1\n")
        #expect(try await shell("\"$T\" list --json").json()["sessions"]?.arrayValue?.count == 1)
    }

    @Test(
        "An export to a full disk fails",
        .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func fullDisk() async throws {
        let id = try await bench.session()
        try await shell("\"$T\" export \(id) >/dev/full").expectRefusal("No space left")
    }

    @Test(
        "An export to a file that may not grow fails and leaves no part of it",
        .disabled(
            if: ProcessInfo.processInfo.environment["SANITIZER"] != nil,
            "the run time of Thread Sanitizer maps files of its own, and dies where they may not grow"))
    func limitedFile() async throws {
        let id = try await bench.session()
        try await fill(id, messages: 400)
        let limited = try await shell("trap '' XFSZ; ulimit -f 64; \"$T\" export \(id) --output big.json")
        limited.expectRefusal("big.json")
        #expect(try bench.files("big.json") == [])
    }

    #if os(Linux)
    @Test(
        "A store whose files may not grow is an error and does not end the process",
        .disabled(if: ProcessInfo.processInfo.environment["SANITIZER"] != nil, "as above"))
    func limitedStore() async throws {
        // The default action of the signal; the tests may run below a program that ignores it.
        let limited = try await shell("ulimit -f 16; env --default-signal=XFSZ \"$T\" create --actor a")
        limited.expectRefusal("a.db")
    }
    #endif
}
#endif
