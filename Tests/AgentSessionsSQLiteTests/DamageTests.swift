#if SQLite
import AgentSessions
import Foundation
import Testing

@testable import AgentSessionsSQLite

@Suite("Damage in a SQLite store")
struct DamageTests {
    /// Values that no store writes, by column.
    private static let sessionDamage: [(String, [String])] = [
        ("id", ["'short'", "NULL", "x'00'", "CAST(x'ff' AS TEXT)", "'8ZZZZZZZZZZZZZZZZZZZZZZZZZ'"]),
        ("actor_name", ["NULL", "x'41'", "CAST(x'61ff' AS TEXT)"]),
        ("message_count", ["-1", "NULL", "'many'", "x'01'", "1.5"]),
        ("input_tokens", ["-1", "NULL", "'x'"]), ("output_tokens", ["-9223372036854775808", "2.5"]),
        ("estimated_cost", ["-1", "x'00'"]),
        (
            "metadata",
            ["NULL", "''", "'[]'", "'[1]'", "'{'", "'{\"a\":1'", "x'7b7d'", "CAST(x'7b22ff223a317d' AS TEXT)"]
        ),
        ("created_at", ["NULL", "9223372036854775807", "-9223372036854775808", "'now'"]),
        ("updated_at", ["NULL", "253402300800000000", "x'01'"]),
    ]

    private static let messageDamage: [(String, [String])] = [
        ("id", ["'short'", "NULL", "x'00'", "CAST(x'ff' AS TEXT)"]),
        ("sequence", ["99", "0", "-1", "NULL", "'3'||'x'", "9223372036854775807"]),
        ("role", ["'USER'", "''", "NULL", "x'75'", "CAST(x'ff' AS TEXT)"]),
        ("content", ["NULL", "x'41'", "CAST(x'41ff' AS TEXT)", "CAST(x'eda080' AS TEXT)", "CAST(x'c080' AS TEXT)"]),
        ("tool_call_id", ["x'41'", "CAST(x'ff' AS TEXT)"]),
        ("metadata", ["NULL", "''", "'[]'", "'nope'", "'{\"a\":1,\"a\":2'", "x'7b7d'"]),
        ("created_at", ["NULL", "9223372036854775807", "'now'"]),
    ]

    private static func each(_ damage: [(String, [String])]) -> [String] {
        damage.flatMap { column, values in values.map { "\(column) = \($0)" } }
    }

    @Test("The error for a damaged session row names the session", arguments: each(sessionDamage))
    func damagedSession(change: String) async throws {
        let (folder, session) = try await Self.filledFolder()
        try folder.damage("UPDATE sessions SET \(change)")
        let store = try await folder.open()
        let service = PersistentSessionService(store)
        let error = try await expect(.corrupt) { try await service.list() }
        if !change.hasPrefix("id") {
            #expect(error.message.contains("\(session.id)"))
            for _ in 0..<4 { try await expect(.corrupt) { try await service.get(session.id) } }
            try await expect(.corrupt) { try await service.lastMessages(3, in: session.id) }
            try await expect(.corrupt) { try await service.append(.numbered(1), to: session.id) }
        }
        await store.close()
    }

    @Test("The error for a damaged message row names its session", arguments: each(messageDamage))
    func damagedMessage(change: String) async throws {
        let (folder, session) = try await Self.filledFolder()
        try folder.damage("UPDATE session_messages SET \(change) WHERE sequence = 3")
        let store = try await folder.open()
        let service = PersistentSessionService(store)
        for range in [MessageRange.after(0), .before(5), .last] {
            let error = try await expect(.corrupt) { try await service.messages(in: session.id, range, limit: 5) }
            #expect(error.message.contains("\(session.id)"))
        }
        try await expect(.corrupt) { try await service.everyMessage(of: session.id) }
        // Calls that do not touch the row still work.
        #expect(try await service.get(session.id) == session)
        await store.close()
    }

