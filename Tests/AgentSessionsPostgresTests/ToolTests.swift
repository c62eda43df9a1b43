#if Postgres
import AgentSessions
import AgentSessionsPostgres
import Foundation
import PostgresServer
import Testing

/// The tool in processes of its own, on a store of the tests' server.
@Suite(
    "the tool on Postgres", .enabled(if: PostgresCluster.isInstalled, "PostgreSQL is not installed"),
    .timeLimit(.minutes(5)))
struct ToolTests {
    private static let tool = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "agent-sessions").path(percentEncoded: false)

    private let cluster: PostgresCluster
    private let configuration: PostgresConfiguration

    init() throws {
        cluster = try .shared()
        configuration = cluster.configuration()
    }

    private var url: String {
        "postgres:///postgres?host=\(cluster.folder)&user=postgres&schema=\(configuration.schema)"
    }

    /// Runs the tool on a store, the one of the test unless another is named.
    private func run(
        _ arguments: String..., store: String? = nil, as variables: [String] = []
    ) async throws
        -> Shell.Outcome
    {
        try await Shell.outcome(["env"] + variables + [Self.tool, "--store", store ?? url] + arguments)
    }

    private func json(_ arguments: String..., store: String? = nil) async throws -> JSONValue {
        let outcome = try await Shell.outcome([Self.tool, "--store", store ?? url, "--json"] + arguments)
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try JSONParser.parse(outcome.output, limits: Self.limits)
    }

    private func createSession() async throws -> String {
        let made = try await json("create", "--actor", "local/test")
        return try #require(made["id"]?.stringValue)
    }

    private func sequences(_ id: String) async throws -> [Int64] {
        let shown = try await json("show", id, "--limit", "1000")
        return shown["messages"]?.arrayValue?.compactMap { $0["sequence"]?.integerValue } ?? []
    }

    @Test("eight processes that append to one session leave no gap and no twin, and lose nothing")
    func eightWriters() async throws {
        let id = try await createSession()
        let stored = try await withThrowingTaskGroup(of: [Int64?].self) { group in
            for writer in 0..<8 {
                group.addTask {
                    var sequences: [Int64?] = []
                    for number in 0..<6 {
                        let message = try await json("append", id, "--role", "user", "--content", "\(writer)-\(number)")
                        sequences.append(message["sequence"]?.integerValue)
                    }
                    return sequences
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(stored.compactMap(\.self).sorted() == Array(1...48))
        #expect(try await sequences(id) == Array(1...48))
    }

    @Test("processes that make a store at the same moment find it made once")
    func racingOpeners() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { _ = try await createSession() } }
            try await group.waitForAll()
        }
        #expect(try await json("list")["sessions"]?.arrayValue?.count == 8)
        #expect(try await cluster.sql("SELECT count(*) FROM \(configuration.schema).resource_registry") == "1")
    }

    @Test("a killed process has lost nothing that it had printed as stored", arguments: [5, 60, 140])
    func killedWriter(milliseconds: Int) async throws {
        let id = try await createSession()
        let printed = "\(cluster.folder)/printed-\(id)"
        // A shell that runs the tool again and again, so that the kill falls into any part of a run. It leads a process
        // group of its own, whose number it tells first, and ends by itself should nobody kill it.
        let process = try Shell.start(
            """
            exec setsid --wait /bin/sh -c 'echo $$; n=0; while [ $n -lt 200 ]; do n=$((n+1)); \
            "$0" --store "$1" append "$2" --role user --content "line $n" --json; done' \
            '\(Self.tool)' '\(url)' \(id) >\(printed) 2>/dev/null
            """)
        func lines() -> [Substring] {
            ((try? String(contentsOfFile: printed, encoding: .utf8)) ?? "").split(separator: "\n")
        }
        while lines().count < 3 { try await Task.sleep(for: .milliseconds(5)) }
        try await Task.sleep(for: .milliseconds(milliseconds))
        let first = try #require(lines().first)
        let group = try #require(pid_t(first))
        // The whole group, the tool too, without a chance to clean up.
        #expect(kill(-group, SIGKILL) == 0)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        let acknowledged = try lines().filter { $0.hasSuffix("}") }.compactMap {
            try JSONParser.parse(String($0))["sequence"]?.integerValue
        }
        let stored = try await sequences(id)
        #expect(stored == Array(1...Int64(stored.count)))
        #expect(acknowledged.count >= 2)
        #expect(Set(acknowledged).isSubset(of: stored))
    }

    @Test("an archive of real conversations gives back every role, content, tool call and number")
    func corpus() async throws {
        guard FileManager.default.isReadableFile(atPath: Self.corpus) else { return }
        let imported = try await json("import", "--format", "openai", Self.corpus)
        #expect(imported["sessions"] == 200)
        #expect(imported["messages"] == 5308)
        let archive = "\(cluster.folder)/\(configuration.schema).jsonl"
        #expect(try await run("export", "--all", "--output", archive).status == 0)
        let again = try await json("import", archive, store: url + "_2")
        #expect(again["messages"] == 5308)
        let lines = try String(contentsOfFile: Self.corpus, encoding: .utf8).split(separator: "\n")
        let expected = try lines.map { try JSONParser.parse(String($0), limits: Self.limits) }
        #expect(try await chats(imported["ids"], configuration.schema) == expected)
        // An archive begins with the newest session, so the second import has another order.
        #expect(Set(try await chats(again["ids"], configuration.schema + "_2")) == Set(expected))
    }

    @Test("what cannot be opened says why, with status 1 or 64, and shows no secret")
    func badInput() async throws {
        let place = "postgres:///postgres?host=\(cluster.folder)"
        let secret = "hunter2"
        _ = try? await cluster.sql("CREATE USER fenced PASSWORD 'right'")
        for (store, hints) in [
            ("postgres:///postgres?host=/nonexistent&user=u&password=\(secret)", ["unavailable", "/nonexistent"]),
            ("postgres://u:\(secret)@127.0.0.1:1/db", ["unavailable", "127.0.0.1"]),
            ("\(place)&user=locked&password=\(secret)", ["unavailable", "password"]),
            ("\(place)&user=postgres&dbname=absent", ["unavailable", "absent", "does not exist"]),
            ("\(place)&user=nobody-there", ["unavailable", "nobody-there"]),
            ("\(place)&user=fenced&schema=fenced", ["unavailable", "right"]),
            ("\(place)&user=postgres&colour=\(secret)", ["invalidArgument", "colour", "pool_max"]),
            ("\(place)&user=postgres&pool_max=0", ["invalidArgument", "pool_max", "1"]),
            ("\(place)&user=postgres&sslmode=maybe", ["invalidArgument", "sslmode", "verify-full"]),
            ("\(place)&user=postgres&statement_timeout=soon", ["invalidArgument", "statement_timeout"]),
            ("\(place)&user=postgres&options=-csearch_path=\(secret)", ["invalidArgument", "options"]),
            ("postgres://u:\(secret)@host:port/db", ["invalidArgument"]),
            ("postgres:\(secret)", ["invalidArgument", "slashes"]),
            ("\(place)&user=postgres&target_session_attrs=standby", ["invalidArgument", "read-write"]),
        ] {
            let outcome = try await run("list", "--json", store: store)
            #expect([1, 64].contains(outcome.status), "\(store): \(outcome.status)")
            #expect(outcome.output.isEmpty)
            for hint in hints { #expect(outcome.errors.contains(hint), "\(store): \(outcome.errors)") }
            #expect(!outcome.errors.contains(secret), "\(outcome.errors)")
        }
        // The password may come from the environment, and is no more shown from there.
        let refused = try await run("list", store: "\(place)&user=locked", as: ["PGPASSWORD=\(secret)"])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("password"))
        #expect(!refused.errors.contains(secret))
    }

    @Test("`backends` shows four backends, and of this store what the server says")
    func backends() async throws {
        _ = try await createSession()
        let backends = try #require(try await json("backends").arrayValue)
        #expect(backends.compactMap { $0["name"]?.stringValue }.sorted() == ["lmdb", "memory", "postgres", "sqlite"])
        let mine = try #require(backends.first { $0["configured"] == true })
        #expect(mine["name"] == "postgres")
        #expect(mine["capabilities"]?["scope"] == "many")
        // This server runs with fsync=off, so the store promises less than it would elsewhere.
        #expect(mine["capabilities"]?["durability"] == .string(DurabilityTier.processCrash.rawValue))
        let effective = try #require(mine["effective"])
        #expect(effective["engine"]?.stringValue?.hasPrefix("PostgreSQL ") == true)
        for (name, value) in [
            ("fsync", "off"), ("synchronous_commit", "on"), ("statement_timeout", "30s"), ("lock_timeout", "5s"),
            ("tls", "off"), ("partitions", "0"), ("schema", configuration.schema), ("server_encoding", "UTF8"),
        ] {
            #expect(effective[name] == .string(value), "\(name)")
        }
    }

    // MARK: Support

    private static let limits = JSONLimits(maximumBytes: .max, maximumDepth: 100)

    /// Recorded conversations that lie beside the project where it is developed; they are no part of it.
    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/data/tau-airline.jsonl")
        .path(percentEncoded: false)

    /// The sessions of these ids in the chat format.
    private func chats(_ ids: JSONValue?, _ schema: String) async throws -> [JSONValue] {
        var chats: [JSONValue] = []
        var configuration = configuration
        configuration.schema = schema
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store)
            for id in try #require(ids?.arrayValue) {
                var bytes: [UInt8] = []
                let text = try #require(id.stringValue)
                let id = try ULID(parsing: text)
                for try await chunk in service.exportSession(id, format: .openai) { bytes += chunk }
                chats.append(try JSONParser.parse(bytes, limits: Self.limits))
            }
        }
        return chats
    }
}
#endif
