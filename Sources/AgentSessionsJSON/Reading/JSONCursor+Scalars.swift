extension JSONCursor {
    /// A number in the text, checked but not converted.
    package struct Number: Sendable {
        package let range: Range<Int>

        /// Whether it has neither a fraction nor an exponent.
        package let isInteger: Bool
    }

    /// Reads `null`, if that is the next value.
    package mutating func readNull() throws(JSONError) -> Bool {
        guard try peekByte() == UInt8(ascii: "n") else { return false }
        try readWord("null")
        return true
    }

    /// Reads `true` or `false`.
    package mutating func readBool() throws(JSONError) -> Bool {
        switch try peekByte() {
        case UInt8(ascii: "t"):
            try readWord("true")
            return true
        case UInt8(ascii: "f"):
            try readWord("false")
            return false
        default:
            throw .unexpected(at: offset, allowed: "true or false")
        }
    }

    /// Reads a number that has neither a fraction nor an exponent.
    /// - Throws: `unexpectedCharacter` for any other value, `numberOutOfRange` beyond 64 bits.
    package mutating func readInteger() throws(JSONError) -> Int64 {
        let number = try readNumber()
        guard number.isInteger else { throw .unexpected(at: number.range.lowerBound, allowed: "an integer") }
        return try integer(number)
    }

    /// Reads a number and leaves it where it is (RFC 8259, section 6).
    package mutating func readNumber() throws(JSONError) -> Number {
        let first = try peekByte()
        let start = offset
        if first == ASCII.minus { offset += 1 }
        if offset < bytes.count, bytes[offset] == ASCII.zero {
            offset += 1
            if offset < bytes.count, ASCII.isDigit(bytes[offset]) {
                throw .unexpected(at: offset, allowed: "a number without leading zeros")
            }
        } else {
            try readDigits(allowed: first == ASCII.minus ? "a digit" : "a number")
        }
        var isInteger = true
        if offset < bytes.count, bytes[offset] == ASCII.point {
            isInteger = false
            offset += 1
            try readDigits(allowed: "a digit")
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            offset += 1
            if offset < bytes.count, bytes[offset] == ASCII.plus || bytes[offset] == ASCII.minus { offset += 1 }
            try readDigits(allowed: "a digit")
        }
        return Number(range: start..<offset, isInteger: isInteger)
    }

    /// The value of a number without fraction and exponent; `-0` is 0.
    func integer(_ number: Number) throws(JSONError) -> Int64 {
        var digits = bytes.slice(number.range)[...]
        let isNegative = digits.first == ASCII.minus
        if isNegative { digits = digits.dropFirst() }
        // Summed up below zero, where there is room for one more.
        var value: Int64 = 0
        for byte in digits {
            let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, tooLargeAfterAll) = tens.subtractingReportingOverflow(Int64(byte &- ASCII.zero))
            if tooLarge || tooLargeAfterAll { throw .integerOutOfRange(at: number.range.lowerBound) }
            value = sum
        }
        if isNegative { return value }
        guard value > .min else { throw .integerOutOfRange(at: number.range.lowerBound) }
        return -value
    }

    /// The double nearest to a number, which must be finite. What is too small to be told from zero is zero.
    func double(_ number: Number) throws(JSONError) -> Double {
        guard let value = Double(String(validUTF8: bytes.slice(number.range))), value.isFinite else {
            throw .doubleOutOfRange(at: number.range.lowerBound)
        }
        return value
    }

    private mutating func readDigits(allowed: String) throws(JSONError) {
        guard offset < bytes.count else { throw .truncated(at: offset) }
        guard ASCII.isDigit(bytes[offset]) else { throw .unexpected(at: offset, allowed: allowed) }
        while offset < bytes.count, ASCII.isDigit(bytes[offset]) { offset += 1 }
    }

    private mutating func readWord(_ word: StaticString) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard offset < bytes.count else { throw .truncated(at: offset) }
            guard bytes[offset] == word.utf8Start[index] else {
                throw .unexpected(at: offset, allowed: word.description)
            }
            offset += 1
        }
    }
}
