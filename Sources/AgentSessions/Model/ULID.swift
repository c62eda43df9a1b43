/// A universally unique, lexicographically sortable identifier: 48 bits of milliseconds since 1970, then 80 random
/// bits, written as 26 characters of Crockford's base 32. See <https://github.com/ulid/spec>.
public struct ULID: Sendable, Hashable {
    /// The first eight bytes, big-endian: 48 bits of time and 16 random bits.
    package let high: UInt64
    /// The last eight bytes, big-endian: 64 random bits.
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The identifier that these 16 bytes hold.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where `bytes` does not have exactly 16 elements.
    public init(bytes: some Collection<UInt8>) throws(StoreError) {
        guard bytes.count == 16 else {
            throw StoreError(.invalidArgument, "A ULID has 16 bytes, not \(bytes.count).")
        }
        var words: (UInt64, UInt64) = (0, 0)
        for (index, byte) in bytes.enumerated() {
            if index < 8 {
                words.0 = words.0 << 8 | UInt64(byte)
            } else {
                words.1 = words.1 << 8 | UInt64(byte)
            }
        }
        self.init(high: words.0, low: words.1)
    }

    /// The 16 bytes, in the order in which identifiers sort.
    public var bytes: [UInt8] {
        (0..<16).map { index in
            UInt8(truncatingIfNeeded: (index < 8 ? high : low) >> UInt64(56 - 8 * (index & 7)))
        }
    }

    /// Milliseconds since 1970 at which the identifier was made, as it says itself.
    public var milliseconds: UInt64 { high >> 16 }
}

extension ULID: Comparable {
    /// Orders by the bytes, which is the order of the texts too.
    public static func < (left: ULID, right: ULID) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}

// MARK: - Text

extension ULID: LosslessStringConvertible, Codable {
    /// The number of characters, and of bytes of UTF-8, of the text form.
    @usableFromInline package static let textLength = 26

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    private static let digits: [UInt8] = {
        var table = [UInt8](repeating: .max, count: 256)
        for (digit, character) in alphabet.enumerated() {
            table[Int(character)] = UInt8(digit)
            // Crockford's letters are read in either case; `| 0x20` leaves figures as they are.
            table[Int(character | 0x20)] = UInt8(digit)
        }
        return table
    }()

    /// The 26 characters of the text form, in capitals.
    public var description: String {
        String(unsafeUninitializedCapacity: Self.textLength) { buffer in
            write(to: buffer)
            return Self.textLength
        }
    }

    /// Gives `body` the bytes of the text form, without making a string.
    ///
    /// `@inlinable`, so that backends specialise it: looking up generic types took 3 % of the time of an append.
    @inlinable
    package func withText<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // Typed throws do not pass through this function of the standard library, hence the detour.
        try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.textLength) { buffer in
            write(to: buffer)
            return Swift.Result { () throws(Failure) in try body(UnsafeBufferPointer(buffer)) }
        }.get()
    }

    @usableFromInline
    package func write(to buffer: UnsafeMutableBufferPointer<UInt8>) {
        Self.alphabet.withUnsafeBufferPointer { alphabet in
            // 130 bits of text for 128 bits of value: the first character carries three bits.
            for index in 0..<Self.textLength {
                buffer[index] = alphabet[Int(digit(at: 125 - 5 * index))]
            }
        }
    }

    /// The five bits above bit `shift` of the 128.
    private func digit(at shift: Int) -> UInt64 {
        switch shift {
        case 64...: (high >> UInt64(shift - 64)) & 31
        case 60...63: (low >> UInt64(shift) | high << UInt64(64 - shift)) & 31
        default: (low >> UInt64(shift)) & 31
        }
    }

    /// The identifier that `text` writes, or `nil` where it is not one.
    public init?(_ text: String) {
        var text = text
        let parsed = text.withUTF8 { ULID(utf8: $0) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// The identifier that these bytes of text write, or `nil` where they do not write one.
    package init?(utf8: UnsafeBufferPointer<UInt8>) {
        guard utf8.count == Self.textLength else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        let valid = Self.digits.withUnsafeBufferPointer { digits in
            for character in utf8 {
                let digit = digits[Int(character)]
                guard digit != .max else { return false }
                high = high << 5 | low >> 59
                low = low << 5 | UInt64(digit)
            }
            // 26 characters hold 130 bits: the two above 128 must be zero.
            return digits[Int(utf8[0])] <= 7
        }
        guard valid else { return nil }
        self.init(high: high, low: low)
    }

    /// The identifier that `text` writes.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where the text is not 26 characters of Crockford's base 32
    ///   (I, L, O and U are not among them), or is more than the 128 bits `7ZZZZZZZZZZZZZZZZZZZZZZZZZ`.
    public init(parsing text: String) throws(StoreError) {
        guard let parsed = ULID(text) else {
            throw StoreError(
                .invalidArgument,
                "\(quoted(text)) is not a ULID: 26 characters of 0-9 and A-Z without I, L, O and U, "
                    + "such as 01J9ZK5C8N4V6Q2W3E7R8T9Y0A, at most 7ZZZZZZZZZZZZZZZZZZZZZZZZZ.")
        }
        self = parsed
    }

    /// Reads the text form.
    public init(from decoder: any Decoder) throws {
        self = try ULID(parsing: decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
