extension JSONCursor {
    /// A string in the text, checked but not copied.
    package struct Text: Sendable {
        /// What lies between the quotation marks.
        package let range: Range<Int>

        /// Whether it has escapes, so that its bytes are not those of the string.
        package let hasEscapes: Bool
    }

    /// Reads a string.
    /// - Throws: `unexpectedCharacter`, `truncated`, `invalidUTF8` or `unpairedSurrogate`.
    package mutating func readString() throws(JSONError) -> String {
        string(try readText())
    }

    /// Reads a string and leaves it where it is.
    package mutating func readText() throws(JSONError) -> Text {
        try read(ASCII.quote, allowed: "a string")
        let start = offset
        var hasEscapes = false
        while true {
            offset = bytes.endOfText(from: offset)
            guard offset < bytes.count else { throw .truncated(at: offset) }
            switch bytes[offset] {
            case ASCII.quote:
                offset += 1
                return Text(range: start..<offset - 1, hasEscapes: hasEscapes)
            case ASCII.backslash:
                hasEscapes = true
                offset = try escape(at: offset).end
            case 0x80...:
                throw .invalidUTF8(at: offset)
            default:
                throw .unexpected(at: offset, allowed: "control characters as escapes only")
            }
        }
    }

    /// The string that a text stands for. The text must come from this cursor.
    package func string(_ text: Text) -> String {
        guard text.hasEscapes else { return String(validUTF8: bytes.slice(text.range)) }
        // No escape is shorter than the bytes it stands for.
        return String(unsafeUninitializedCapacity: text.range.count) { buffer in
            let source = bytes.slice(text.range)
            var count = 0
            var index = 0
            while index < source.count {
                let end = source.endOfPlainRun(from: index, stopsAtNonASCII: false)
                count = buffer[count...].initialize(fromContentsOf: source[index..<end])
                guard end < source.count, let escape = try? escape(at: text.range.lowerBound + end) else { break }
                for byte in escape.scalar.utf8 {
                    buffer.initializeElement(at: count, to: byte)
                    count += 1
                }
                index = escape.end - text.range.lowerBound
            }
            return count
        }
    }

    /// Reads the escape that begins with the backslash at a position (RFC 8259, section 7).
    private func escape(at start: Int) throws(JSONError) -> (scalar: Unicode.Scalar, end: Int) {
        guard start + 1 < bytes.count else { throw .truncated(at: bytes.count) }
        let scalar: Unicode.Scalar
        switch bytes[start + 1] {
        case ASCII.quote: scalar = "\""
        case ASCII.backslash: scalar = "\\"
        case UInt8(ascii: "/"): scalar = "/"
        case UInt8(ascii: "b"): scalar = "\u{8}"
        case UInt8(ascii: "f"): scalar = "\u{C}"
        case UInt8(ascii: "n"): scalar = "\n"
        case UInt8(ascii: "r"): scalar = "\r"
        case UInt8(ascii: "t"): scalar = "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(at: start)
        default: throw .unexpected(at: start + 1, allowed: #"one of "\/bfnrtu after \"#)
        }
        return (scalar, start + 2)
    }

    /// Reads `\uXXXX`, or two of them where they are the halves of one character.
    private func unicodeEscape(at start: Int) throws(JSONError) -> (scalar: Unicode.Scalar, end: Int) {
        let first = try codeUnit(at: start + 2)
        if let scalar = Unicode.Scalar(first) { return (scalar, start + 6) }
        // The half alone is no character. The other half must follow.
        let next = start + 6
        guard first < 0xDC00 else { throw .unpairedSurrogate(at: start) }
        guard next < bytes.count else { throw .truncated(at: next) }
        guard bytes[next] == ASCII.backslash, next + 1 < bytes.count, bytes[next + 1] == UInt8(ascii: "u") else {
            throw .unpairedSurrogate(at: start)
        }
        let second = try codeUnit(at: next + 2)
        guard second & 0xFC00 == 0xDC00, let scalar = Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + (second & 0x3FF))
        else { throw .unpairedSurrogate(at: start) }
        return (scalar, next + 6)
    }

    /// Reads four hexadecimal digits.
    private func codeUnit(at start: Int) throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for index in start..<start + 4 {
            guard index < bytes.count else { throw .truncated(at: bytes.count) }
            guard let digit = ASCII.hexValue(bytes[index]) else {
                throw .unexpected(at: index, allowed: "four hexadecimal digits after \\u")
            }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }
}
