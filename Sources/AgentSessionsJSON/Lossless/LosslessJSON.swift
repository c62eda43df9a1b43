/// The form in which values are kept: canonical JSON, save that every double is read back as the double it was.
///
/// ECMAScript writes a double below 1e21 that has no fraction as an integer; here it gets ".0", and negative zero its
/// sign: `1.0`, `-0.0`, `100000000000000000000.0`. Every other number has an exponent or a fraction already (`1e+21`,
/// `0.1`) and is written alike in both forms. The canonical form is therefore the lossless one without each final ".0",
/// and without the sign of `-0.0`.
package enum LosslessJSON {
    /// The lossless form of a value.
    /// - Throws: `nonFiniteNumber`, which names the path to the number; `tooDeep` beyond ``JSONLimits/deepest``.
    package static func encode(_ value: JSONValue) throws(JSONError) -> [UInt8] {
        var bytes: [UInt8] = []
        try append(value, into: &bytes)
        return bytes
    }

    /// Appends the lossless form of a value. After an error, what was written of it stays.
    /// - Throws: As ``encode(_:)``.
    package static func append(_ value: JSONValue, into bytes: inout [UInt8]) throws(JSONError) {
        try JSONWriter(numbers: .lossless).write(value, into: &bytes)
    }

    /// Appends a double so that it is read back as itself.
    /// - Throws: `nonFiniteNumber`.
    static func appendDouble(_ value: Double, into bytes: inout [UInt8]) throws(JSONError) {
        if value == 0, value.sign == .minus { bytes.append(ASCII.minus) }
        let start = bytes.count
        try CanonicalJSON.appendDouble(value, into: &bytes)
        let looksLikeInteger = bytes[start...].allSatisfy { ASCII.isDigit($0) || $0 == ASCII.minus }
        if looksLikeInteger { bytes.append(contentsOf: [ASCII.point, ASCII.zero]) }
    }

    /// Appends the canonical form of an object's text in lossless form.
    static func appendCanonical(_ text: UnsafeBufferPointer<UInt8>, into bytes: inout [UInt8]) {
        var copied = 0
        var index = 0
        while index < text.count {
            switch text[index] {
            case ASCII.quote:
                index = endOfString(text, from: index + 1)
            case ASCII.point where isWhole(text, pointAt: index):
                let isNegativeZero = text[index - 1] == ASCII.zero && text[index - 2] == ASCII.minus
                bytes.append(contentsOf: text.slice(copied..<(isNegativeZero ? index - 2 : index)))
                if isNegativeZero { bytes.append(ASCII.zero) }
                index += 2
                copied = index
            default:
                index += 1
            }
        }
        bytes.append(contentsOf: text.slice(copied..<text.count))
    }

    /// The arrays and objects within each other in an object's text in lossless form.
    static func depth(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        var depth = 0
        var deepest = 0
        var index = 0
        while index < text.count {
            switch text[index] {
            case ASCII.quote:
                index = endOfString(text, from: index + 1)
                continue
            case ASCII.openBrace, ASCII.openBracket:
                depth += 1
                deepest = max(deepest, depth)
            case ASCII.closeBrace, ASCII.closeBracket:
                depth -= 1
            default: break
            }
            index += 1
        }
        return deepest
    }

    /// Whether the fraction after a point is a single zero, and so the number whole.
    private static func isWhole(_ text: UnsafeBufferPointer<UInt8>, pointAt index: Int) -> Bool {
        text[index + 1] == ASCII.zero && !ASCII.isDigit(text[index + 2])
    }

    /// The position after the quotation mark that ends a string.
    private static func endOfString(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var index = start
        while true {
            index = text.endOfPlainRun(from: index, stopsAtNonASCII: false)
            guard index < text.count, text[index] == ASCII.backslash else { return index + 1 }
            index += 2
        }
    }
}
