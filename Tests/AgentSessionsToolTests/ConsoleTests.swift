import AgentSessions
import AgentSessionsTestSupport
import Foundation
import Testing

@testable import agent_sessions

@Suite("Console")
struct ConsoleTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test("Options may stand before or after the verb")
    func options() throws {
        #expect(
            try GlobalOptions.afterTheVerb(["--json", "--store", "a", "list", "--limit", "1"])
                == ["list", "--json", "--store", "a", "--limit", "1"])
        #expect(
            try GlobalOptions.afterTheVerb(["--store=a", "--config=b", "list"]) == ["list", "--store=a", "--config=b"])
        #expect(
            try GlobalOptions.afterTheVerb(["append", "x", "--content", "--json"]) == [
                "append", "x", "--content", "--json",
            ])
        #expect(try GlobalOptions.afterTheVerb(["--json"]) == [])
        #expect(try GlobalOptions.afterTheVerb([]) == [])
    }

    @Test(
        "A missing verb is a usage error, even if an option took it as its value",
        arguments: [
            ["--store", "verify"], ["--config", "list"], ["--store"], ["--store="], ["--json", "--store", "a"],
        ])
    func missingVerb(_ arguments: [String]) async throws {
        try await bench.run(arguments).expectRefusal("There is no verb", [64])
    }

    @Test(
        "A store or file without a name is a usage error",
        arguments: [
            ["--store", "", "verify"], ["verify", "--store", ""], ["--store=", "verify"], ["--config", "", "list"],
            ["copy", "--from", "", "--to", "memory:"], ["copy", "--from", "memory:", "--to", ""],
            ["export", "--all", "--output", ""], ["import", ""], ["append", "x", "--batch", ""],
            ["bench", "--stores", ""], ["bench", "--save", ""], ["bench", "--corpus", ""], ["bench", "--compare", ""],
            ["bench", "--report", ""], ["conformance", "--report", ""], ["conformance", "--beside", ""],
        ])
    func emptyName(_ arguments: [String]) async throws {
        try await bench.run(arguments).expectRefusal("Usage: ", [64])
    }

    @Test(
        "Help about an unknown verb is a usage error",
        arguments: [["help", "nosuch"], ["help", "list", "extra"], ["help", "list", "help"], ["help", ""]])
    func helpAboutNothing(_ arguments: [String]) async throws {
        try await bench.run(arguments).expectRefusal("verb", [64])
    }

    @Test(
        "A usage error shows no password of a store URL",
        arguments: [
            ["postgres://u:s3cret@h/db", "list"], ["list", "postgres://u:s3cret@h/db"],
            ["list", "postgres://u:s3?cret@h/db"], ["list", "postgres://u:p?s3cret&s3cret@h/db"],
            ["list", "--stor=postgres://u:s3cret@h/db"], ["--store", "postgres://u:s3cret@h/db", "--", "list"],
            ["--store", "postgres://u:s3cret@h/db"],
            ["postgres://someone:\(String(repeating: "s3cret", count: 20))@h/db"],
        ])
    func secretsInArguments(_ arguments: [String]) async throws {
        let result = try await bench.run(arguments)
        result.expectRefusal("", [64])
        #expect(!result.errors.contains("cret"), "\(result.errors)")
    }

    @Test("An unknown verb is named, whatever stands beside it", arguments: [["--json"], []])
    func unknownVerb(before: [String]) async throws {
        let result = try await bench.run(before + ["frobnicate", "--limit", "3"])
        result.expectRefusal("\"frobnicate\"", [64])
    }

    @Test(
        "Help and the version are printed to standard output",
        arguments: [[], ["--help"], ["help"], ["--version"], ["help", "list"], ["list", "-h"], ["--json"]])
    func help(_ arguments: [String]) async throws {
        let result = try await bench.run(arguments)
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
        #expect(
            arguments == ["--version"]
                ? result.text == BuildInfo.version + "\n" : result.text.contains("agent-sessions"))
    }

    @Test(
        "Invalid arguments are a usage error",
        arguments: [
            ["nonsense"], ["list", "--nonsense"], ["list", "extra"], ["create"], ["show"], ["--nonsense", "list"],
            ["list", "--store"], ["list", "--limit", "--json"], ["export"], ["export", "--all"], ["import"],
            ["rewind", "x"],
            ["export", "x", "--all"], ["export", "x", "--format", "xml"],
        ])
    func usage(_ arguments: [String]) async throws {
        let result = try await bench.run(arguments)
        result.expectRefusal("Usage: ", [64])
    }

    @Test("Help that cannot be printed is an error")
    func helpNobodyReads() async throws {
        let console = Console(input: -1, output: -1, errors: -1, showsProgress: false)
        #expect(await Tool.run(["--help"], in: ToolContext(console: console, environment: [:])) == 1)
        #expect(await Tool.run(["nonsense"], in: ToolContext(console: console, environment: [:])) == 64)
        #expect(
            await Tool.run(
                ["list"], in: ToolContext(console: console, environment: ["AGENT_SESSIONS_STORE": "memory:"])) == 1)
        #expect(
            await Tool.run(
                ["demo"], in: ToolContext(console: console, environment: ["AGENT_SESSIONS_STORE": "memory:"])) == 1)
    }

    @Test("Lines of any length are read with any line ending")
    func lines() throws {
        let long = String(repeating: "x", count: 200_000)
        let file = try bench.file("lines", "one\n\n\(long)\nlast".utf8)
        try InputFile.reading(file) { (input) throws(StoreError) in
            var reader = LineReader(input, limit: 200_000)
            var lines: [String] = []
            while let line = try reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
            #expect(lines == ["one", "", long, "last"])
            #expect(reader.line == 4)
            #expect(try reader.next() == nil)
        }
        let error = #expect(throws: StoreError.self) {
            try InputFile.reading(file) { (input) throws(StoreError) in
                var reader = LineReader(input, limit: 199_999)
                while try reader.next() != nil {}
            }
        }
        #expect(error?.message.contains("line 3") == true)
    }

    @Test("Output is passed on in full, even if it is larger than the buffer")
    func output() throws {
        let descriptor = open(bench.path("out"), O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        let output = ByteOutput(FileDescriptor(borrowing: descriptor), name: "The test")
        let chunk = [UInt8](repeating: 7, count: 50_000)
        for _ in 1...5 { try output.write(chunk) }
        #expect(try bench.contents("out").count == 200_000)
        try output.flush()
        #expect(try bench.contents("out").count == 250_000)
    }

    @Test("Progress is shown on a terminal and removed at the end")
    func progress() throws {
        let descriptor = open(bench.path("err"), O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        let watched = ProgressBar(
            "Working", on: Console(input: -1, output: -1, errors: descriptor, showsProgress: true))
        watched.clear()
        for fraction in [0, 0.001, 0.5, 0.25, 2, .infinity] { watched.show(fraction) }
        watched.clear()
        watched.show(count: 3, of: "things")
        watched.clear()
        let text = String(decoding: try bench.contents("err"), as: UTF8.self)
        #expect(text.split(separator: "\r").count == 6)
        #expect(text.contains("[###############...............] 50 %"))
        #expect(text.contains("Working 3 things"))
        #expect(text.hasSuffix("\r\u{1B}[K"))
        let unwatched = ProgressBar("Working", on: Console(input: -1, output: -1, errors: -1, showsProgress: false))
        unwatched.show(0.5)
        unwatched.show(count: 3, of: "things")
        unwatched.clear()
    }
}

@Suite("Replacing files")
struct ReplacingFileTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    private func write(_ name: String, _ text: String) async throws {
        try await ReplacingFile.write(to: bench.path(name)) { (output) throws(StoreError) in try output.print(text) }
    }

    @Test("A complete file replaces the old one and belongs to its owner alone")
    func replaces() async throws {
        try bench.file("a", "old".utf8)
        try await write("a", "new")
        #expect(try bench.contents("a") == Array("new\n".utf8))
        let attributes = try FileManager.default.attributesOfItem(atPath: bench.path("a"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try bench.files("a") == ["a"])
    }

    @Test("A file that cannot be written leaves the old one and nothing else")
    func fails() async throws {
        try bench.file("a", "old".utf8)
        let error = await #expect(throws: StoreError.self) {
            try await ReplacingFile.write(to: bench.path("a")) { (output) throws(StoreError) in
                try output.print("half")
                try output.flush()
                throw StoreError(.corrupt, "stop")
            }
        }
        #expect(error?.code == .corrupt)
        #expect(try bench.contents("a") == Array("old".utf8))
        #expect(try bench.files("a") == ["a"])
    }

    @Test("A link is followed and stays a link")
    func link() async throws {
        try bench.file("target", "old".utf8)
        try FileManager.default.createSymbolicLink(
            atPath: bench.path("link"), withDestinationPath: bench.path("target"))
        try await write("link", "new")
        #expect(try bench.contents("target") == Array("new\n".utf8))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: bench.path("link")) == bench.path("target"))
    }

    @Test("A link to nothing stays a link, and the file is created at its target", arguments: [true, false])
    func danglingLink(isRelative: Bool) async throws {
        let manager = FileManager.default
        try manager.createDirectory(atPath: bench.path("folder"), withIntermediateDirectories: false)
        let target = isRelative ? "folder/target" : bench.path("folder/target")
        try manager.createSymbolicLink(atPath: bench.path("link"), withDestinationPath: target)
        // A link to a link, too.
        try manager.createSymbolicLink(atPath: bench.path("folder/first"), withDestinationPath: "../link")
        try await write("folder/first", "new")
        #expect(try bench.contents("folder/target") == Array("new\n".utf8))
        #expect(try manager.destinationOfSymbolicLink(atPath: bench.path("link")) == target)
        #expect(try manager.destinationOfSymbolicLink(atPath: bench.path("folder/first")) == "../link")
        #expect(try manager.contentsOfDirectory(atPath: bench.path("folder")).sorted() == ["first", "target"])
    }

    @Test("Links in a circle and links into a missing folder are errors")
    func badLinks() async throws {
        for (name, target, hint) in [("loop", "loop", "symbolic links"), ("lost", "none/file", "No such file")] {
            try FileManager.default.createSymbolicLink(atPath: bench.path(name), withDestinationPath: target)
            let error = await #expect(throws: StoreError.self) { try await write(name, "x") }
            #expect(
                error?.code == .unavailable && error?.message.contains(hint) == true, "\(String(describing: error))")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: bench.path(name)) == target)
        }
    }

    @Test(
        "A file name may have the maximum length and any characters",
        arguments: [
            String(repeating: "n", count: 245), String(repeating: "n", count: 255), String(repeating: "é", count: 127),
            String(repeating: "👩‍👩‍👧‍👦", count: 10), "\u{301}x",
        ])
    func longName(_ name: String) async throws {
        for text in ["one", "two"] {
            try await write(name, text)
            #expect(try bench.contents(name) == Array("\(text)\n".utf8))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.path).count == 1)
    }

    @Test(
        "A file name that is too long or empty is an error",
        arguments: [String(repeating: "n", count: 256), "new/", ""])
    func noName(_ name: String) async throws {
        let path = name.isEmpty ? name : bench.path(name)
        let error = await #expect(throws: StoreError.self) {
            try await ReplacingFile.write(to: path) { (output) throws(StoreError) in try output.print("x") }
        }
        #expect(error?.code == .invalidArgument || error?.message.contains("too long") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.path).isEmpty)
    }

    @Test("A file name without a folder is in the working directory")
    func workingFolder() throws {
        let target = try FileTarget("name")
        var (here, there) = (stat(), stat())
        #expect(fstat(target.folder.number, &here) == 0 && stat(".", &there) == 0)
        #expect(here.st_ino == there.st_ino && here.st_dev == there.st_dev && target.name == "name")
        #expect(try FileTarget("/name-that-is-not-there").name == "name-that-is-not-there")
    }

    @Test("A path that is not a regular file is refused", arguments: [".", "/dev/null"])
    func special(_ path: String) async throws {
        let path = path == "." ? bench.path : path
        let error = await #expect(throws: StoreError.self) {
            try await ReplacingFile.write(to: path) { (output) throws(StoreError) in try output.print("x") }
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test("A file in a missing folder is an error")
    func noFolder() async {
        let error = await #expect(throws: StoreError.self) { try await write("none/a", "x") }
        #expect(error?.code == .unavailable)
    }

    @Test("A full disk during the replacement of a file is an error that leaves nothing behind")
    func fullDisk() throws {
        let descriptor = open("/dev/full", O_WRONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let output = ByteOutput(FileDescriptor(borrowing: descriptor), name: "The disk")
        let error = #expect(throws: StoreError.self) {
            try output.print("x")
            try output.flush()
        }
        #expect(error?.message.contains("No space left") == true)
        try output.flush()
    }
}

