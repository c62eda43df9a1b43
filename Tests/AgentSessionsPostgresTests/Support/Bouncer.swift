#if Postgres
import AgentSessionsPostgres
import Foundation
import AgentSessionsPostgresServer

/// PgBouncer in transaction mode before a cluster: each transaction of a client may run in another session of the
/// server. It is reachable by a Unix socket in the cluster's folder, and runs as the cluster's user.
final class Bouncer: Sendable {
    /// Where Debian keeps it.
    static let program = "/usr/sbin/pgbouncer"
    static let isInstalled = PostgresCluster.isInstalled && FileManager.default.isExecutableFile(atPath: program)

    private let cluster: PostgresCluster
    private let folder: String

    init(before cluster: PostgresCluster) async throws {
        self.cluster = cluster
        folder = "\(cluster.folder)/bouncer-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        if geteuid() == 0 { try Shell.run(["chown", "nobody", folder]) }
        // With `any`, every client is the user that the database line names.
        try """
        [databases]
        * = user=postgres host=\(cluster.folder)
        [pgbouncer]
        listen_addr =
        unix_socket_dir = \(folder)
        auth_type = any
        pool_mode = transaction
        default_pool_size = 2
        pidfile = \(folder)/pid
        logfile = \(folder)/log

        """
        .write(toFile: "\(folder)/ini", atomically: false, encoding: .utf8)
        try await start()
    }

    func start() async throws {
        try cluster.asUser(Self.program, ["-q", "-d", "\(folder)/ini"])
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: "\(folder)/.s.PGSQL.6432") {
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Ends it at once, even in the middle of a transaction.
    func stop() async throws {
        guard let text = try? String(contentsOfFile: "\(folder)/pid", encoding: .utf8),
            let process = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))
        else { return }
        kill(process, SIGTERM)
        for _ in 0..<500 where kill(process, 0) == 0 { try await Task.sleep(for: .milliseconds(10)) }
        try? FileManager.default.removeItem(atPath: "\(folder)/pid")
        try? FileManager.default.removeItem(atPath: "\(folder)/.s.PGSQL.6432")
    }

    /// How to open a store in a fresh schema through it.
    func configuration() -> PostgresConfiguration {
        var configuration = cluster.configuration()
        configuration.connection["host"] = folder
        configuration.connection["port"] = "6432"
        configuration.preparesStatements = false
        return configuration
    }
}
#endif
