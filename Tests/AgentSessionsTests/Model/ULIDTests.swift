import Foundation
import Synchronization
import Testing

@testable import AgentSessions

@Suite("ULID")
struct ULIDTests {
    @Test(
        "The text and the bytes of a ULID stand for the same value",
        arguments: [
            ("00000000000000000000000000", ULID(high: 0, low: 0)),
            ("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", ULID(high: .max, low: .max)),
            ("00000000000000000000000001", ULID(high: 0, low: 1)),
            ("0000000000000G000000000000", ULID(high: 1, low: 0)),
            ("0000000000000FZZZZZZZZZZZZ", ULID(high: 0, low: .max)),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", ULID(high: 0x0156_3E3A_B5D3_D676, low: 0x4C61_EFB9_9302_BD5B)),
        ])
    func textAndBytes(text: String, id: ULID) throws {
        #expect(id.description == text)
        #expect(ULID(text) == id)
        #expect(ULID(text.lowercased()) == id)
        #expect(try ULID(parsing: text) == id)
        #expect(try ULID(bytes: id.bytes) == id)
        let json = try JSONEncoder().encode([id])
        #expect(String(decoding: json, as: UTF8.self) == "[\"\(text)\"]")
        #expect(try JSONDecoder().decode([ULID].self, from: json) == [id])
    }

    @Test("Any ULID survives a round trip through text, and texts sort as the ULIDs do")
    func randomRoundTrip() throws {
        var ids: [ULID] = []
        for _ in 0..<2000 {
            let id = ULID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
            #expect(ULID(id.description) == id)
            ids.append(id)
        }
        #expect(ids.sorted().map(\.description) == ids.map(\.description).sorted())
    }

    @Test(
        "A text that is not a ULID is refused",
        arguments: [
            "", "0", "0000000000000000000000000", "000000000000000000000000000", "80000000000000000000000000",
            "ZZZZZZZZZZZZZZZZZZZZZZZZZZ", "0000000000000000000000000I", "0000000000000000000000000l",
            "0000000000000000000000000O", "0000000000000000000000000U", "0000000000000000000000000-",
            " 0000000000000000000000000", "0000000000000000000000000\u{0}", "000000000000000000000000é",
            "０0000000000000000000000000", "0000000000000000000000000\u{301}",
        ])
    func badText(text: String) throws {
        #expect(ULID(text) == nil)
        let error = try syncError { () throws(StoreError) in try ULID(parsing: text) }
        #expect(error.code == .invalidArgument)
        #expect(throws: StoreError.self) { try JSONDecoder().decode([ULID].self, from: JSONEncoder().encode([text])) }
    }

    @Test("Any number of bytes but 16 is refused", arguments: [0, 15, 17])
    func badBytes(count: Int) throws {
        let error = try syncError { () throws(StoreError) in try ULID(bytes: [UInt8](repeating: 1, count: count)) }
        #expect(error.code == .invalidArgument)
    }

    @Test("ULIDs carry the time, and still grow if the clock stands still or goes back")
    func clockGoesBack() throws {
        let times = Mutex<[UInt64]>([5000, 5000, 4000, 0, 5001])
        let generator = ULIDGenerator { times.withLock { $0.removeFirst() } }
        let made = try (0..<5).map { _ in try generator.next() }
        #expect(made == made.sorted())
        #expect(Set(made).count == 5)
        #expect(made.map(\.milliseconds) == [5000, 5000, 5000, 5000, 5001])
    }

    @Test("ULIDs go on growing after one reading of a clock far ahead, and none is refused")
    func clockFarAhead() throws {
        let times = Mutex<[UInt64]>([5000, 1 << 48 - 1] + Array(5000..<5100))
        let generator = ULIDGenerator { times.withLock { $0.removeFirst() } }
        let made = try (0..<102).map { _ in try generator.next() }
        #expect(made == made.sorted() && Set(made).count == 102)
        #expect(made.dropFirst().allSatisfy { $0.milliseconds == 1 << 48 - 1 })
    }

    @Test("The random part carries into its upper word")
    func carry() throws {
        let generator = ULIDGenerator(after: ULID(high: 7 << 16, low: .max)) { 7 }
        #expect(try generator.next() == ULID(high: 7 << 16 | 1, low: 0))
    }

    @Test("A millisecond without ULIDs left is an error, and the next one works again")
    func exhaustion() throws {
        let now = Mutex<UInt64>(7)
        let generator = ULIDGenerator(after: ULID(high: 7 << 16 | 0xFFFF, low: .max)) { now.withLock { $0 } }
        #expect(try syncError { () throws(StoreError) in try generator.next() }.code == .limitExceeded)
        now.withLock { $0 = 8 }
        #expect(try generator.next().milliseconds == 8)
    }

    @Test("A clock beyond 48 bits is an error")
    func clockOverflow() throws {
        #expect(try ULIDGenerator { 1 << 48 - 1 }.next().milliseconds == 1 << 48 - 1)
        let error = try syncError { () throws(StoreError) in try ULIDGenerator { 1 << 48 }.next() }
        #expect(error.code == .limitExceeded)
    }

    @Test("Eight threads get growing ULIDs, each its own")
    func threads() async throws {
        let runs = try await withThrowingTaskGroup(of: [ULID].self) { group in
            let generator = ULIDGenerator()
            for _ in 0..<8 {
                group.addTask { @concurrent in try (0..<2000).map { _ in try generator.next() } }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for run in runs { #expect(run == run.sorted()) }
        #expect(Set(runs.joined()).count == 16_000)
    }

    @Test("The generator of the process follows the clock of the system")
    func systemClock() throws {
        let before = systemMilliseconds()
        let made = try ULIDGenerator.shared.next()
        #expect(made.milliseconds >= before)
        #expect(made.milliseconds <= systemMilliseconds() + 1)
    }
}