@Suite("Bytes taken back from an output")
struct TakingBackTests {
    private let bench: Workbench
    private let chunk = [UInt8](repeating: 7, count: 50_000)

    init() throws { bench = try Workbench() }

    /// Runs `body` with an output to a file of the folder.
    private func withOutput(
        _ flags: Int32 = 0, _ body: (ByteOutput, _ descriptor: Int32) async throws -> Void
    ) async throws {
        let descriptor = open(bench.path("out"), O_RDWR | O_CREAT | flags, 0o600)
        defer { close(descriptor) }
        try await body(ByteOutput(FileDescriptor(borrowing: descriptor), name: "The test"), descriptor)
    }

    @Test(
        "Bytes taken back are removed from the buffer and the file, and later bytes replace them",
        arguments: [0, O_APPEND])
    func takenBack(_ flags: Int32) async throws {
        try bench.file("out", flags == 0 ? [] : [1, 2])
        let before = try bench.contents("out")
        try await withOutput(flags) { (output, _) in
            try output.write([3, 4])
            #expect(try await output.takeBack(1))
            for _ in 0..<5 { try output.write(chunk) }
            #expect(try await output.takeBack(250_000))
            try output.write([5])
            for _ in 0..<2 { try output.write(chunk) }
            try output.flush()
            #expect(try await output.takeBack(100_000))
            try output.write([6])
            try output.flush()
            #expect(try bench.contents("out") == before + [3, 5, 6])
            #expect(try await output.takeBack(3))
            try output.flush()
            #expect(try bench.contents("out") == before)
        }
    }

