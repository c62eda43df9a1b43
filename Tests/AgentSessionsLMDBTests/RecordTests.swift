#if LMDB
import AgentSessions
import Foundation
import Testing

@testable import AgentSessionsLMDB

@Suite("LMDB records and keys")
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

    /// The bytes with a matching checksum, so that only their content is judged.
    private static func sealed(_ bytes: [UInt8], _ seed: UInt64) -> [UInt8] {
        guard bytes.count >= RecordChecksum.size else { return bytes }
        var bytes = bytes
        bytes.withUnsafeMutableBytes { RecordChecksum.seal($0, seed: seed) }
        return bytes
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

    @Test("Messages of every role survive a round trip through records")
    func messageRoles() throws {
        for message in try Self.messages() {
            #expect(try Self.readMessage(Self.bytes(of: message), message.sequence) == message)
        }
    }

    @Test("A session with the largest values survives a round trip through a record")
    func largestSession() throws {
        let session = try Self.someSession()
        #expect(try Self.readSession(Self.bytes(of: session)) == session)
    }

    /// Every byte changed in several ways, and every length: a record is read or refused, and never traps.
    @Test("A damaged record is corrupt or another value, and never a crash")
    func neverTraps() throws {
        func check(_ bytes: [UInt8], _ seed: UInt64, _ read: ([UInt8]) throws -> Void) {
            // Once with the old checksum, which detects the damage, and once with a new one, for the checks behind it.
            let error = #expect(throws: StoreError.self) { try read(bytes) }
            #expect(error?.code == .corrupt && error?.backend == "lmdb")
            do { try read(Self.sealed(bytes, seed)) } catch {
                #expect((error as? StoreError)?.code == .corrupt)
                #expect((error as? StoreError)?.backend == "lmdb")
            }
        }
        var random = SystemRandomNumberGenerator()
        var records: [([UInt8], UInt64, ([UInt8]) throws -> Void)] = []
        for message in try Self.messages() {
            let seed = RecordChecksum.seed(Self.session, message.sequence)
            records.append((try Self.bytes(of: message), seed, { _ = try Self.readMessage($0, message.sequence) }))
        }
        let seed = RecordChecksum.seed(Self.session)
        records.append((try Self.bytes(of: Self.someSession()), seed, { _ = try Self.readSession($0) }))
        for (bytes, seed, read) in records {
            for length in 0..<bytes.count { check(Array(bytes.prefix(length)), seed, read) }
            check(bytes + [0], seed, read)
            for index in bytes.indices {
                for mask: UInt8 in [0x01, 0x80, 0xFF, .random(in: 1...254, using: &random)] {
                    var changed = bytes
                    changed[index] ^= mask
                    check(changed, seed, read)
                }
            }
            for _ in 0..<1000 {
                var changed = bytes
                for _ in 0..<Int.random(in: 1...6) {
                    changed[Int.random(in: changed.indices)] = .random(in: 0...255)
                }
                if changed != bytes { check(changed, seed, read) }
                let noise = (0..<Int.random(in: 0...200)).map { _ in UInt8.random(in: 0...255) }
                check(noise, seed, read)
                check([1] + noise, seed, read)
            }
        }
    }

    @Test(
        "Each field of a message record is checked",
        arguments: [
            (0, 2), (1, 0), (1, 6), (2, 1), (3, 2), (3, 0), (4, 1), (5, 1), (6, 1), (7, 1), (11, 1), (15, 1),
            (39, 0x7F),
        ])
    func messageFields(offset: Int, value: UInt8) throws {
        let message = try Self.messages()[1]
        var bytes = try Self.bytes(of: message)
        try #require(bytes[offset] != value)
        bytes[offset] = value
        let changed = Self.sealed(bytes, RecordChecksum.seed(Self.session, 2))
        #expect(throws: StoreError.self) { try Self.readMessage(changed, 2) }
    }

    @Test(
        "Each field of a session record is checked",
        arguments: [
            (0, 2), (1, 1), (2, 1), (3, 1), (7, 1), (15, 0xFF), (23, 0xFF), (31, 0xFF), (39, 0xFF), (47, 0x7F),
            (55, 0x7F),
            (56, 0xFF), (311, 0),
        ])
    func sessionFields(offset: Int, value: UInt8) throws {
        var bytes = try Self.bytes(of: Self.someSession())
        try #require(bytes[offset] != value)
        bytes[offset] = value
        let changed = Self.sealed(bytes, RecordChecksum.seed(Self.session))
        #expect(throws: StoreError.self) { try Self.readSession(changed) }
    }

    /// Made with the reference implementation.
    @Test(
        "The checksum of a record is XXH64",
        arguments: [
            (0, 0, 0xEF46_DB37_51D8_E999), (1, 0, 0x1F25_C8D0_BC1F_4BB6), (3, 1, 0x2D80_E074_130D_0176),
            (4, 2, 0x2C74_78D0_389E_71EA), (8, 3, 0x4F1D_5E3D_AFE2_A410), (31, 4, 0x7733_7C4F_5452_3111),
            (32, 5, 0xB483_E00F_1DD6_7337), (33, 0x9E37_79B9_7F4A_7C15, 0x7ACE_AF1E_9D34_EA35),
            (63, 6, 0x0DB2_C0B6_AC2C_8BDA), (101, 7, 0x4522_4C3D_C7F2_6AE5),
        ] as [(Int, UInt64, UInt64)])
    func checksum(length: Int, seed: UInt64, expected: UInt64) {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + 3) }
        #expect(bytes.withUnsafeBytes { RecordChecksum.of($0, seed: seed) } == expected)
    }

    @Test("A record under the key of another is corrupt")
    func misplacedRecord() throws {
        let bytes = try Self.bytes(of: Self.messages()[0])
        #expect(throws: StoreError.self) { try Self.readMessage(bytes, 2) }
    }

    @Test("A value that does not fit into a record is refused")
    func tooLarge() throws {
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

    @Test("Times keep their order as bytes")
    func timeOrder() throws {
        let times = [Int64.min / 1024, -1_000_000, -1, 0, 1, 255, 256, 1 << 40].compactMap(
            Timestamp.init(microseconds:))
        for (earlier, later) in zip(times, times.dropFirst()) { #expect(earlier.orderedBits < later.orderedBits) }
        for time in times + [.earliest, .latest] { #expect(Timestamp(orderedBits: time.orderedBits) == time) }
        #expect(Timestamp(orderedBits: .max) == nil)
    }

    @Test("Records of the registry and of migrations survive a round trip")
    func registryAndMigrations() throws {
        let registry = StoreRecord(formatVersion: 1, storeID: Self.session, createdAt: .earliest, build: "b/1")
        let read = try StoreRecord(registry.bytes)
        #expect(read.storeID == Self.session && read.build == "b/1" && read.createdAt == .earliest)
        let newer = StoreRecord(formatVersion: 2, storeID: Self.session, createdAt: .earliest, build: "b/9")
        #expect(throws: StoreError.self) { try StoreRecord(Array(newer.bytes.prefix(4))) }
        for length in 0..<registry.bytes.count {
            #expect(throws: StoreError.self) { try StoreRecord(Array(registry.bytes.prefix(length))) }
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
