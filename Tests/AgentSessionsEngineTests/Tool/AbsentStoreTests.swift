#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsBackends
import Foundation
import AgentSessionsPostgresServer
import Testing

@Suite("Stores that do not exist", .timeLimit(.minutes(5)))
struct AbsentStoreTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    private static let id = "01J9ZK5C8N4V6Q2W3E7R8T9Y0A"
    private static let verbs = [
        ["list"], ["show", id], ["append", id, "--role", "user", "--content", "x"],
        ["usage", id, "--input", "1", "--output", "1"], ["update", id, "--actor", "x"], ["rewind", id, "--to", "0"],
        ["delete", id], ["export", id], ["verify"],
    ]

    private func tool(_ arguments: [String]) async throws -> (status: Int32, output: String, errors: String) {
        try await shop.tool(arguments)
    }

    /// Whether anything exists at the place of the store.
    private func isAnything(_ engine: Engine, _ name: String) async throws -> Bool {
        switch engine {
        case .sqlite: FileManager.default.fileExists(atPath: "\(shop.path)/\(name).db")
        case .lmdb: FileManager.default.fileExists(atPath: "\(shop.path)/\(name)")
        case .postgres:
            try await PostgresCluster.shared().sql("SELECT count(*) FROM pg_namespace WHERE nspname = '\(name)'") != "0"
        }
    }

    @Test(
        "Every verb that needs a store says where it looked if there is none, and creates none",
        arguments: Engine.available)
    func verbsThatNeedOne(engine: Engine) async throws {
        let name = PostgresCluster.freshSchema()
        let url = try shop.url(engine, name)
        let backup = "\(shop.path)/backup.jsonl"
        try Data("yesterday".utf8).write(to: URL(filePath: backup))
        let other = try shop.url(.sqlite, "other")
        var commands = Self.verbs.map { ["--store", url] + $0 }
        commands.append(["--store", url, "export", "--all", "--output", backup])
        commands.append(["--store", url, "export", Self.id, "--output", backup])
        commands.append(["copy", "--from", url, "--to", other])
        for command in commands {
            let run = try await tool(command)
            #expect(run.status == 1 && run.output.isEmpty, "\(command)")
            #expect(run.errors.hasPrefix("error: notFound: There is no store in the "), "\(command): \(run.errors)")
            for hint in [name, "`create`", engine == .postgres ? "database" : shop.path] {
                #expect(run.errors.contains(hint), "\(run.errors)")
            }
            #expect(try await !isAnything(engine, name), "\(command)")
        }
        #expect(try String(contentsOfFile: backup, encoding: .utf8) == "yesterday")
        #expect(try await !isAnything(.sqlite, "other"))
    }

    @Test("The verbs that start a store create it", arguments: Engine.available)
    func verbsThatCreate(engine: Engine) async throws {
        let source = try shop.url(.sqlite, "source")
        try await shop.withStore(source) { _ = try await $0.makeService().filled(1) }
        let archive = "\(shop.path)/archive.jsonl"
        #expect(try await tool(["--store", source, "export", "--all", "--output", archive]).status == 0)
        for verb in [
            ["create", "--actor", "x"], ["import", archive], ["demo"], ["migrate"], ["copy", "--from", source],
        ] {
            let url = try shop.url(engine)
            let run = try await tool(verb + [verb[0] == "copy" ? "--to" : "--store", url])
            #expect(run.status == 0, "\(verb): \(run.errors)")
            #expect(try await tool(["--store", url, "list"]).status == 0, "\(verb)")
        }
    }

    @Test("An empty store is not an absent one, and exports and imports no sessions", arguments: Engine.available)
    func emptyStore(engine: Engine) async throws {
        let url = try shop.url(engine)
        try await shop.withStore(url) { _ in }
        for format in ["native", "openai"] {
            let archive = "\(shop.path)/\(format).jsonl"
            let exported = try await tool([
                "--store", url, "export", "--all", "--format", format, "--output", archive, "--json",
            ])
            #expect(exported.status == 0 && exported.output.contains("\"sessions\":0"))
            #expect(try Data(contentsOf: URL(filePath: archive)).isEmpty)
            let imported = try await tool(["--store", url, "import", "--format", format, archive, archive, "--json"])
            #expect(imported.status == 0, "\(imported.errors)")
            #expect(imported.output == "{\"ids\":[],\"messages\":0,\"sessions\":0}\n")
        }
        let text = try await tool(["--store", url, "import", "\(shop.path)/native.jsonl"])
        #expect(text.output == "Imported 0 sessions with 0 messages.\n")
        #expect(try await tool(["--store", url, "list"]).output == "No sessions.\n")
    }

    @Test(
        "Opening an existing store fails while it is absent, and succeeds once another caller created it",
        arguments: Engine.available)
    func appearsMeanwhile(engine: Engine) async throws {
        let configuration = try StoreConfiguration.load(store: try shop.url(engine), environment: ["HOME": shop.path])
        let error = try await storeError { () async throws(StoreError) in try await configuration.openExisting() }
        #expect(error.code == .notFound && error.backend == engine.rawValue)
        #expect(error.message.contains("the command line"))
        let made = try await configuration.open()
        let session = try await made.makeService().filled(2)
        let found = try await configuration.openExisting()
        #expect(try await found.makeService().get(session.id) == session)
        await found.close()
        await made.close()
    }

    @Test("A memory store never counts as absent")
    func memory() async throws {
        let listed = try await tool(["--store", "memory:", "list"])
        #expect(listed.status == 0 && listed.output == "No sessions.\n")
        #expect(try await tool(["--store", "memory:", "verify"]).status == 0)
    }

    @Test("A file or folder without a store counts as an absent store")
    func fileWithoutStore() async throws {
        let (manager, place) = (FileManager.default, "\(shop.path)/place")
        try manager.createDirectory(atPath: place, withIntermediateDirectories: false)
        try manager.createDirectory(atPath: "\(place)/folder", withIntermediateDirectories: false)
        try Data().write(to: URL(filePath: "\(place)/empty.db"))
        try RawFile.make("\(place)/other.db", "CREATE TABLE notes (text TEXT)")
        try manager.createSymbolicLink(atPath: "\(place)/dangling.db", withDestinationPath: "nothing.db")
        let before = try manager.subpathsOfDirectory(atPath: place).sorted()
        let other = manager.contents(atPath: "\(place)/other.db")
        for store in [
            "sqlite://\(place)/empty.db", "sqlite://\(place)/other.db", "sqlite://\(place)/dangling.db",
            "sqlite://\(place)/none/a.db", "lmdb://\(place)/folder", "lmdb://\(place)/none/a",
        ] {
            for verb in [["list"], ["append", Self.id, "--role", "user", "--content", "x"], ["verify"]] {
                let run = try await tool(["--store", store] + verb)
                #expect(run.status == 1 && run.errors.contains("There is no store in the "), "\(store): \(run.errors)")
            }
        }
        #expect(try manager.subpathsOfDirectory(atPath: place).sorted() == before)
        #expect(manager.contents(atPath: "\(place)/other.db") == other)
    }

    @Test("An older store does not count as absent, and every verb migrates or refuses it as configured")
    func olderStore() async throws {
        for engine in Engine.available where engine != .lmdb {
            let name = PostgresCluster.freshSchema()
            let url = try shop.url(engine, name)
            let strict = url + (engine == .sqlite ? "?" : "&") + "migrate=require"
            for verb in Self.verbs where verb[0] != "verify" {
                try await shop.withStore(url) { _ in }
                let sql =
                    "DROP TABLE session_messages; DROP TABLE sessions; "
                    + "DELETE FROM schema_migrations WHERE name = 'a7_001_session_persistence'"
                switch engine {
                case .sqlite: try RawFile("\(shop.path)/\(name).db").execute(sql)
                default: try await PostgresCluster.shared().sql("SET search_path = \(name); \(sql)")
                }
                for (store, verb) in [(strict, verb), (url, ["verify"]), (url, ["copy"])] {
                    let run = try await tool(
                        verb == ["copy"]
                            ? ["copy", "--from", url, "--to", "memory:"] : ["--store", store] + verb)
                    #expect(run.errors.contains("migrationRequired"), "\(verb): \(run.errors)")
                }
                let run = try await tool(["--store", url] + verb)
                #expect(verb == ["list"] ? run.status == 0 : run.errors.contains("notFound: There is no session"))
                #expect(try await tool(["--store", url, "migrate", "--status"]).output.contains("2 of 2 steps"))
            }
        }
    }
}
#endif
