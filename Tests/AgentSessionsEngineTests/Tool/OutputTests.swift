#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsBackends
import Foundation
import Testing

@Suite("Output files", .timeLimit(.minutes(5)))
struct OutputTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    private func expectRefusal(_ arguments: [String], _ location: SourceLocation = #_sourceLocation) async throws {
        let run = try await shop.tool(arguments)
        #expect(run.status == 1 && run.output.isEmpty, "\(arguments)", sourceLocation: location)
        #expect(run.errors.contains("invalidArgument"), "\(arguments): \(run.errors)", sourceLocation: location)
        #expect(run.errors.contains("of the store"), "\(arguments): \(run.errors)", sourceLocation: location)
    }

    @Test(
        "An output file that belongs to the store is refused, however it is named, and the store stays intact",
        arguments: [Engine.sqlite, .lmdb])
    func storeFile(engine: Engine) async throws {
        let url = try shop.url(engine, "store")
        let session = try await shop.withStore(url) { try await $0.makeService().filled(3) }
        let (data, others) =
            engine == .sqlite
            ? ("store.db", ["store.db-wal", "store.db-shm", "store.db-journal"])
            : ("store/data.mdb", ["store/lock.mdb"])
        let manager = FileManager.default
        for (link, target) in [("link", data), ("link2", "link"), ("dangling", others[0]), ("folder", ".")] {
            try manager.createSymbolicLink(atPath: "\(shop.path)/\(link)", withDestinationPath: target)
        }
        try manager.linkItem(atPath: "\(shop.path)/\(data)", toPath: "\(shop.path)/hard")
        let before = manager.contents(atPath: "\(shop.path)/\(data)")
        for name in [data] + others + [
            "link", "link2", "dangling", "folder/\(data)", "./../\(shop.name)/\(data)", "hard",
        ] {
            for what in [["--all"], [session.id.description]] {
                try await expectRefusal(["--store", url, "export"] + what + ["--output", "\(shop.path)/\(name)"])
            }
        }
        #expect(manager.contents(atPath: "\(shop.path)/\(data)") == before)
        let found = try await shop.withStore(url) { try await $0.makeService().get(session.id) }
        #expect(found == session)
        let beside = try await shop.tool("--store", url, "export", "--all", "--output", "\(shop.path)/\(data).jsonl")
        #expect(beside.status == 0, "\(beside.errors)")
    }

    @Test("A report file that belongs to a store is refused before the run begins")
    func reportFile() async throws {
        let path = "\(shop.path)/store.json"
        let url = "sqlite://\(path)"
        let session = try await shop.withStore(url) { try await $0.makeService().filled(3) }
        try await expectRefusal(["--store", url, "conformance", "--report", path])
        for option in ["--save", "--report"] {
            try await expectRefusal(["bench", "--stores", "memory:", url, option, path])
            try await expectRefusal(["--store", url, "bench", option, path])
        }
        let found = try await shop.withStore(url) { try await $0.makeService().get(session.id) }
        #expect(found == session)
    }
}

extension Workshop {
    /// The name of the folder.
    fileprivate var name: String { path.split(separator: "/").last.map(String.init) ?? "" }
}
#endif
