import AgentSessions
import AgentSessionsSQLite
import Foundation
import Testing

@testable import agent_sessions

@Suite("Processes of the tool on one file", .timeLimit(.minutes(3)))
struct ProcessTests {
    @Test("Eight processes that append to one session at once leave no gap and no twin, and lose nothing")
    func eightWriters() async throws {
        let bench = try Workbench()
        let id = try await bench.session()
        let store = bench.store()
        let perProcess = 6
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<perProcess {
                        let content = "\(writer)-\(number)"
                        let result = try await ToolProcess.run(
                            ["append", id, "--role", "user", "--content", content, "--json"], store: store)
                        #expect(result.status == 0, "\(result.output)")
                    }
                }
            }
            try await group.waitForAll()
        }
        let messages = try #require(try await bench.show(id)["messages"]?.arrayValue)
        #expect(messages.compactMap { $0["sequence"]?.integerValue } == Array(1...Int64(8 * perProcess)))
        let expected = Set((0..<8).flatMap { writer in (0..<perProcess).map { "\(writer)-\($0)" } })
        #expect(Set(messages.compactMap { $0["content"]?.stringValue }) == expected)
    }

    @Test("Processes that make a store at the same moment all find it made once")
    func racingOpeners() async throws {
        let bench = try Workbench()
        let store = bench.store("fresh.db")
        let outputs = try await withThrowingTaskGroup(of: (status: Int32, output: String).self) { group in
            for _ in 0..<8 {
                group.addTask { try await ToolProcess.run(["create", "--actor", "a/b", "--json"], store: store) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for output in outputs { #expect(output.status == 0, "\(output.output)") }
        let listed = try await ToolProcess.run(["list", "--json"], store: store)
        let sessions = try JSONParser.parse(listed.output)["sessions"]?.arrayValue
        #expect(sessions?.count == 8)
    }

    @Test("A killed process has lost nothing that it had printed as stored", arguments: [7, 40, 90, 170])
    func killedWriter(milliseconds: Int) async throws {
        let bench = try Workbench()
        let id = try await bench.session()
        let store = bench.store()
        // A shell that runs the tool again and again, so that the kill falls into any part of a run. It leads a process
        // group of its own, whose number it tells, and ends by itself should nobody kill it.
        let loop = """
            echo $$; n=0
            while [ $n -lt 200 ]; do n=$((n+1)); "$0" --store "$1" append "$2" --role user --content "line $n" --json; done
            """
        try bench.file("printed", [])
        let output = try #require(FileHandle(forWritingAtPath: bench.path("printed")))
        let shell = Process()
        shell.executableURL = URL(filePath: "/usr/bin/setsid")
        shell.arguments = ["--wait", "/bin/sh", "-c", loop, ToolProcess.path, store, id]
        shell.standardOutput = output
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        func printed() throws -> [Substring] {
            String(decoding: try bench.contents("printed"), as: UTF8.self).split(separator: "\n")
        }
        while try printed().count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        try await Task.sleep(for: .milliseconds(milliseconds))
        let group = try #require(pid_t(try printed()[0]))
        // The whole group, the tool too, without a chance to clean up.
        #expect(kill(-group, SIGKILL) == 0)
        shell.waitUntilExit()
        let lines = try printed().dropFirst()
        let acknowledged = try lines.compactMap { line -> Int64? in
            // The last line may have been cut; only a whole line is an acknowledgement.
            guard line.hasSuffix("}") else { return nil }
            return try JSONParser.parse(String(line))["sequence"]?.integerValue
        }
        let messages = try #require(try await bench.show(id)["messages"]?.arrayValue)
        let sequences = messages.compactMap { $0["sequence"]?.integerValue }
        #expect(sequences == (0..<Int64(sequences.count)).map { $0 + 1 })
        #expect(Set(acknowledged).isSubset(of: sequences))
        #expect(!acknowledged.isEmpty)
    }
}

@Suite("A corpus of real conversations", .enabled(if: Corpus.isThere, "shared/data is not beside this clone"))
struct CorpusTests {
    @Test("Imported, archived and imported elsewhere, it gives back every role, content, tool call and number")
    func roundTrip() async throws {
        let bench = try Workbench()
        let imported = try await bench.run("import", "--format", "openai", Corpus.path, "--json").json()
        #expect(imported["sessions"] == 200)
        #expect(imported["messages"] == 5308)

        let archive = bench.path("all.jsonl")
        #expect(try await bench.run("export", "--all", "--output", archive, "--json").status == 0)
        let other = bench.store("other.db")
        let again = try await bench.run(["--store", other, "import", archive, "--json"]).json()
        #expect(again["messages"] == 5308)

        // Back to the chat format, and compared with what came in.
        #expect(try await chats(imported["ids"], in: bench.path("a.db")) == Corpus.conversations())
        // An archive begins with the newest session, so the second import has another order.
        let twice = try await chats(again["ids"], in: bench.path("other.db"))
        #expect(Set(twice) == Set(try Corpus.conversations()))
        #expect(twice.count == 200)
    }

    /// The sessions of these ids in the chat format.
    private func chats(_ ids: JSONValue?, in path: String) async throws -> [JSONValue] {
        let store = try await SQLiteSessionStore.open(SQLiteConfiguration(path: path))
        let service = PersistentSessionService(store)
        var chats: [JSONValue] = []
        for id in try #require(ids?.arrayValue) {
            var bytes: [UInt8] = []
            let id = try ULID(parsing: #require(id.stringValue))
            for try await chunk in service.exportSession(id, format: .openai) { bytes += chunk }
            chats.append(try JSONParser.parse(bytes, limits: Corpus.limits))
        }
        await store.close()
        return chats
    }
}

/// The recorded conversations that lie beside the project where it is developed; they are no part of it.
enum Corpus {
    static let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/data/tau-airline.jsonl")
        .path(percentEncoded: false)
    static var isThere: Bool { FileManager.default.isReadableFile(atPath: path) }
    static let limits = JSONLimits(maximumBytes: .max, maximumDepth: 100)

    static func conversations() throws -> [JSONValue] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            try JSONParser.parse(String($0), limits: limits)
        }
    }
}
