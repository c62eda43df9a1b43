#if SQLite && LMDB && Postgres
import AgentSessions
import Foundation
import AgentSessionsPostgresServer
import AgentSessionsTestSupport
import Testing

/// The rights of a user to a store that belongs to another.
enum Rights: CaseIterable {
    case none, reading

    /// The SQL that gives the role of a schema these rights.
    func grants(on schema: String) -> String {
        guard self == .reading else { return "" }
        return "GRANT USAGE ON SCHEMA \(schema) TO r\(schema); "
            + "GRANT SELECT ON ALL TABLES IN SCHEMA \(schema) TO r\(schema)"
    }
}

/// Refusals of Postgres alone are among the tests of its backend.
@Suite("Stores that the tool cannot use", .timeLimit(.minutes(5)))
struct PlaceTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    /// Every file of the folder with its content, and folders and links by their names.
    private func snapshot() throws -> [String: Data?] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: shop.path)
            // LMDB makes this file before it reads the data.
            .filter { $0 != "junk/lock.mdb" }
        return names.reduce(into: [:]) { $0[$1] = .some(FileManager.default.contents(atPath: "\(shop.path)/\($1)")) }
    }

    @Test(
        "A URL that names no store is an error with a hint",
        arguments: [
            ("mongo:x", "no backend \"mongo\""), ("sessions.db", "no scheme"), ("sqlite:", "path"), ("lmdb:", "path"),
            ("sqlite://host/a.db", "host"), ("lmdb://host/a", "host"), ("sqlite:a%zz.db", "percent"),
            ("lmdb:a%00b", "path"),
            ("sqlite:a.db?colour=red", "\"colour\""), ("lmdb:a?colour=red", "\"colour\""),
            ("sqlite:a.db?synchronous=maybe", "full"), ("lmdb:a?sync=maybe", "nometa"), ("lmdb:a?map_size=1", "1MiB"),
            ("lmdb:a?map_size=lots", "map_size"), ("lmdb:a?max_readers=1", "max_readers"),
        ])
    func invalidURL(url: String, hint: String) async throws {
        try await BuiltTool(on: url).run("create", "--actor", "a").expectRefusal("invalidArgument", hint)
    }

    @Test("A file of another kind, a folder and a missing path are refused and stay as they are")
    func wrongFile() async throws {
        let manager = FileManager.default
        for folder in ["folder", "junk"] {
            try manager.createDirectory(atPath: "\(shop.path)/\(folder)", withIntermediateDirectories: false)
        }
        for (file, size) in [("letter", 46), ("long", 20_000), ("folder/notes.txt", 5), ("junk/data.mdb", 16_384)] {
            try Data(repeating: 7, count: size).write(to: URL(filePath: "\(shop.path)/\(file)"))
        }
        try manager.createSymbolicLink(atPath: "\(shop.path)/loop", withDestinationPath: "loop")
        let long = String(repeating: "n", count: 300)
        let before = try snapshot()
        // A verb that creates no store says that there is none.
        for (store, hints, isNothing) in [
            ("sqlite://\(shop.path)/letter", ["corrupt", "not an SQLite database"], false),
            ("sqlite://\(shop.path)/long", ["corrupt", "not an SQLite database"], false),
            ("sqlite://\(shop.path)/folder", ["unavailable", "not a file"], false),
            ("sqlite://\(shop.path)/none/a.db", ["folder must exist"], true),
            ("sqlite://\(shop.path)/letter/a.db", ["letter/a.db"], false),
            ("sqlite://\(shop.path)/loop", ["loop"], false), ("sqlite://\(shop.path)/\(long)", ["too long"], false),
            ("lmdb://\(shop.path)/letter", ["unavailable", "not a folder"], false),
            ("lmdb://\(shop.path)/folder", ["unavailable", "holds other files", "notes.txt"], true),
            ("lmdb://\(shop.path)/junk", ["corrupt", "not an LMDB file"], false),
            ("lmdb://\(shop.path)/none/a", ["must exist"], true),
            ("lmdb://\(shop.path)/letter/a", ["Not a directory"], false),
            ("lmdb://\(shop.path)/loop", ["symbolic links"], false),
            ("lmdb://\(shop.path)/\(long)", ["too long"], false),
        ] {
            let tool = try BuiltTool(on: store)
            for verb in [["list"], ["create", "--actor", "a"]] {
                let run = try await tool.run(verb)
                run.expectRefusal(isNothing && verb == ["list"] ? ["no store"] : hints, of: "\(verb) \(store)")
                #expect(!run.errors.contains("internalFailure"), "\(run.errors)")
                #expect(try snapshot() == before, "\(verb) \(store)")
            }
        }
    }

    @Test("A store that is newer than the tool is refused and stays as it is", arguments: Engine.available)
    func newerStore(engine: Engine) async throws {
        let name = PostgresCluster.freshSchema()
        let url = try shop.url(engine, name)
        let tool = try BuiltTool(on: url)
        let id = try await tool.createSession()
        _ = try await tool.json("append", id, "--role", "user", "--content", "x")
        let shown = try await tool.json("show", id)
        try await setFormatVersion(2, of: engine, name)
        for verb in [["show", id], ["append", id, "--role", "user", "--content", "y"], ["migrate"]] {
            let run = try await tool.run(verb)
            run.expectRefusal(["newerStore"], of: "\(verb)")
        }
        try await setFormatVersion(1, of: engine, name)
        #expect(try await tool.json("show", id) == shown)
        try await tool.expectSound()
    }

    /// Writes the version without the store.
    private func setFormatVersion(_ version: UInt8, of engine: Engine, _ name: String) async throws {
        let sql = "UPDATE resource_registry SET format_version = \(version)"
        switch engine {
        case .sqlite: try RawFile("\(shop.path)/\(name).db").execute(sql)
        case .postgres: try await PostgresCluster.shared().sql("SET search_path = \(name); \(sql)")
        case .lmdb:
            try RawEnvironment("\(shop.path)/\(name)").change(in: "resource_registry") { key, value in
                key == Array("store".utf8) ? .replace([version] + value.dropFirst()) : .keep
            }
        }
    }

    @Test(
        "A store without the necessary rights is refused and stays as it is", arguments: Engine.available,
        Rights.allCases)
    func missingRights(engine: Engine, rights: Rights) async throws {
        let folder = "\(shop.path)/store"
        if engine == .sqlite {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        }
        let schema = PostgresCluster.freshSchema()
        let url = try shop.url(engine, engine == .postgres ? schema : engine == .sqlite ? "store/a" : "store")
        let owner = try BuiltTool(on: url)
        let id = try await owner.createSession()
        _ = try await owner.json("append", id, "--role", "user", "--content", "x")
        let shown = try await owner.json("show", id)

        if engine == .postgres {
            try await PostgresCluster.shared().sql("CREATE ROLE r\(schema) LOGIN; \(rights.grants(on: schema))")
        } else {
            try setModes(of: folder, rights == .none ? (0, 0) : (0o555, 0o444))
        }
        // Root may do everything with files, and an owner everything with a schema.
        let stranger = try BuiltTool(on: url.replacing("user=postgres", with: "user=r\(schema)"), asNobodyIn: shop.path)
        for verb in [["append", id, "--role", "user", "--content", "y"], ["delete", id]] {
            let run = try await stranger.run(verb)
            run.expectRefusal(["unavailable"], of: "\(verb)")
        }
        if rights == .none { try await stranger.run("list").expectRefusal("unavailable") }

        if engine != .postgres { try setModes(of: folder, (0o700, 0o600)) }
        #expect(try await owner.json("show", id) == shown)
        try await owner.expectSound()
    }

    private func setModes(of folder: String, _ modes: (folder: mode_t, files: mode_t)) throws {
        chmod(folder, 0o700)
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
            chmod("\(folder)/\(file)", modes.files)
        }
        chmod(folder, modes.folder)
    }

    @Test("A store whose map cannot grow refuses what is too large and takes what fits")
    func fullMap() async throws {
        let tool = try BuiltTool(on: "lmdb://\(shop.path)/store?initial_map_size=1MiB&map_size=2MiB")
        let id = try await tool.createSession()
        let large = [UInt8](repeating: 0x78, count: 3 << 20)
        let refusal = ["limitExceeded", "MDB_MAP_FULL", "Raise map_size"]
        try await tool.run("append", id, "--role", "user", input: large).expectRefusal(refusal)
        let message = #"{"role":"user","content":"\#(String(repeating: "x", count: 1 << 20))"}"#
        let messages = [message, message, message]
        let batch = Array(messages.joined(separator: "\n").utf8)
        try await tool.run("append", id, "--batch", "-", input: batch).expectRefusal(refusal)
        let chat = "\(shop.path)/chat.jsonl"
        try Data(#"{"messages":[\#(messages.joined(separator: ","))]}"#.utf8).write(to: URL(filePath: chat))
        try await tool.run("import", "--format", "openai", chat).expectRefusal(refusal)
        #expect(try await tool.messages(of: id).isEmpty)
        #expect(try await tool.json("append", id, "--role", "user", "--content", "fits")["sequence"] == 1)
        #expect(try await tool.json("list")["sessions"]?.arrayValue?.count == 1)
        try await tool.expectSound()
        // With a larger map it is stored.
        let wider = try BuiltTool(on: "lmdb://\(shop.path)/store?map_size=16MiB")
        #expect(try await wider.json("append", id, "--role", "user", input: large)["sequence"] == 2)
    }
}
#endif
