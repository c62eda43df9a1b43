#if SQLite && os(Linux)
import Foundation
import AgentSessionsTestSupport
import Testing

/// A library that records the syncs of a process, or `nil` if there is no compiler.
private let recordingSync = preloadedLibrary("RecordingSync/recording_sync.c")

/// Where a store is, relative to an empty folder; the folders that opening it makes or fills, and its file.
struct NewStore: Sendable, CustomTestStringConvertible {
    let url: String?
    let folders: [String]
    let file: String

    var testDescription: String { url ?? "the default" }

    static let all: [NewStore] = {
        var all = [
            NewStore(url: "sqlite://{}/a.db", folders: [""], file: "/a.db-wal"),
            NewStore(
                url: nil, folders: ["", "/new", "/new/data", "/new/data/agent-sessions"],
                file: "/new/data/agent-sessions/sessions.db-wal"),
        ]
        #if LMDB
        all.append(NewStore(url: "lmdb://{}/store", folders: ["", "/store"], file: "/store/data.mdb"))
        #endif
        return all
    }()
}

@Suite(
    "Disk syncs of a new store", .enabled(if: recordingSync != nil, "needs clang"),
    .disabled(
        if: ProcessInfo.processInfo.environment["SANITIZER"] != nil,
        "the run time of a sanitizer has to be loaded before anything else"))
struct DirectorySyncTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test(
        "The name and the new folders of a store are synced to disk before anything is stored in it",
        arguments: NewStore.all)
    func folders(of store: NewStore) async throws {
        let pipe = Pipe()
        let process = Process()
        process.executableURL = URL(filePath: try ToolProcess.program.path)
        process.arguments = ["create", "--actor", "a/b"]
        process.environment = [
            "LD_PRELOAD": try #require(recordingSync), "RECORDED_SYNCS": bench.path("syncs"), "HOME": bench.path,
            "XDG_DATA_HOME": bench.path("new/data"),
        ]
        if let url = store.url {
            process.environment?["AGENT_SESSIONS_STORE"] = url.replacingOccurrences(of: "{}", with: bench.path)
        }
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try await ToolProcess.read(pipe)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(output)")

        let folder = try #require(realpath(bench.path, nil))
        defer { free(folder) }
        let place = String(cString: folder)
        let synced = String(decoding: try bench.contents("syncs"), as: UTF8.self).split(separator: "\n").map(
            String.init)
        // The commit of the session is the last.
        let stored = try #require(synced.lastIndex(of: place + store.file), "\(synced)")
        for name in store.folders { #expect(synced[..<stored].contains(place + name), "\(name): \(synced)") }
    }
}
#endif
