extension JSONCursor {
    /// What a value is, told by its first character.
    package enum Shape: Sendable {
        case object, array, string, number, bool, null
    }

    /// The shape of the next value, which is not read yet.
    /// - Throws: `truncated`, or `unexpectedCharacter` if no value begins here.
    package mutating func peek() throws(JSONError) -> Shape {
        switch try peekByte() {
        case ASCII.openBrace: return .object
        case ASCII.openBracket: return .array
        case ASCII.quote: return .string
        case ASCII.minus, ASCII.zero...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        default: throw .unexpected(at: offset, allowed: "a value")
        }
    }

    /// Enters an object, whose members ``nextKey()`` then gives.
    /// - Throws: `tooDeep`, or `unexpectedCharacter` if the next value is no object.
    package mutating func readObjectStart() throws(JSONError) {
        try read(ASCII.openBrace, allowed: "{")
        try enter()
    }

    /// The key of the next member, after which its value must be read or skipped; `nil` at the end of the object, which
    /// is left.
    package mutating func nextKey() throws(JSONError) -> Text? {
        let byte = try peekByte()
        if byte == ASCII.closeBrace {
            leave()
            return nil
        }
        if isAtFirst {
            isAtFirst = false
        } else {
            guard byte == ASCII.comma else { throw .unexpected(at: offset, allowed: ", or }") }
            offset += 1
        }
        let key = try readText()
        try read(ASCII.colon, allowed: ":")
        return key
    }

    /// Enters an array, whose elements ``nextElement()`` then announces.
    /// - Throws: `tooDeep`, or `unexpectedCharacter` if the next value is no array.
    package mutating func readArrayStart() throws(JSONError) {
        try read(ASCII.openBracket, allowed: "[")
        try enter()
    }

    /// Whether another element follows, which must then be read or skipped; false at the end of the array, which is left.
    package mutating func nextElement() throws(JSONError) -> Bool {
        let byte = try peekByte()
        if byte == ASCII.closeBracket {
            leave()
            return false
        }
        if isAtFirst {
            isAtFirst = false
        } else {
            guard byte == ASCII.comma else { throw .unexpected(at: offset, allowed: ", or ]") }
            offset += 1
        }
        return true
    }

    private mutating func enter() throws(JSONError) {
        guard depth < limits.effectiveDepth else { throw .tooDeep(limits.effectiveDepth, at: offset - 1) }
        depth += 1
        isAtFirst = true
    }

    /// Reads the closing bracket or brace that the cursor stands at.
    private mutating func leave() {
        offset += 1
        depth -= 1
        isAtFirst = false
    }
}