    @Test("No more bytes can be taken back than were written, and none that another program wrote")
    func others() async throws {
        try bench.file("out", [1, 2, 3, 4])
        // The output overwrites the bytes of the file, and is not behind them.
        try await withOutput { (output, _) in
            try output.write([9, 9])
            try output.flush()
            #expect(try await !output.takeBack(2))
        }
        try await withOutput(O_APPEND) { (output, descriptor) in
            try output.write([5, 6])
            try output.flush()
            #expect(try await !output.takeBack(3))
            // Another program writes behind the output.
            #expect(write(descriptor, "x", 1) == 1)
            #expect(try await !output.takeBack(1))
            try output.write([7])
            try output.flush()
            #expect(try await !output.takeBack(2))
            #expect(try await output.takeBack(1))
        }
        #expect(try bench.contents("out") == [9, 9, 3, 4, 5, 6, UInt8(ascii: "x")])
    }

    @Test("Bytes that were sent to a pipe cannot be taken back, but buffered ones can")
    func pipe() async throws {
        let pipe = Pipe()
        let output = ByteOutput(
            FileDescriptor(borrowing: pipe.fileHandleForWriting.fileDescriptor), name: "The test")
        try output.write([1, 2])
        #expect(try await output.takeBack(1))
        try output.flush()
        #expect(try await !output.takeBack(1))
        #expect(pipe.fileHandleForReading.availableData == Data([1]))
    }
}