    @Test(
        "Missing or surplus rows are an error, never a shorter result",
        arguments: [
            "DELETE FROM session_messages WHERE sequence = 3", "DELETE FROM session_messages WHERE sequence = 1",
            "DELETE FROM session_messages WHERE sequence = 5", "DELETE FROM session_messages",
            "UPDATE sessions SET message_count = 6", "UPDATE sessions SET message_count = 9223372036854775807",
            "UPDATE sessions SET message_count = 4", "UPDATE sessions SET message_count = 0",
            "UPDATE session_messages SET session_id = '7ZZZZZZZZZZZZZZZZZZZZZZZZZ' WHERE sequence = 4",
        ])
    func missingRows(sql: String) async throws {
        let (folder, session) = try await Self.filledFolder()
        try folder.damage(sql)
        let store = try await folder.open()
        let service = PersistentSessionService(store)
        for range in [MessageRange.after(0), .last, .before(.max)] {
            let error = try await expect(.corrupt) { try await service.messages(in: session.id, range, limit: 10) }
            #expect(error.message.contains("\(session.id)"))
        }
        try await expect(.corrupt) { try await service.everyMessage(of: session.id) }
        let everything = MessageRequest(sessionID: session.id, range: .after(0), limit: .max)
        _ = try await store.messages(everything)
        await store.close()
    }

    @Test("Rows that contradict each other are an error when one is written")
    func contradiction() async throws {
        let (folder, session) = try await Self.filledFolder()
        try folder.damage("UPDATE sessions SET message_count = 4")
        let store = try await folder.open()
        let error = try await expect(.corrupt) {
            try await PersistentSessionService(store).append(.numbered(1), to: session.id)
        }
        #expect(error.nativeCode == "SQLITE_CONSTRAINT (2067)")
        await store.close()
        #expect(try folder.raw().value("SELECT count(*) FROM session_messages") == "5")
    }

    @Test("A damaged byte is an error or changes no data", arguments: [1, 2, UInt64.random(in: 3 ... .max)])
    func damagedByte(seed: UInt64) async throws {
        let (folder, _) = try await Self.filledFolder(messages: 120)
        let file = URL(filePath: folder.path())
        let intact = try Data(contentsOf: file)
        var dice = Dice(state: seed)
        for _ in 0..<40 {
            var damaged = intact
            let offset = dice.roll(0...(intact.count - 1))
            damaged[offset] ^= UInt8(1 << dice.roll(0...7))
            try damaged.write(to: file)
            do throws(StoreError) {
                let store = try await SQLiteSessionStore.open(folder.configuration())
                let service = PersistentSessionService(store, retryPolicy: .never)
                do throws(StoreError) {
                    for session in try await service.list().sessions {
                        let messages = try await service.messages(in: session.id, limit: 1000).messages
                        #expect(messages.map(\.sequence) == Array(1...120), "seed \(seed), offset \(offset)")
                    }
                } catch {
                    let known: [StoreError.Code] = [.corrupt, .notFound]
                    #expect(known.contains(error.code), "seed \(seed), offset \(offset): \(error)")
                }
                await store.close()
            } catch {
                let known: [StoreError.Code] = [.corrupt, .newerStore, .unavailable]
                #expect(known.contains(error.code), "seed \(seed), offset \(offset): \(error)")
            }
            for end in ["-wal", "-shm", "-journal"] { try? FileManager.default.removeItem(atPath: file.path + end) }
        }
    }

    private static func filledFolder(messages: Int = 5) async throws -> (TemporaryFolder, Session) {
        let folder = try TemporaryFolder()
        let store = try await folder.open()
        let session = try await PersistentSessionService(store).filled(messages)
        await store.close()
        return (folder, session)
    }
}

extension TemporaryFolder {
    /// Changes rows without the constraints of the tables.
    fileprivate func damage(_ sql: String) throws {
        let rules = "replace(replace(sql, 'STRICT', ''), 'NOT NULL', '')"
        let loosened = try raw()
        try loosened.execute(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = \(rules) WHERE type = 'table'")
        // Another connection reads the schema again.
        try raw().execute(sql)
    }
}
#endif
