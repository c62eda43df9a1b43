/// Recognises, in one pass and without an allocation, text that is what we would write ourselves.
///
/// What it accepts is valid, within the depth limit and in lossless form to the byte. What it does not accept may be
/// valid still, and a few rare lossless forms are left to the parser too: keys with escapes, exponents, and numbers of
/// more digits than can be judged by counting.
struct LosslessScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    let maximumDepth: Int

    /// Where the object ends that begins at a position; `nil` if it is not recognised.
    func endOfObject(at start: Int, depth: Int = 1) -> Int? {
        guard depth <= maximumDepth, start + 1 < bytes.count, bytes[start] == ASCII.openBrace else { return nil }
        var index = start + 1
        if bytes[index] == ASCII.closeBrace { return index + 1 }
        var lastKey: UnsafeBufferPointer<UInt8>?
        while true {
            guard index < bytes.count, bytes[index] == ASCII.quote else { return nil }
            let keyEnd = bytes.endOfText(from: index + 1)
            guard keyEnd + 1 < bytes.count, bytes[keyEnd] == ASCII.quote, bytes[keyEnd + 1] == ASCII.colon else {
                return nil
            }
            let key = bytes.slice(index + 1..<keyEnd)
            if let lastKey, !KeyOrder.precedes(lastKey, key) { return nil }
            lastKey = key
            guard let end = endOfValue(at: keyEnd + 2, depth: depth), end < bytes.count else { return nil }
            if bytes[end] == ASCII.closeBrace { return end + 1 }
            guard bytes[end] == ASCII.comma else { return nil }
            index = end + 1
        }
    }

    private func endOfArray(at start: Int, depth: Int) -> Int? {
        guard depth <= maximumDepth, start + 1 < bytes.count else { return nil }
        var index = start + 1
        if bytes[index] == ASCII.closeBracket { return index + 1 }
        while true {
            guard let end = endOfValue(at: index, depth: depth), end < bytes.count else { return nil }
            if bytes[end] == ASCII.closeBracket { return end + 1 }
            guard bytes[end] == ASCII.comma else { return nil }
            index = end + 1
        }
    }

    /// - Parameter depth: That of the array or object around the value.
    private func endOfValue(at start: Int, depth: Int) -> Int? {
        guard start < bytes.count else { return nil }
        switch bytes[start] {
        case ASCII.quote: return endOfString(at: start)
        case ASCII.openBrace: return endOfObject(at: start, depth: depth + 1)
        case ASCII.openBracket: return endOfArray(at: start, depth: depth + 1)
        case UInt8(ascii: "t"): return endOfWord("true", at: start)
        case UInt8(ascii: "f"): return endOfWord("false", at: start)
        case UInt8(ascii: "n"): return endOfWord("null", at: start)
        default: return endOfNumber(at: start)
        }
    }

    func endOfString(at start: Int) -> Int? {
        var index = start + 1
        while true {
            index = bytes.endOfText(from: index)
            guard index < bytes.count else { return nil }
            if bytes[index] == ASCII.quote { return index + 1 }
            guard bytes[index] == ASCII.backslash, let end = endOfEscape(at: index) else { return nil }
            index = end
        }
    }

    /// Accepts the escapes that we write: the short ones save `\/`, and `\u00xx` for control characters without one.
    private func endOfEscape(at start: Int) -> Int? {
        guard start + 1 < bytes.count else { return nil }
        switch bytes[start + 1] {
        case ASCII.quote, ASCII.backslash, UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"),
            UInt8(ascii: "t"):
            return start + 2
        case UInt8(ascii: "u"):
            guard bytes.count - start >= 6, bytes[start + 2] == ASCII.zero, bytes[start + 3] == ASCII.zero,
                bytes[start + 4] == ASCII.zero || bytes[start + 4] == UInt8(ascii: "1"),
                let low = ASCII.hexValue(bytes[start + 5])
            else { return nil }
            let character = (bytes[start + 4] &- ASCII.zero) << 4 | low
            guard JSONWriter.shortEscape(of: character) == nil, ASCII.hexDigit(low) == bytes[start + 5] else {
                return nil
            }
            return start + 6
        default:
            return nil
        }
    }

    /// Accepts integers of up to 18 digits and decimals of up to 15, which have one form only: any 15 digits survive the
    /// way through a double and back, so no fewer digits and no others name the same double.
    func endOfNumber(at start: Int) -> Int? {
        let isNegative = bytes[start] == ASCII.minus
        let digits = isNegative ? start + 1 : start
        let point = endOfDigits(from: digits)
        let wholeDigits = point - digits
        guard 1...18 ~= wholeDigits, bytes[digits] != ASCII.zero || wholeDigits == 1 else { return nil }
        let isWholeZero = bytes[digits] == ASCII.zero
        guard point < bytes.count else { return nil }  // The number is inside an object, so something follows.
        if bytes[point] | 0x20 == UInt8(ascii: "e") { return nil }
        guard bytes[point] == ASCII.point else { return isNegative && isWholeZero ? nil : point }
        let fraction = point + 1
        let end = endOfDigits(from: fraction)
        guard end > fraction, end < bytes.count, bytes[end] | 0x20 != UInt8(ascii: "e") else { return nil }
        guard wholeDigits + (end - fraction) <= 15 else { return nil }
        // A zero ends a fraction only where it is all of it.
        if bytes[end - 1] == ASCII.zero { return end - fraction == 1 ? end : nil }
        return isWholeZero && isBelowOneMillionth(fraction..<end) ? nil : end
    }

    /// Whether the fraction of a number below 1 makes it so small that an exponent is used.
    private func isBelowOneMillionth(_ fraction: Range<Int>) -> Bool {
        fraction.count > 6 && bytes.slice(fraction).prefix(6).allSatisfy { $0 == ASCII.zero }
    }

    private func endOfDigits(from start: Int) -> Int {
        var index = start
        while index < bytes.count, ASCII.isDigit(bytes[index]) { index += 1 }
        return index
    }

    private func endOfWord(_ word: StaticString, at start: Int) -> Int? {
        let length = word.utf8CodeUnitCount
        guard bytes.count - start >= length else { return nil }
        for index in 0..<length where bytes[start + index] != word.utf8Start[index] { return nil }
        return start + length
    }
}
