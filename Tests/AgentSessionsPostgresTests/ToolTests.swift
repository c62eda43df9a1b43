#if Postgres
import AgentSessions
import AgentSessionsPostgres
import Foundation
import AgentSessionsPostgresServer
import AgentSessionsTestSupport
import Testing

/// What is Postgres' own of the tool, in processes of its own on a store of the tests' server. What all engines have in
/// common is among the tests of the engines.
@Suite(
    "The tool on Postgres", .enabled(if: PostgresCluster.isInstalled, "PostgreSQL is not installed"),
    .timeLimit(.minutes(5)))
struct ToolTests {
    private static let tool = BuiltProgram("agent-sessions")

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
        try await Shell.outcome(["env"] + variables + [Self.tool.path, "--store", store ?? url] + arguments)
    }

    private func json(_ arguments: String..., store: String? = nil) async throws -> JSONValue {
        let outcome = try await Shell.outcome([Self.tool.path, "--store", store ?? url, "--json"] + arguments)
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try JSONParser.parse(outcome.output)
    }

    @Test("The error for a store that cannot be opened says why, exits with status 1 or 64, and shows no secret")
    func badInput() async throws {
        let place = "postgres:///postgres?host=\(cluster.folder)"
        let secret = "hunter2"
        // The server asks this user for the password.
        _ = try? await cluster.sql("CREATE USER locked PASSWORD 'right'")
        _ = try? await cluster.sql("CREATE USER fenced PASSWORD 'right'")
        for (store, hints) in [
            ("postgres:///postgres?host=/nonexistent&user=u&password=\(secret)", ["unavailable", "/nonexistent"]),
            ("postgres://u:\(secret)@127.0.0.1:1/db", ["unavailable", "127.0.0.1"]),
            ("\(place)&user=locked&password=\(secret)", ["unavailable", "password"]),
            ("\(place)&user=postgres&dbname=absent", ["unavailable", "absent", "does not exist"]),
            ("\(place)&user=nobody-there", ["unavailable", "nobody-there"]),
            ("\(place)&user=fenced&schema=fenced", ["notFound", "schema \"fenced\"", "none was made"]),
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
        let unentitled = try await run("create", "--actor", "x", store: "\(place)&user=fenced&schema=fenced")
        #expect(unentitled.status == 1)
        for hint in ["unavailable", "right"] { #expect(unentitled.errors.contains(hint), "\(unentitled.errors)") }
        // The password may come from the environment, and is not shown then either.
        let refused = try await run("list", store: "\(place)&user=locked", as: ["PGPASSWORD=\(secret)"])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("password"))
        #expect(!refused.errors.contains(secret))
    }

    @Test("The backends verb shows four backends, and the settings of the server for the configured store")
    func backends() async throws {
        _ = try await json("create", "--actor", "local/test")
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
            ("fsync", "off"), ("synchronous_commit", "on"), ("synchronous_standby_names", ""),
            ("default_transaction_read_only", "off"), ("statement_timeout", "30s"), ("lock_timeout", "5s"),
            ("tls", "off"), ("partitions", "0"), ("schema", configuration.schema), ("server_encoding", "UTF8"),
        ] {
            #expect(effective[name] == .string(value), "\(name)")
        }
    }

    @Test("Messages of the server and of libpq during a connection do not reach standard error")
    func silence() async throws {
        // The collation of this database has another version than it was made with, so the server warns each client.
        let database = "noisy_\(PostgresCluster.freshSchema())"
        try await cluster.sql("CREATE DATABASE \(database)")
        try await cluster.sql("UPDATE pg_database SET datcollversion = '1' WHERE datname = '\(database)'")
        // A password file that others may read is ignored by libpq.
        let passfile = "\(cluster.folder)/\(database).pass"
        try "*:*:*:*:secret\n".write(toFile: passfile, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: passfile)
        let place = "postgres:///\(database)?host=\(cluster.folder)"
        let psql = try await Shell.outcome([
            "env", "PGPASSFILE=\(passfile)", "psql", "-X", "-h", cluster.folder, "-U", "postgres", "-c", "", database,
        ])
        #expect(psql.errors.contains("collation version") && psql.errors.contains("password file"), "\(psql.errors)")
        for variables in [["PGPASSFILE=\(passfile)"], ["HOME=\(cluster.folder)"]] {
            try? FileManager.default.copyItem(atPath: passfile, toPath: "\(cluster.folder)/.pgpass")
            for verb in ["migrate", "list"] {
                let outcome = try await run(verb, "--json", store: "\(place)&user=postgres", as: variables)
                #expect(outcome.status == 0, "\(outcome.errors)")
                #expect(outcome.errors.isEmpty, "\(outcome.errors)")
            }
        }
        // A client that needs the file is told why it is ignored.
        _ = try? await cluster.sql("CREATE USER locked PASSWORD 'right'")
        let refused = try await run("list", store: "\(place)&user=locked&passfile=\(passfile)")
        #expect(refused.status == 1)
        #expect(refused.errors.contains(passfile) && refused.errors.contains("600"), "\(refused.errors)")
        #expect(!refused.errors.contains("WARNING") && !refused.errors.contains("secret"), "\(refused.errors)")
    }
}
#endif
