import Foundation
import Testing

@testable import AgentSessions

@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "Times and their texts convert both ways",
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_709_164_800_000_042, "2024-02-29T00:00:00.000042Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
            (-2_203_891_200_000_000, "1900-03-01T00:00:00.000000Z"),
            (1_795_367_109_000_042, "2026-11-22T17:05:09.000042Z"),
            (Timestamp.earliest.microseconds, "0001-01-01T00:00:00.000000Z"),
            (Timestamp.latest.microseconds, "9999-12-31T23:59:59.999999Z"),
        ])
    func bothWays(microseconds: Int64, text: String) throws {
        let moment = try #require(Timestamp(microseconds: microseconds))
        #expect(moment.description == text)
        #expect(try Timestamp(parsing: text) == moment)
        let json = try JSONEncoder().encode([moment])
        #expect(try JSONDecoder().decode([Timestamp].self, from: json) == [moment])
    }

    @Test(
        "Offsets, fractions and lower-case letters are read",
        arguments: [
            ("2026-11-22t17:05:09z", "2026-11-22T17:05:09.000000Z"),
            ("2026-11-22T17:05:09.1Z", "2026-11-22T17:05:09.100000Z"),
            ("2026-11-22T17:05:09.123456000Z", "2026-11-22T17:05:09.123456Z"),
            ("2026-11-22T17:05:09+01:30", "2026-11-22T15:35:09.000000Z"),
            ("2026-12-31T23:05:09-23:59", "2027-01-01T23:04:09.000000Z"),
            ("2026-11-22T17:05:09-00:00", "2026-11-22T17:05:09.000000Z"),
            ("0001-01-01T01:00:00+01:00", "0001-01-01T00:00:00.000000Z"),
        ])
    func otherForms(text: String, same: String) throws {
        #expect(try Timestamp(parsing: text).description == same)
    }

    @Test(
        "A text that is not a time is refused",
        arguments: [
            "", "now", "2026-11-22", "2026-11-22T17:05:09", "2026-11-22 17:05:09Z", "2026-11-22T17:05:09.Z",
            "2026-11-22T17:05:09.1234567Z", "2026-11-22T17:05:09.0000000000Z", "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-04-31T00:00:00Z",
            "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00+0000",
            "2026-01-01T00:00:00Zx", "0000-12-31T00:00:00Z", "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01", "12026-01-01T00:00:00Z", "-2026-01-01T00:00:00Z",
            "2026-01-01T00:00:0\u{0}Z", "２026-01-01T00:00:00Z",
        ])
    func junk(text: String) throws {
        #expect(Timestamp(text) == nil)
        #expect(try syncError { () throws(StoreError) in try Timestamp(parsing: text) }.code == .invalidArgument)
    }

    /// Foundation counts by the Julian calendar before October 1582.
    @Test("The days of 700 years are written as Foundation writes them")
    func everyDay() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for day in stride(from: -141_000, to: 146_000, by: 61) {
            let seconds = Int64(day) * 86_400
            let moment = try #require(Timestamp(microseconds: seconds * 1_000_000))
            let date = calendar.dateComponents(
                [.year, .month, .day], from: Date(timeIntervalSince1970: Double(seconds)))
            let year = try #require(date.year)
            let month = try #require(date.month)
            let dayOfMonth = try #require(date.day)
            let text = moment.description
            #expect(Int(text.prefix(4)) == year)
            #expect(Int(text.dropFirst(5).prefix(2)) == month)
            #expect(Int(text.dropFirst(8).prefix(2)) == dayOfMonth)
            #expect(Timestamp(text) == moment)
        }
    }

    @Test("There is no timestamp outside the years 1 to 9999")
    func bounds() throws {
        #expect(Timestamp(microseconds: Timestamp.earliest.microseconds - 1) == nil)
        #expect(Timestamp(microseconds: Timestamp.latest.microseconds + 1) == nil)
        #expect(Timestamp(microseconds: .max) == nil)
        #expect(try Timestamp.earliest.next() > .earliest)
        #expect(try syncError { () throws(StoreError) in try Timestamp.latest.next() }.code == .limitExceeded)
    }

    @Test("The current time is that of the system")
    func present() {
        let now = Double(Timestamp.now().microseconds) / 1_000_000
        #expect(abs(now - Date().timeIntervalSince1970) < 5)
    }
}
