// The wording of each error, in one place.
extension JSONError {
    static var empty: JSONError {
        JSONError(.empty, at: 0, "the text is empty; it must hold one value")
    }

    static func truncated(at offset: Int) -> JSONError {
        JSONError(.truncated, at: offset, "the text ends inside a value")
    }

    static func unexpected(at offset: Int, allowed: String) -> JSONError {
        JSONError(.unexpectedCharacter, at: offset, "unexpected character; allowed here: \(allowed)")
    }

    static var byteOrderMark: JSONError {
        JSONError(
            .unexpectedCharacter, at: 0,
            "the text begins with a byte order mark; JSON is UTF-8 without one (RFC 8259, section 8.1)")
    }

    static func invalidUTF8(at offset: Int) -> JSONError {
        JSONError(.invalidUTF8, at: offset, "a string is not valid UTF-8")
    }

    static func unpairedSurrogate(at offset: Int) -> JSONError {
        JSONError(
            .unpairedSurrogate, at: offset,
            "a surrogate escape stands alone; allowed is a high one (\\uD800-\\uDBFF) followed by a low one "
                + "(\\uDC00-\\uDFFF)")
    }

    static func duplicateKey(_ key: String, at offset: Int) -> JSONError {
        JSONError(
            .duplicateKey, at: offset,
            "the key \(quoted(key, limit: 40)) is duplicated; the keys of an object must be unique")
    }

    static func integerOutOfRange(at offset: Int) -> JSONError {
        JSONError(
            .numberOutOfRange, at: offset,
            "an integer is too large for 64 bits; allowed are \(Int64.min) to \(Int64.max)")
    }

    static func doubleOutOfRange(at offset: Int) -> JSONError {
        JSONError(
            .numberOutOfRange, at: offset,
            "a number is too large for a double; allowed are magnitudes up to 1.7976931348623157e308")
    }

    /// - Parameter path: Where the number is, empty if it is the whole value.
    static func nonFiniteNumber(at path: String) -> JSONError {
        let subject = path.isEmpty ? "a number" : "the number at \(path)"
        return JSONError(.nonFiniteNumber, "\(subject) is infinite or not a number; allowed are finite numbers")
    }

    static func tooDeep(_ limit: Int, at offset: Int? = nil) -> JSONError {
        JSONError(.tooDeep, at: offset, "arrays and objects are nested too deeply; allowed are \(limit) levels")
    }

    static func tooLarge(_ limit: Int) -> JSONError {
        JSONError(.tooLarge, "the text is too large; allowed are \(limit) bytes")
    }

    static func notAnObject(at offset: Int) -> JSONError {
        JSONError(.notAnObject, at: offset, "the value is not an object; allowed here: {")
    }

    static func trailingContent(at offset: Int) -> JSONError {
        JSONError(
            .trailingContent, at: offset, "something follows the value; only whitespace may stand after it")
    }
}
