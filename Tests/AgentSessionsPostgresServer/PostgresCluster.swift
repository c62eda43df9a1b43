#if Postgres
internal import AgentSessions
package import AgentSessionsPostgres
internal import Foundation
internal import Synchronization

/// A PostgreSQL server of the tests' own: its data in a temporary folder, reachable by a Unix socket there alone, run
/// as an unprivileged user. It is stopped, and the folder removed, when the test process ends, however it ends.
package final class PostgresCluster: Sendable {
    /// Where Debian and others keep the programs of PostgreSQL; the newest installed version.
    package static let programs: String? = {
        let manager = FileManager.default
        let versions = (try? manager.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let folders =
            versions.compactMap { Int($0) }.sorted(by: >).map { "/usr/lib/postgresql/\($0)/bin" }
            + ["/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"]
        return folders.first { manager.isExecutableFile(atPath: "\($0)/initdb") }
    }()

    /// Whether tests can have a server.
    package static let isInstalled = programs != nil

    private static let cache = Mutex<Result<PostgresCluster, any Error>?>(nil)

    /// The server that tests share, each in a schema of its own. The first test that asks for it starts it.
    package static func shared() throws -> PostgresCluster {
        try cache.withLock { cache in
            if let cache { return cache }
            let made = Result { try PostgresCluster() }
            cache = made
            return made
        }.get()
    }

    package let folder: String
    private let programs: String
    /// A library that the server loads before any other.
    private let preloaded: String?

    /// Makes and starts a server.
    ///
    /// - Parameters:
    ///   - settings: Further lines of `postgresql.conf`.
    ///   - preloaded: A library that the server loads before any other.
    package init(_ settings: [String: String] = [:], preloading preloaded: String? = nil) throws {
        guard let programs = Self.programs else { throw TestFailure("PostgreSQL is not installed") }
        self.programs = programs
        self.preloaded = preloaded
        folder = "/tmp/agent-sessions-pg-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        if geteuid() == 0 { try run("/bin/chown", ["nobody", folder]) }
        try asUser(
            "initdb",
            ["--no-sync", "-D", "\(folder)/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"])
        let lines = settings.merging(["fsync": "off", "max_connections": "400"]) { given, _ in given }
            .map { "\($0.key) = \($0.value)" }.joined(separator: "\n")
        try append("\nlisten_addresses = ''\nunix_socket_directories = '\(folder)'\n\(lines)\n", to: "postgresql.conf")
        // The first line that fits counts.
        let access = "\(folder)/data/pg_hba.conf"
        let rest = try String(contentsOfFile: access, encoding: .utf8)
        try ("local all locked,keeper scram-sha-256\n" + rest).write(toFile: access, atomically: false, encoding: .utf8)
        try start()
        try watch()
    }

    package func start() throws {
        let start = ["-D", "\(folder)/data", "-l", "\(folder)/log", "-w", "start"]
        let library = preloaded.map { ["LD_PRELOAD=\($0)"] } ?? []
        try asUser("/usr/bin/env", library + ["\(programs)/pg_ctl"] + start)
    }

    /// Stops the server: `fast`, or `immediate`, as a crash would.
    package func stop(_ mode: String = "fast") throws {
        try asUser("pg_ctl", ["-D", "\(folder)/data", "-m", mode, "-w", "stop"])
    }

    /// Runs SQL and gives the result as lines.
    @discardableResult
    package func sql(_ sql: String) async throws -> String {
        try await Shell.text([
            "\(programs)/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", folder, "-U", "postgres", "-c",
            sql,
        ])
    }

    // MARK: Standbys

    /// Makes a standby of that name, which listens on `port` in the same folder, and does not start it.
    package func makeStandby(named name: String, port: Int) throws {
        try asUser(
            "pg_basebackup", ["-h", folder, "-U", "postgres", "-D", "\(folder)/\(name)", "-c", "fast", "--no-sync"])
        try Shell.run(["touch", "\(folder)/\(name)/standby.signal"])
        if geteuid() == 0 { try run("/bin/chown", ["nobody", "\(folder)/\(name)/standby.signal"]) }
        try append(
            """

            port = \(port)
            primary_conninfo = 'host=\(folder) user=postgres application_name=\(name)'

            """, to: "postgresql.conf", of: name)
    }

    package func startStandby(named name: String) throws {
        try asUser("pg_ctl", ["-D", "\(folder)/\(name)", "-l", "\(folder)/\(name).log", "-w", "start"])
    }

    package func stopStandby(named name: String) throws {
        try asUser("pg_ctl", ["-D", "\(folder)/\(name)", "-m", "immediate", "-w", "stop"])
    }

    /// How to open a store in a fresh schema.
    package func configuration(schema: String = PostgresCluster.freshSchema()) -> PostgresConfiguration {
        var configuration = PostgresConfiguration(
            connection: ["host": folder, "user": "postgres", "dbname": "postgres"])
        configuration.schema = schema
        return configuration
    }

    /// The name of a schema that no other test uses.
    package static func freshSchema() -> String { "s_\(UUID().uuidString.prefix(8).lowercased())" }

    // MARK: Processes

    /// A process of the system that stops the server when this process is gone.
    ///
    /// A process that has ended and was not reaped yet counts as gone too: its parent may be waiting for the end of
    /// its output, which the server has inherited.
    private func watch() throws {
        let process = getpid()
        let runner = geteuid() == 0 ? "runuser -u nobody -- " : ""
        try Shell.start(
            """
            exec </dev/null >/dev/null 2>&1
            trap '' INT HUP TERM
            while kill -0 \(process) && ! grep -q '^State:.Z' /proc/\(process)/status; do sleep 0.5; done
            for data in \(folder)/*/postmaster.pid; do
                \(runner)\(programs)/pg_ctl -D "${data%/*}" -m immediate stop
            done
            rm -rf \(folder)
            """)
    }

    private func append(_ text: String, to file: String, of server: String = "data") throws {
        let path = "\(folder)/\(server)/\(file)"
        let old = try String(contentsOfFile: path, encoding: .utf8)
        try (old + text).write(toFile: path, atomically: false, encoding: .utf8)
    }

    @discardableResult
    package func asUser(_ program: String, _ arguments: [String]) throws -> String {
        let path = program.hasPrefix("/") ? program : "\(programs)/\(program)"
        guard geteuid() == 0 else { return try run(path, arguments) }
        return try run("/sbin/runuser", ["-u", "nobody", "--", path] + arguments)
    }

    @discardableResult
    private func run(_ path: String, _ arguments: [String]) throws -> String {
        try Shell.run([path] + arguments)
    }
}

/// Why a test could not go on.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
#endif
