#if LMDB
import AgentSessions
import Foundation
import Testing

@testable import AgentSessionsLMDB

@Suite("LMDB: records and keys")
struct RecordTests {
    private static let session = ULID(high: 7, low: 9)

    private static func messages() throws -> [SessionMessage] {
        let time = try #require(Timestamp(microseconds: -1))
        let roles: [MessageRole] = [.system, .developer, .user, .assistant, .tool, try MessageRole("critic")]
        return roles.enumerated().map { index, role in
            SessionMessage(
                id: ULID(high: .max, low: UInt64(index)), sessionID: session, sequence: index + 1, role: role,
                content: index == 0 ? "" : "é\u{0}" + String(repeating: "c", count: index),
                toolCallID: index % 2 == 0 ? nil : String(repeating: "t", count: index * 51),
                metadata: index < 3 ? [:] : ["a": .integer(.min), "b": [1.5, true]], createdAt: time)
        }
    }

    private static func bytes(of message: SessionMessage) throws -> [UInt8] {
        let record = try MessageRecord(message)
        var bytes = [UInt8](repeating: 0xAA, count: record.size)
        bytes.withUnsafeMutableBytes { record.write(to: $0) }
        return bytes
    }

    private static func bytes(of session: Session) throws -> [UInt8] {
        let record = try SessionRecord(session)
        var bytes = [UInt8](repeating: 0xAA, count: record.size)
        bytes.withUnsafeMutableBytes { record.write(to: $0) }
        return bytes
    }

    private static func readMessage(_ bytes: [UInt8], _ sequence: Int) throws -> SessionMessage {
        try bytes.withUnsafeBytes { try MessageRecord.read($0, session: session, sequence: sequence) }
    }

    private static func readSession(_ bytes: [UInt8]) throws -> Session {
        try bytes.withUnsafeBytes { try SessionRecord.read($0, id: session) }
    }

    private static func someSession() throws -> Session {
        Session(
            id: session, actorName: String(repeating: "ä", count: 127) + "x", messageCount: .max,
            usage: TokenUsage(inputTokens: .max, outputTokens: 1, estimatedCost: 0), metadata: ["k": "v"],
            createdAt: .earliest, updatedAt: .latest)
    }

    @Test func `messages of every role come back`() throws {
        for message in try Self.messages() {
            #expect(try Self.readMessage(Self.bytes(of: message), message.sequence) == message)
        }
    }

    @Test func `a session with the largest values comes back`() throws {
        let session = try Self.someSession()
        #expect(try Self.readSession(Self.bytes(of: session)) == session)
    }

    /// Every byte changed in several ways, and every length: a record is read or refused, and never traps.
    @Test func `damage is corrupt or another value, never a trap`() throws {
        func check(_ bytes: [UInt8], _ read: ([UInt8]) throws -> Void) {
            do { try read(bytes) } catch {
                #expect((error as? StoreError)?.code == .corrupt)
                #expect((error as? StoreError)?.backend == "lmdb")
            }
        }
        var random = SystemRandomNumberGenerator()
        var records: [([UInt8], ([UInt8]) throws -> Void)] = []
        for message in try Self.messages() {
            records.append((try Self.bytes(of: message), { _ = try Self.readMessage($0, 1) }))
        }
        records.append((try Self.bytes(of: Self.someSession()), { _ = try Self.readSession($0) }))
        for (bytes, read) in records {
            for length in 0...bytes.count { check(Array(bytes.prefix(length)), read) }
            check(bytes + [0], read)
            for index in bytes.indices {
                for mask: UInt8 in [0x01, 0x80, 0xFF, .random(in: 1...254, using: &random)] {
                    var changed = bytes
                    changed[index] ^= mask
                    check(changed, read)
                }
            }
            for _ in 0..<2000 {
                var changed = bytes
                for _ in 0..<Int.random(in: 1...6) {
                    changed[Int.random(in: changed.indices)] = .random(in: 0...255)
                }
                check(changed, read)
            }
        }
    }

    @Test(arguments: [
        (0, 2), (1, 0), (1, 6), (2, 1), (3, 2), (3, 0), (4, 1), (5, 1), (6, 1), (7, 1), (11, 1), (15, 1), (39, 0x7F),
    ])
    func `each field of a message is checked`(offset: Int, value: UInt8) throws {
        let message = try Self.messages()[1]
        var bytes = try Self.bytes(of: message)
        try #require(bytes[offset] != value)
        bytes[offset] = value
        #expect(throws: StoreError.self) { try Self.readMessage(bytes, 2) }
    }

    @Test(arguments: [
        (0, 2), (1, 1), (2, 1), (3, 1), (7, 1), (15, 0xFF), (23, 0xFF), (31, 0xFF), (39, 0xFF), (47, 0x7F), (55, 0x7F),
        (56, 0xFF), (311, 0),
    ])
    func `each field of a session is checked`(offset: Int, value: UInt8) throws {
        var bytes = try Self.bytes(of: Self.someSession())
        try #require(bytes[offset] != value)
        bytes[offset] = value
        #expect(throws: StoreError.self) { try Self.readSession(bytes) }
    }

    @Test func `what does not fit a record is refused`() throws {
        var session = try Self.someSession()
        session.actorName += "xxx"
        #expect(throws: StoreError.self) { try SessionRecord(session) }
        #expect(throws: StoreError.self) { try ActorPrefix(session.actorName) }
        session.actorName = "a"
        session.metadata = ["x": .double(.infinity)]
        #expect(throws: StoreError.self) { try SessionRecord(session) }
        let message = SessionMessage(
            id: Self.session, sessionID: Self.session, sequence: 1, role: .tool, content: "",
            toolCallID: String(repeating: "x", count: 256), createdAt: .earliest)
        #expect(throws: StoreError.self) { try MessageRecord(message) }
    }

    @Test func `times keep their order as bytes`() throws {
        let times = [Int64.min / 1024, -1_000_000, -1, 0, 1, 255, 256, 1 << 40].compactMap(
            Timestamp.init(microseconds:))
        for (earlier, later) in zip(times, times.dropFirst()) { #expect(earlier.orderedBits < later.orderedBits) }
        for time in times + [.earliest, .latest] { #expect(Timestamp(orderedBits: time.orderedBits) == time) }
        #expect(Timestamp(orderedBits: .max) == nil)
    }

    @Test func `records of the registry and the migrations`() throws {
        let registry = RegistryRecord(formatVersion: 1, storeID: Self.session, createdAt: .earliest, build: "b/1")
        let read = try RegistryRecord(registry.bytes)
        #expect(read.storeID == Self.session && read.build == "b/1" && read.createdAt == .earliest)
        let newer = RegistryRecord(formatVersion: 2, storeID: Self.session, createdAt: .earliest, build: "b/9")
        #expect(throws: StoreError.self) { try RegistryRecord(Array(newer.bytes.prefix(4))) }
        for length in 0..<registry.bytes.count {
            #expect(throws: StoreError.self) { try RegistryRecord(Array(registry.bytes.prefix(length))) }
        }
        let step = AppliedMigration(name: "n", origin: .application, appliedAt: .latest, build: "b")
        let bytes = MigrationRecord.bytes(step, parent: "p")
        #expect(try MigrationRecord.read(bytes, number: 1) == step)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0xFF
            _ = try? MigrationRecord.read(changed, number: 1)
            #expect(throws: StoreError.self) { try MigrationRecord.read(Array(bytes.prefix(index)), number: 1) }
        }
    }
}
#endif
