#if SQLite && LMDB && Postgres && os(Linux)
import AgentSessions
import AgentSessionsBackends
import Foundation
import AgentSessionsTestSupport
import Testing

@Suite("Failed creation of a store", .timeLimit(.minutes(3)))
struct CreationTests {
    @Test(
        "A creation that ran out of disk space is completed by the next opening",
        .enabled(if: isRoot && FileManager.default.fileExists(atPath: "/usr/bin/mount"), "only root mounts disks"),
        arguments: ["sqlite://%@/a.db", "lmdb://%@/a?initial_map_size=1MiB&max_readers=8"])
    func fullDisk(pattern: String) async throws {
        let shop = try Workshop()
        let disk = "\(shop.path)/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        let pages = 128
        let options = "size=\(pages * 4096),mode=700"
        guard try run("/usr/bin/mount", ["-t", "tmpfs", "-o", options, "none", disk]) == 0 else { return }
        defer { _ = try? run("/usr/bin/umount", ["-l", disk]) }
        let url = pattern.replacingOccurrences(of: "%@", with: disk)
        let ballast = "\(disk)/ballast"
        var failures = 0
        var isMade = false
        // One more free page each time, until the space is enough.
        for room in 0..<pages where !isMade {
            try await fill(ballast, pages - room)
            do {
                try await shop.open(url).close()
                isMade = true
            } catch let error as StoreError {
                failures += 1
                #expect(error.code == .unavailable, "\(room) pages: \(error)")
            }
            try empty(disk, of: ["ballast"])
            try await shop.withStore(url) { store in
                let session = try await store.makeService().filled(2)
                let stored = try await store.get(session.id)
                #expect(stored?.messageCount == 2)
            }
            try empty(disk, of: try FileManager.default.subpathsOfDirectory(atPath: disk))
        }
        #expect(isMade && failures > 2)
    }

    /// Fills pages of the disk. A process that another test starts at this moment may still hold removed files, so a
    /// full disk gets a second to become empty.
    private func fill(_ ballast: String, _ pages: Int) async throws {
        var attempts = 0
        while true {
            do {
                return try Data(count: pages * 4096).write(to: URL(filePath: ballast))
            } catch let error as CocoaError where error.code == .fileWriteOutOfSpace && attempts < 100 {
                attempts += 1
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    /// Removes files. They are truncated first, as a process that another test starts at this moment inherits them
    /// until it runs its program.
    private func empty(_ disk: String, of names: [String]) throws {
        for name in names { truncate("\(disk)/\(name)", 0) }
        for name in names where !name.contains("/") { try FileManager.default.removeItem(atPath: "\(disk)/\(name)") }
    }

    @Test("A creation whose process was killed is completed by the next opening", arguments: [Engine.sqlite, .lmdb])
    func killed(engine: Engine) async throws {
        let shop = try Workshop()
        for round in 0..<10 {
            let url = try shop.url(engine, "a\(round)")
            let process = try StoreProcess([url, "open"], in: URL(filePath: shop.path))
            try await Task.sleep(for: .milliseconds(4 + 3 * round))
            try await process.kill()
            try await shop.withStore(url) { store in
                _ = try await store.makeService().filled(1)
            }
        }
    }
}
#endif
