#if LMDB
import AgentSessions
import Foundation
import AgentSessionsTestSupport
import Testing

@testable import AgentSessionsLMDB

@Suite("System faults of an LMDB store", .timeLimit(.minutes(3)))
struct FaultTests {
    @Test(
        "A full disk refuses writes to LMDB, loses nothing, and accepts them again when there is space",
        .enabled(if: isRoot && FileManager.default.fileExists(atPath: "/usr/bin/mount")))
    func fullDisk() async throws {
        try await withFolder { folder in
            guard try run("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=4m", "none", folder]) == 0 else { return }
            defer { _ = try? run("/usr/bin/umount", ["-l", folder]) }
            let ballast = URL(filePath: folder + "/ballast")
            try Data(count: 1 << 20).write(to: ballast)
            let store = try await LMDBSessionStore.open(LMDBConfiguration(path: folder + "/store"))
            let service = PersistentSessionService(store, retryPolicy: .never)
            let session = try await service.create(actorName: "a")
            // The disk takes a part of this one, which LMDB handles differently from taking nothing.
            let large = await errorOf { () async throws(StoreError) in
                try await service.appendMessage(
                    NewMessage(.user, String(repeating: "x", count: 4 << 20)), to: session.id)
            }
            #expect(large?.code == .unavailable && large?.nativeCode == "ENOSPC", "\(String(describing: large))")
            var appended: [SessionMessage] = []
            var error: StoreError?
            while error == nil {
                do throws(StoreError) {
                    appended.append(
                        try await service.appendMessage(
                            NewMessage(.user, String(repeating: "x", count: 2000)), to: session.id))
                } catch let failure {
                    error = failure
                }
            }
            #expect(error?.code == .unavailable)
            #expect(error?.nativeCode == "ENOSPC")
            let batch = (0..<200).map { _ in NewMessage(.user, String(repeating: "y", count: 9000)) }
            for _ in 0..<3 {
                let refusal = await errorOf { () async throws(StoreError) in
                    try await service.append(batch, to: session.id)
                }
                #expect(refusal?.code == .unavailable)
            }
            // A new store has no space either, and says so.
            let refusal = await errorOf { () async throws(StoreError) in
                try await LMDBSessionStore.open(LMDBConfiguration(path: folder + "/other"))
            }
            #expect(refusal?.nativeCode == "ENOSPC")
            #expect(try await service.messages(in: session.id, limit: 10_000).messages == appended)
            try FileManager.default.removeItem(at: ballast)
            appended.append(try await service.appendMessage(NewMessage(.user, "room"), to: session.id))
            await store.close()
            let again = try await LMDBSessionStore.open(LMDBConfiguration(path: folder + "/store"))
            let page = try await PersistentSessionService(again).messages(in: session.id, limit: 10_000)
            #expect(page.messages == appended)
            await again.close()
        }
    }

    @Test("A killed process loses nothing that LMDB acknowledged")
    func killed() async throws {
        try await withFolder { folder in
            let path = folder + "/store"
            let store = try await LMDBSessionStore.open(LMDBConfiguration(path: path))
            let session = try await PersistentSessionService(store).create(actorName: "a")
            await store.close()
            var printed: [String] = []
            for round in 0..<8 {
                let writer = try StoreProcess(
                    ["lmdb:\(path)", "append", "\(session.id)", "1000000"], in: URL(filePath: folder))
                try await writer.waitForLines(1 + round * 15)
                try await Task.sleep(for: .microseconds(Int.random(in: 0...3000)))
                let lines = try await writer.kill()
                #expect(!lines.contains { $0.hasPrefix("error") })
                printed += lines.filter { $0.hasPrefix("appended") }
            }
            let reopened = try await LMDBSessionStore.open(LMDBConfiguration(path: path))
            let messages = try await PersistentSessionService(reopened).messages(in: session.id, limit: 10_000).messages
            await reopened.close()
            #expect(messages.map(\.sequence) == Array(1...messages.count))
            // At most one message per process was stored and not yet printed.
            #expect((printed.count...printed.count + 8).contains(messages.count))
            #expect(Set(printed).isSubset(of: messages.map { "appended \($0.sequence) \($0.id)" }))
        }
    }

    @Test("Processes and tasks that write to LMDB at once leave no gap and lose nothing")
    func concurrentWriters() async throws {
        try await withFolder { folder in
            let path = folder + "/store"
            let store = try await LMDBSessionStore.open(LMDBConfiguration(path: path))
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "a")
            let processes = try (0..<4).map { _ in
                try StoreProcess(["lmdb:\(path)", "append", "\(session.id)", "60"], in: URL(filePath: folder))
            }
            for _ in 0..<60 { _ = try await service.appendMessage(NewMessage(.user, "mine"), to: session.id) }
            var printed: Set<String> = []
            for process in processes {
                let lines = try await process.finish()
                #expect(lines.count == 62 && lines.last == "closed")
                printed.formUnion(lines.filter { $0.hasPrefix("appended") })
            }
            #expect(printed.count == 240)
            let messages = try await service.messages(in: session.id, limit: 1000).messages
            #expect(messages.map(\.sequence) == Array(1...300))
            #expect(printed.isSubset(of: messages.map { "appended \($0.sequence) \($0.id)" }))
            await store.close()
        }
    }

    @Test(
        "LMDB stores that are released without being closed release their threads and files",
        .disabled(
            if: ProcessInfo.processInfo.environment["SANITIZER"] != nil,
            "the run time of a sanitizer has threads and files of its own"))
    func released() async throws {
        try await withFolder { folder in
            let process = try StoreProcess(["lmdb:\(folder)/store", "drop", "10"], in: URL(filePath: folder))
            for line in try await process.finish() {
                let numbers = line.split(separator: " ").dropFirst().compactMap { Int($0) }
                // The pool of Swift's own threads may have grown meanwhile.
                #expect(numbers.count == 2 && numbers[1] <= numbers[0] + 4, "\(line)")
            }
        }
    }

    // MARK: Damaged files

    private func filled(_ path: String) async throws -> ULID {
        let store = try await LMDBSessionStore.open(LMDBConfiguration(path: path))
        let service = PersistentSessionService(store)
        let session = try await service.create(actorName: "a")
        let texts = (1...200).map { "message \($0) " + String(repeating: "abcdefgh", count: $0 % 60 * 10) }
        _ = try await service.append(texts.map { NewMessage(.user, $0) }, to: session.id)
        await store.close()
        return session.id
    }

    /// Opens the store, reads all of it, and gives the error.
    private func readAll(_ path: String, _ session: ULID) async -> StoreError? {
        await errorOf { () async throws(StoreError) in
            let store = try await LMDBSessionStore.open(LMDBConfiguration(path: path))
            let outcome: Result<MessagePage, StoreError>
            do throws(StoreError) {
                outcome = .success(
                    try await PersistentSessionService(store).messages(in: session, limit: 1000))
            } catch {
                outcome = .failure(error)
            }
            await store.close()
            return try outcome.get()
        }
    }

    @Test("A data file of LMDB that was truncated is an error, wherever it ends")
    func truncatedFile() async throws {
        try await withFolder { folder in
            let path = folder + "/store"
            let session = try await filled(path)
            let file = path + "/data.mdb"
            let whole = try Data(contentsOf: URL(filePath: file))
            for part in 1...24 {
                let length = part < 4 ? part * 2500 : whole.count * (part - 3) / 22
                try whole.prefix(length).write(to: URL(filePath: file))
                let error = await readAll(path, session)
                #expect(error?.code == .corrupt, "\(length) of \(whole.count): \(String(describing: error))")
                #expect(try Data(contentsOf: URL(filePath: file)).count == length)
            }
            try whole.write(to: URL(filePath: file))
            #expect(await readAll(path, session) == nil)
        }
    }

    @Test(
        "A data file of another byte order or format is refused and stays untouched",
        arguments: [
            (0, "not an LMDB file"), (16, "not an LMDB file"), (4096 + 16, "not an LMDB file"),
            (20, "a version of LMDB"),
        ])
    func foreignFormat(offset: Int, _ hint: String) async throws {
        try await withFolder { folder in
            let path = folder + "/store"
            let session = try await filled(path)
            let file = URL(filePath: path + "/data.mdb")
            var bytes = [UInt8](try Data(contentsOf: file))
            // The magic number, at 16 of each of the first two pages, and the version behind it.
            for page in [0, 4096] {
                if offset == 20 {
                    bytes[page + 20] = 99
                } else {
                    bytes[(page + 16)..<(page + 20)].reverse()
                }
            }
            try Data(bytes).write(to: file)
            let error = await readAll(path, session)
            #expect(error?.message.contains(hint) == true, "\(String(describing: error))")
            #expect([UInt8](try Data(contentsOf: file)) == bytes)
        }
    }

    @Test("A flipped bit in a stored message is reported with the message")
    func flippedBit() async throws {
        try await withFolder { folder in
            let path = folder + "/store"
            let session = try await filled(path)
            let file = URL(filePath: path + "/data.mdb")
            let whole = [UInt8](try Data(contentsOf: file))
            let marker = Array("message 59 abcdefgh".utf8)
            let start = try #require(whole.indices.first { whole[$0...].starts(with: marker) })
            // In the text, and in the header before it: id and time.
            for offset in [0, 12, 400, -1, -9, -20] {
                for bit in [0, 3, 6] {
                    var damaged = whole
                    damaged[start + offset] ^= 1 << UInt8(bit)
                    try Data(damaged).write(to: file)
                    let error = await readAll(path, session)
                    #expect(error?.code == .corrupt)
                    #expect(error?.message.contains("Message 59 of session \(session)") == true)
                }
            }
        }
    }
}
#endif
