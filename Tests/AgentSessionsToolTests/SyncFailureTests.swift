#if SQLite && os(Linux)
import AgentSessions
import Foundation
import AgentSessionsTestSupport
import Testing

/// A library that makes every sync of a process fail, or `nil` if there is no compiler.
private let failingSync = preloadedLibrary("FailingSync/failing_sync.c")

/// A library that makes every sync of a folder fail.
private let failingFolderSync = preloadedLibrary("FailingSync/failing_folder_sync.c")

@Suite("Failing disk syncs")
struct SyncFailureTests {
    static let stores: [String] = {
        var stores = ["sqlite:a.db"]
        #if LMDB
        stores.append("lmdb:a")
        #endif
        return stores
    }()

    @Test(
        "A disk that fails to sync fails the append and loses nothing, and a second try stores the message once",
        .enabled(if: failingSync != nil, "needs clang"),
        .disabled(
            if: ProcessInfo.processInfo.environment["SANITIZER"] != nil,
            "the run time of a sanitizer has to be loaded before anything else"),
        arguments: stores)
    func append(to store: String) async throws {
        let bench = try Workbench()
        let url = store.replacingOccurrences(of: ":", with: "://\(bench.path)/")
        let library = try #require(failingSync)
        let made = try await bench.run(["--store", url, "create", "--actor", "a/b", "--json"]).json()
        let id = try #require(made["id"]?.stringValue)
        _ = try await bench.run(["--store", url, "append", id, "--role", "user", "--content", "before"])

        let message = "01BX5ZZKBKACTAV9WEVGEMMVRZ"
        let arguments = ["append", id, "--role", "user", "--content", "second turn", "--message-id", message]
        let pipe = Pipe()
        let process = try ToolProcess.make(arguments, store: url, output: pipe)
        process.environment = ["LD_PRELOAD": library, "HOME": bench.path]
        try process.run()
        let output = try await ToolProcess.read(pipe)
        process.waitUntilExit()
        #expect(process.terminationStatus == 1)
        #expect(output.hasPrefix("error: "), "\(output)")
        #expect(!output.contains("second turn"))

        // The store has what it had before, perhaps with the message of unknown outcome.
        let contents = try await bench.run(["--store", url, "show", id, "--json"]).contents()
        #expect(contents == ["before"] || contents == ["before", "second turn"])
        let again = try await bench.run(["--store", url] + arguments + ["--json"]).json()
        #expect(again["sequence"] == 2)
        #expect(try await bench.run(["--store", url, "show", id, "--json"]).contents() == ["before", "second turn"])
    }

    @Test(
        "A failed sync of the folder of an exported file is reported too",
        .enabled(if: failingFolderSync != nil, "needs clang"),
        .disabled(
            if: ProcessInfo.processInfo.environment["SANITIZER"] != nil,
            "the run time of a sanitizer has to be loaded before anything else"))
    func folderOfAnExport() async throws {
        let bench = try Workbench()
        let id = try await bench.session()
        let pipe = Pipe()
        let process = try ToolProcess.make(
            ["export", id, "--output", bench.path("out.json")], store: bench.store(), output: pipe)
        process.environment = ["LD_PRELOAD": try #require(failingFolderSync), "HOME": bench.path]
        try process.run()
        let output = try await ToolProcess.read(pipe)
        process.waitUntilExit()
        #expect(process.terminationStatus == 1)
        #expect(output.contains("out.json") && output.contains("folder cannot be brought to the disk"), "\(output)")
        #expect(try bench.files("out.json") == ["out.json"])
        #expect(try await bench.run("import", bench.path("out.json")).status == 0)
    }
}

extension ToolRun {
    /// The contents of the messages that `show` printed.
    fileprivate func contents() throws -> [String?] {
        try #require(try json()["messages"]?.arrayValue).map { $0["content"]?.stringValue }
    }
}
#endif
