/// Canonical JSON: one sequence of bytes for each value, to hash and to sign (RFC 8785).
///
/// It departs from the RFC in one point: integers keep all their digits, where the RFC would round them to a double.
/// Doubles are written as ECMAScript does, so 1.0 becomes `1` and -0.0 becomes `0`.
public enum CanonicalJSON {
    /// The canonical form of a value.
    /// - Throws: `nonFiniteNumber`, which names the path to the number; `tooDeep` beyond ``JSONLimits/deepest``.
    public static func encode(_ value: JSONValue) throws(JSONError) -> [UInt8] {
        var bytes: [UInt8] = []
        try append(value, into: &bytes)
        return bytes
    }

    /// Appends the canonical form of a value. After an error, what was written of it stays.
    /// - Throws: As ``encode(_:)``.
    public static func append(_ value: JSONValue, into bytes: inout [UInt8]) throws(JSONError) {
        try JSONWriter(numbers: .canonical).write(value, into: &bytes)
    }

    /// Appends a string with its quotation marks.
    package static func appendString(_ value: String, into bytes: inout [UInt8]) {
        value.withBytes { appendString($0, into: &bytes) }
    }

    /// Appends a string with its quotation marks. The bytes must be UTF-8.
    package static func appendString(_ value: UnsafeBufferPointer<UInt8>, into bytes: inout [UInt8]) {
        bytes.append(ASCII.quote)
        var start = 0
        while true {
            let end = value.endOfPlainRun(from: start, stopsAtNonASCII: false)
            bytes.append(contentsOf: value.slice(start..<end))
            guard end < value.count else { break }
            appendEscape(value[end], into: &bytes)
            start = end + 1
        }
        bytes.append(ASCII.quote)
    }

    /// Appends a whole number.
    package static func appendInteger(_ value: Int64, into bytes: inout [UInt8]) {
        if value < 0 { bytes.append(ASCII.minus) }
        appendDigits(value.magnitude, into: &bytes)
    }

    /// Appends a double as ECMAScript writes it.
    /// - Throws: `nonFiniteNumber`.
    static func appendDouble(_ value: Double, into bytes: inout [UInt8]) throws(JSONError) {
        guard let decimal = ShortestDecimal(value) else { throw .nonFiniteNumber(at: "") }
        decimal.append(into: &bytes)
    }

    private static func appendEscape(_ character: UInt8, into bytes: inout [UInt8]) {
        bytes.append(ASCII.backslash)
        if character == ASCII.quote || character == ASCII.backslash {
            bytes.append(character)
        } else if let letter = JSONWriter.shortEscape(of: character) {
            bytes.append(letter)
        } else {
            bytes.append(contentsOf: [UInt8(ascii: "u"), ASCII.zero, ASCII.zero])
            bytes.append(ASCII.hexDigit(character >> 4))
            bytes.append(ASCII.hexDigit(character))
        }
    }

    /// Appends the decimal digits of a number.
    static func appendDigits(_ value: UInt64, into bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { buffer in
            var start = buffer.count
            var rest = value
            repeat {
                start -= 1
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                buffer.initializeElement(at: start, to: ASCII.zero &+ UInt8(truncatingIfNeeded: digit))
                rest = quotient
            } while rest > 0
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[start...]))
        }
    }
}
