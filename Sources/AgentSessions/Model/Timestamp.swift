#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A moment, in whole microseconds since 1970-01-01T00:00:00Z, within the years 1 to 9999.
///
/// The text form is RFC 3339 in UTC with six decimals, such as `2026-11-22T17:05:09.000042Z`.
public struct Timestamp: Sendable, Hashable {
    /// Microseconds since 1970, negative before it.
    public let microseconds: Int64

    /// 0001-01-01T00:00:00.000000Z.
    public static let earliest = Timestamp(unchecked: -62_135_596_800_000_000)
    /// 9999-12-31T23:59:59.999999Z.
    public static let latest = Timestamp(unchecked: 253_402_300_799_999_999)

    private init(unchecked microseconds: Int64) { self.microseconds = microseconds }

    /// The moment so many microseconds after 1970, or `nil` outside the years 1 to 9999.
    public init?(microseconds: Int64) {
        guard (Self.earliest.microseconds...Self.latest.microseconds).contains(microseconds) else { return nil }
        self.init(unchecked: microseconds)
    }

    /// The present moment by the system's clock.
    public static func now() -> Timestamp {
        var time = timespec()
        // CLOCK_REALTIME exists on every system that Swift runs on, so this cannot fail.
        clock_gettime(CLOCK_REALTIME, &time)
        let microseconds = Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec / 1000)
        return Timestamp(unchecked: min(max(microseconds, earliest.microseconds), latest.microseconds))
    }

    /// The moment one microsecond later.
    ///
    /// - Throws: ``StoreError/Code/limitExceeded`` after the year 9999.
    package func next() throws(StoreError) -> Timestamp {
        guard let next = Timestamp(microseconds: microseconds + 1) else {
            throw StoreError(.limitExceeded, "There is no time after \(self): the session cannot change any more.")
        }
        return next
    }
}

extension Timestamp: Comparable {
    /// Whether `left` is the earlier moment.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }
}

// MARK: - RFC 3339

extension Timestamp: LosslessStringConvertible, Codable {
    /// RFC 3339 in UTC with six decimals.
    public var description: String {
        let (seconds, fraction) = microseconds.quotientAndFloorRemainder(dividingBy: 1_000_000)
        let (days, secondOfDay) = seconds.quotientAndFloorRemainder(dividingBy: 86_400)
        let date = CivilDate(daysSince1970: days)
        return String(unsafeUninitializedCapacity: 27) { buffer in
            var writer = DigitWriter(buffer: buffer)
            writer.write(date.year, digits: 4, then: "-")
            writer.write(date.month, digits: 2, then: "-")
            writer.write(date.day, digits: 2, then: "T")
            writer.write(secondOfDay / 3600, digits: 2, then: ":")
            writer.write(secondOfDay / 60 % 60, digits: 2, then: ":")
            writer.write(secondOfDay % 60, digits: 2, then: ".")
            writer.write(fraction, digits: 6, then: "Z")
            return writer.position
        }
    }

    /// The moment that `text` names, or `nil` where it is not an RFC 3339 time.
    ///
    /// Any offset and up to nine decimals are read; those after the sixth must be zero, as nothing is rounded away
    /// in silence. Leap seconds, which no clock here counts, are refused.
    public init?(_ text: String) {
        var reader = DigitReader(bytes: Array(text.utf8))
        guard
            let year = reader.read(digits: 4), reader.skip("-"),
            let month = reader.read(digits: 2), reader.skip("-"),
            let day = reader.read(digits: 2), reader.skip("T", or: "t"),
            let hour = reader.read(digits: 2), hour < 24, reader.skip(":"),
            let minute = reader.read(digits: 2), minute < 60, reader.skip(":"),
            let second = reader.read(digits: 2), second < 60,
            let fraction = reader.readFraction(),
            let offset = reader.readOffset(), reader.isAtEnd,
            let date = CivilDate(year: year, month: month, day: day)
        else { return nil }
        let seconds = date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second - offset
        self.init(microseconds: seconds * 1_000_000 + fraction)
    }

    /// The moment that `text` names.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where the text is not an RFC 3339 time.
    public init(parsing text: String) throws(StoreError) {
        guard let parsed = Timestamp(text) else {
            throw StoreError(
                .invalidArgument,
                "\(quoted(text)) is not a time: RFC 3339 with at most six decimals, such as "
                    + "2026-11-22T17:05:09.000042Z.")
        }
        self = parsed
    }

    /// Reads the text form.
    public init(from decoder: any Decoder) throws {
        self = try Timestamp(parsing: decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Int64 {
    fileprivate func quotientAndFloorRemainder(dividingBy divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

/// A day of the proleptic Gregorian calendar. The arithmetic counts in eras of 400 years that begin on 1 March, as
/// in Howard Hinnant's "chrono-compatible low-level date algorithms".
private struct CivilDate {
    let year: Int64
    let month: Int64
    let day: Int64

    init(daysSince1970: Int64) {
        let (era, dayOfEra) = (daysSince1970 + 719_468).quotientAndFloorRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    init?(year: Int64, month: Int64, day: Int64) {
        guard (1...12).contains(month), day >= 1 else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day <= lengths[Int(month) - 1] else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    var daysSince1970: Int64 {
        let marchYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = marchYear.quotientAndFloorRemainder(dividingBy: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

private struct DigitWriter {
    let buffer: UnsafeMutableBufferPointer<UInt8>
    var position = 0

    mutating func write(_ value: Int64, digits: Int, then separator: Unicode.Scalar) {
        var rest = value
        for index in stride(from: position + digits - 1, through: position, by: -1) {
            buffer[index] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        }
        buffer[position + digits] = UInt8(truncatingIfNeeded: separator.value)
        position += digits + 1
    }
}

private struct DigitReader {
    let bytes: [UInt8]
    var position = 0

    var isAtEnd: Bool { position == bytes.count }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func read(digits: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<digits {
            guard let digit = readDigit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    private mutating func readDigit() -> Int64? {
        guard let byte = current, (48...57).contains(byte) else { return nil }
        position += 1
        return Int64(byte - 48)
    }

    mutating func skip(_ scalar: Unicode.Scalar, or other: Unicode.Scalar? = nil) -> Bool {
        guard let byte = current, UInt32(byte) == scalar.value || UInt32(byte) == other?.value else { return false }
        position += 1
        return true
    }

    /// Microseconds; zero where there is no fraction.
    mutating func readFraction() -> Int64? {
        guard skip(".") else { return 0 }
        var microseconds: Int64 = 0
        var count = 0
        while let digit = readDigit() {
            count += 1
            if count <= 6 {
                microseconds = microseconds * 10 + digit
            } else if digit != 0 || count > 9 {
                return nil
            }
        }
        guard count > 0 else { return nil }
        for _ in 0..<max(0, 6 - count) { microseconds *= 10 }
        return microseconds
    }

    /// Seconds east of Greenwich.
    mutating func readOffset() -> Int64? {
        if skip("Z", or: "z") { return 0 }
        let sign: Int64
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = read(digits: 2), hours < 24, skip(":"), let minutes = read(digits: 2), minutes < 60 else {
            return nil
        }
        return sign * (hours * 3600 + minutes * 60)
    }
}
