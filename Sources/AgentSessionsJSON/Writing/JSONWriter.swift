/// Writes values as compact text, keys in canonical order, with one of two ways to write doubles.
///
/// Strings are escaped as RFC 8785, section 3.2.2.2 says: quotation mark, backslash and control characters only, by the
/// short escape if there is one and as `\u00xx` in lower case otherwise.
struct JSONWriter: Sendable {
    /// How doubles are written.
    enum NumberStyle: Sendable {
        /// As ECMAScript does, by which 1.0 becomes `1` (see ``CanonicalJSON``).
        case canonical
        /// So that a double is read back as itself (see ``LosslessJSON``).
        case lossless
    }

    let numbers: NumberStyle

    /// - Parameter depth: The arrays and objects around the value.
    func append(_ value: JSONValue, depth: Int, into bytes: inout [UInt8]) throws(JSONError) {
        switch value {
        case .null: Self.append("null", into: &bytes)
        case .bool(let value): Self.append(value ? "true" : "false", into: &bytes)
        case .integer(let value): CanonicalJSON.appendInteger(value, into: &bytes)
        case .double(let value): try append(value, into: &bytes)
        case .string(let value): CanonicalJSON.appendString(value, into: &bytes)
        case .array(let elements): try append(elements, depth: depth + 1, into: &bytes)
        case .object(let object): try append(object, depth: depth + 1, into: &bytes)
        }
    }

    /// - Parameter depth: That of the members, 1 for those of an outermost object.
    func append(_ members: [JSONObject.Element], depth: Int, into bytes: inout [UInt8]) throws(JSONError) {
        guard depth <= JSONLimits.deepest else { throw .tooDeep(JSONLimits.deepest) }
        bytes.append(ASCII.openBrace)
        for (index, member) in members.enumerated() {
            if index > 0 { bytes.append(ASCII.comma) }
            CanonicalJSON.appendString(member.key, into: &bytes)
            bytes.append(ASCII.colon)
            try append(member.value, depth: depth, into: &bytes)
        }
        bytes.append(ASCII.closeBrace)
    }

    private func append(_ elements: [JSONValue], depth: Int, into bytes: inout [UInt8]) throws(JSONError) {
        guard depth <= JSONLimits.deepest else { throw .tooDeep(JSONLimits.deepest) }
        bytes.append(ASCII.openBracket)
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(ASCII.comma) }
            try append(element, depth: depth, into: &bytes)
        }
        bytes.append(ASCII.closeBracket)
    }

    private func append(_ object: JSONObject, depth: Int, into bytes: inout [UInt8]) throws(JSONError) {
        switch (object.storage, numbers) {
        case (.members(let members), _):
            try append(members, depth: depth, into: &bytes)
        case (.text, _) where depth > 1 && depth + object.depth - 1 > JSONLimits.deepest:
            throw .tooDeep(JSONLimits.deepest)
        case (.text, .lossless):
            try object.appendLossless(into: &bytes)
        case (.text, .canonical):
            try object.appendCanonical(into: &bytes)
        }
    }

    private func append(_ value: Double, into bytes: inout [UInt8]) throws(JSONError) {
        switch numbers {
        case .canonical: try CanonicalJSON.appendDouble(value, into: &bytes)
        case .lossless: try LosslessJSON.appendDouble(value, into: &bytes)
        }
    }

    private static func append(_ word: StaticString, into bytes: inout [UInt8]) {
        word.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// The letter that stands for a control character after a backslash, if there is one.
    static func shortEscape(of character: UInt8) -> UInt8? {
        switch character {
        case 0x08: UInt8(ascii: "b")
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0C: UInt8(ascii: "f")
        case 0x0D: UInt8(ascii: "r")
        default: nil
        }
    }
}
