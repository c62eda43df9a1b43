#if SQLite && LMDB && Postgres && os(Linux)
import AgentSessions
import Foundation
import AgentSessionsPostgresServer
import AgentSessionsTestSupport
import Testing

@Suite(
    "The tool on a full disk",
    .enabled(if: isRoot && FileManager.default.fileExists(atPath: "/usr/bin/mount"), "only root mounts disks"),
    .timeLimit(.minutes(5)))
struct FullDiskTests {
    @Test(
        "The tool refuses as a whole what does not fit on a full disk, and works again when there is space",
        arguments: Engine.available)
    func fullDisk(engine: Engine) async throws {
        let shop = try Workshop()
        let disk = "\(shop.path)/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        guard try run("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=12m,mode=777", "none", disk]) == 0 else { return }
        defer { _ = try? run("/usr/bin/umount", ["-l", disk]) }
        let ballast = URL(filePath: "\(disk)/ballast")
        try Data(count: 6 << 20).write(to: ballast)
        switch engine {
        case .sqlite: try await expectWholeMessages(in: "sqlite://\(disk)/a.db", ballast, "SQLITE_FULL")
        case .lmdb: try await expectWholeMessages(in: "lmdb://\(disk)/a?initial_map_size=1MiB", ballast, "ENOSPC")
        case .postgres: try await expectWholeMessages(inTablespace: "\(disk)/space", ballast)
        }
    }

    /// A schema on the tests' server, used by a role whose tables are on the small disk.
    private func expectWholeMessages(inTablespace place: String, _ ballast: URL) async throws {
        try Shell.run(["install", "-d", "-o", "nobody", place])
        let (server, name) = (try PostgresCluster.shared(), PostgresCluster.freshSchema())
        try await server.sql("CREATE ROLE r\(name) SUPERUSER LOGIN")
        try await server.sql("CREATE TABLESPACE t\(name) LOCATION '\(place)'")
        try await server.sql("ALTER ROLE r\(name) SET default_tablespace = t\(name)")
        let url = "postgres:///postgres?host=\(server.folder)&user=r\(name)&schema=\(name)"
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await expectWholeMessages(in: url, ballast, "No space left"))
        } catch {
            outcome = .failure(error)
        }
        // The tables are dropped before the disk is removed.
        try await server.sql("DROP SCHEMA \(name) CASCADE")
        try await server.sql("DROP TABLESPACE t\(name)")
        try outcome.get()
    }

    private func expectWholeMessages(in store: String, _ ballast: URL, _ hint: String) async throws {
        let tool = try BuiltTool(on: store)
        let id = try await tool.createSession()
        // Text that no engine can compress.
        let text = (0..<90_000).map { _ in String(UInt64.random(in: 1 << 60 ... .max), radix: 36) }.joined()
        var stored: [JSONValue] = []
        var refused: ToolRun?
        while refused == nil, stored.count < 20 {
            let run = try await tool.run("append", id, "--role", "user", "--json", input: Array(text.utf8))
            if run.status == 0 { stored.append(try run.json()) } else { refused = run }
        }
        #expect(stored.count > 0)
        try #require(refused).expectRefusal("unavailable", hint)
        #expect(try await tool.messages(of: id) == stored)
        try await tool.expectSound()
        try FileManager.default.removeItem(at: ballast)
        stored.append(try await tool.json("append", id, "--role", "user", input: Array(text.utf8)))
        #expect(try await tool.messages(of: id) == stored)
        try await tool.expectSound()
    }
}
#endif
