/// Finds where a JSON value ends, piece by piece, by quotation marks and brackets alone. The code that reads the value
/// checks its grammar.
struct ValueScanner {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var isBegun = false

    /// The end of the value in `bytes`; `nil` where it goes on after them.
    ///
    /// - Parameter start: How many of `bytes` were scanned before.
    mutating func end(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = start
        defer { isBegun = true }
        while index < bytes.count {
            if isInString {
                if isEscaped {
                    isEscaped = false
                    index += 1
                    continue
                }
                index = bytes.endOfPlainRun(from: index, stopsAtNonASCII: false)
                guard index < bytes.count else { return nil }
                let byte = bytes[index]
                index += 1
                if byte == ASCII.backslash {
                    isEscaped = true
                } else if byte == ASCII.quote {
                    isInString = false
                    if depth == 0 { return index }
                }
                continue
            }
            switch bytes[index] {
            case ASCII.quote:
                if depth == 0, isBegun || index > start { return index }
                isInString = true
            case ASCII.openBrace, ASCII.openBracket:
                if depth == 0, isBegun || index > start { return index }
                depth += 1
            case ASCII.closeBrace, ASCII.closeBracket:
                guard depth > 0 else { return index }
                depth -= 1
                if depth == 0 { return index + 1 }
            case ASCII.comma, ASCII.colon, 0x20, 0x0A, 0x0D, 0x09:
                if depth == 0 { return index }
            default:
                break
            }
            index += 1
        }
        return nil
    }
}
