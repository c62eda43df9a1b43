#if SQLite
import AgentSessions
import Foundation
import Testing

@testable import agent_sessions

/// The built program in processes of its own.
@Suite("The program")
struct ProgramTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    /// The program, which stands beside the tests.
    private static var executable: URL {
        #if os(macOS)
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") } ?? .main
        return bundle.bundleURL.deletingLastPathComponent().appending(path: "agent-sessions")
        #else
        return URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "agent-sessions")
        #endif
    }

    /// Runs a line of the shell, in which `$T` is the program on the store of the test, to its end.
    ///
    /// - Parameter started: Told the process when it runs. Nothing here blocks a thread of Swift's pool.
    private func shell(
        _ line: String, started: @Sendable @escaping (Int32) async throws -> Void = { _ in }
    ) async throws -> ToolResult {
        let name = UUID().uuidString
        let (output, errors) = (try bench.file("\(name).out", []), try bench.file("\(name).err", []))
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", line]
        process.currentDirectoryURL = URL(filePath: bench.path)
        process.environment = [
            "T": Self.executable.path(percentEncoded: false), "AGENT_SESSIONS_STORE": bench.store(), "HOME": bench.path,
            "PATH": "/usr/bin:/bin", "TMPDIR": bench.path,
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try #require(FileHandle(forWritingAtPath: output))
        process.standardError = try #require(FileHandle(forWritingAtPath: errors))
        let (ended, end) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { process in
            end.yield(process.terminationStatus)
            end.finish()
        }
        try process.run()
        try await started(process.processIdentifier)
        var status: Int32 = -1
        for await ending in ended { status = ending }
        return ToolResult(
            status: status, output: try bench.contents("\(name).out"),
            errors: String(decoding: try bench.contents("\(name).err"), as: UTF8.self))
    }

    @Test("Does what its arguments say, and exits with what became of it")
    func works() async throws {
        #expect(try await shell("\"$T\" --version").text == "\(BuildInfo.version)\n")
        let made = try await shell("\"$T\" create --actor local/é --json").json()
        #expect(made["actor_name"] == "local/é")
        #expect(try await shell("\"$T\" list").text.contains("local/é"))
        try await shell("\"$T\" show x").expectRefusal("ULID")
        try await shell("\"$T\" nonsense").expectRefusal("nonsense", [64])
        try await shell("\"$T\" create --actor \"$(printf 'a\\377')\"").expectRefusal("not UTF-8", [64])
    }

    @Test("Reads content from a pipe, whatever bytes of text it holds")
    func pipe() async throws {
        let id = try await bench.session()
        let stored = try await shell("printf 'a\\000b\\n' | \"$T\" append \(id) --role user --json").json()
        #expect(stored["content"] == "a\0b\n")
    }

    @Test("A closed or full standard output is an error, not a crash, and never reaches the store")
    func closedOutput() async throws {
        let id = try await bench.session()
        for number in 1...400 { try await bench.append(id, "user", String(repeating: "x", count: 500) + "\(number)") }
        let gone = try await shell("{ \"$T\" show \(id) --json; echo $? >status; } | head -c 10 >/dev/null; cat status")
        #expect(gone.text == "1\n")
        #expect(gone.errors.contains("Broken pipe"))
        try await shell("\"$T\" list >&-").expectRefusal("Standard output cannot be written")
        try await shell("\"$T\" list >/dev/full").expectRefusal("No space left")
        try await shell("\"$T\" append \(id) --role user <&-").expectRefusal("Standard input cannot be read")
        try await shell("\"$T\" list 2>&- >&-; test $? = 1 || echo wrong >&2; echo error: >&2; exit 1").expectRefusal("error")
        #expect(try await shell("\"$T\" list --json").json()["sessions"]?.arrayValue?.count == 1)
    }

    @Test("A full disk fails an export and leaves no part of it", .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func fullDisk() async throws {
        let id = try await bench.session()
        try await shell("\"$T\" export \(id) >/dev/full").expectRefusal("No space left")
        // A limit on the size of files stands in for a full disk.
        for number in 1...40 { try await bench.append(id, "user", String(repeating: "x", count: 5000) + "\(number)") }
        let limited = try await shell("trap '' XFSZ; ulimit -f 64; \"$T\" export \(id) --output big.json")
        limited.expectRefusal("big.json")
        #expect(try bench.files("big.json") == [])
    }

    @Test("Processes that append to one session at once leave no gap and lose nothing", .timeLimit(.minutes(2)))
    func concurrentProcesses() async throws {
        let id = try await bench.session()
        let printed = try await withThrowingTaskGroup(of: ToolResult.self) { group in
            for writer in 1...8 {
                group.addTask {
                    try await shell(
                        "for n in 1 2 3 4 5; do \"$T\" append \(id) --role user --content \(writer).$n --json || exit 1; done")
                }
            }
            var printed: [JSONValue] = []
            for try await result in group {
                #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
                for line in result.output.split(separator: 10) { printed.append(try JSONParser.parse(Array(line))) }
            }
            return printed
        }
        let shown = try await bench.show(id)
        let messages = try #require(shown["messages"]?.arrayValue)
        #expect(messages.map { $0["sequence"] } == (1...40).map { .integer($0) })
        #expect(Set(messages) == Set(printed))
        #expect(shown["session"]?["message_count"] == 40)
    }

    @Test("What was printed as stored is there after kill -9", .timeLimit(.minutes(2)))
    func killed() async throws {
        let id = try await bench.session()
        let line = "for n in $(seq 1000); do \"$T\" append \(id) --role user --content $n --json & P=$!; wait $P; done"
        let result = try await shell("trap 'kill -9 $P 2>/dev/null; exit 0' TERM; \(line)") { shell in
            try await Task.sleep(for: .milliseconds(1500))
            kill(shell, SIGTERM)
        }
        let printed = try result.output.split(separator: 10).map { try JSONParser.parse(Array($0)) }
        #expect(!printed.isEmpty)
        let messages = try #require(try await bench.show(id)["messages"]?.arrayValue)
        #expect(Array(messages.prefix(printed.count)) == printed)
        #expect(messages.count <= printed.count + 1)
        #expect(messages.map { $0["sequence"]?.integerValue } == (1...messages.count).map { Int64($0) })
    }
}
#endif
