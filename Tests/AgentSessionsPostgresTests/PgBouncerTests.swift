#if Postgres
import AgentSessions
import AgentSessionsPostgres
import Foundation
import PostgresServer
import Testing

/// Where Debian keeps it.
private let program = "/usr/sbin/pgbouncer"

/// PgBouncer in transaction mode: each transaction of a client may run in another session of the server.
@Suite(
    "behind PgBouncer",
    .enabled(
        if: PostgresCluster.isInstalled && FileManager.default.isExecutableFile(atPath: program),
        "PostgreSQL or PgBouncer is not installed"))
struct PgBouncerTests {
    @Test("work is done in few sessions of the server, with nothing kept in them")
    func transactionMode() async throws {
        let cluster = try PostgresCluster.shared()
        let folder = "\(cluster.folder)/bouncer"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        if geteuid() == 0 { try Shell.run(["chown", "nobody", folder]) }
        let settings = """
            [databases]
            * = host=\(cluster.folder)
            [pgbouncer]
            listen_addr =
            unix_socket_dir = \(folder)
            auth_type = any
            pool_mode = transaction
            default_pool_size = 2
            pidfile = \(folder)/pid
            logfile = \(folder)/log

            """
        // With `any`, whoever comes is this user.
        try settings.replacingOccurrences(of: "* = host", with: "* = user=postgres host")
            .write(toFile: "\(folder)/ini", atomically: false, encoding: .utf8)
        try cluster.asUser(program, ["-q", "-d", "\(folder)/ini"])
        defer {
            if let text = try? String(contentsOfFile: "\(folder)/pid", encoding: .utf8),
                let process = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))
            {
                kill(process, SIGTERM)
            }
        }
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: "\(folder)/.s.PGSQL.6432") {
            try await Task.sleep(for: .milliseconds(10))
        }
        var configuration = cluster.configuration()
        configuration.connection["host"] = folder
        configuration.connection["port"] = "6432"
        configuration.preparesStatements = false
        configuration.synchronousCommit = .local
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store)
            let settings = try await store.effectiveSettings()
            #expect(settings.contains(StoreSetting("statement_timeout", "30s")))
            #expect(settings.contains(StoreSetting("synchronous_commit", "local")))
            let shared = try await service.create(actorName: "shared")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let own = try await service.create(actorName: "own")
                        for number in 1...20 {
                            _ = try await service.appendMessage(NewMessage(.user, "\(number)"), to: shared.id)
                            _ = try await service.appendMessage(NewMessage(.user, "\(number)"), to: own.id)
                            let page = try await service.lastMessages(3, in: own.id)
                            #expect(page.session.messageCount == number)
                        }
                        _ = try await service.rewind(own.id, to: 5)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await service.count(shared.id) == 160)
        }
    }
}
#endif
