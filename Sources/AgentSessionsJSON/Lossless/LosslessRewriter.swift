/// Writes an object anew in lossless form straight from its text, without making values of it.
///
/// Members are written as they come and put in order at the end of their object, if they were not. The result is that of
/// parsing the text and writing the value, and so are the errors.
struct LosslessRewriter {
    /// A member that has been read and written.
    private struct Member {
        let key: JSONCursor.Text
        /// Its place in the output, key and value.
        let place: Range<Int>
    }

    private(set) var cursor: JSONCursor
    private(set) var output: [UInt8] = []

    /// The members of the objects that are being written, those of an inner one after those of the outer.
    private var members: [Member] = []

    init(_ cursor: JSONCursor) {
        self.cursor = cursor
    }

    /// Reads the object that comes next.
    mutating func rewriteObject() throws(JSONError) {
        guard try cursor.peekByte() == ASCII.openBrace else { throw .notAnObject(at: cursor.offset) }
        let outer = members.count
        var isSorted = true
        try cursor.readObjectStart()
        output.append(ASCII.openBrace)
        let start = output.count
        while let key = try cursor.nextKey() {
            if members.count > outer {
                output.append(ASCII.comma)
                isSorted = isSorted && precedes(members[members.count - 1].key, key)
            }
            let memberStart = output.count
            append(key)
            output.append(ASCII.colon)
            try rewriteValue()
            members.append(Member(key: key, place: memberStart..<output.count))
        }
        if !isSorted { try sort(Array(members[outer...]), writtenFrom: start) }
        members.removeSubrange(outer...)
        output.append(ASCII.closeBrace)
    }

    private mutating func rewriteValue() throws(JSONError) {
        switch try cursor.peek() {
        case .object:
            try rewriteObject()
        case .array:
            try rewriteArray()
        case .string:
            append(try cursor.readText())
        case .number:
            try append(try cursor.readNumber())
        case .bool, .null:
            output.append(contentsOf: cursor.bytes.slice(try cursor.skipValue()))
        }
    }

    private mutating func rewriteArray() throws(JSONError) {
        try cursor.readArrayStart()
        output.append(ASCII.openBracket)
        let start = output.count
        while try cursor.nextElement() {
            if output.count > start { output.append(ASCII.comma) }
            try rewriteValue()
        }
        output.append(ASCII.closeBracket)
    }

    private mutating func append(_ text: JSONCursor.Text) {
        let quoted = text.range.lowerBound - 1..<text.range.upperBound + 1
        if !text.hasEscapes || scanner.endOfString(at: quoted.lowerBound) == quoted.upperBound {
            output.append(contentsOf: cursor.bytes.slice(quoted))
        } else {
            CanonicalJSON.appendString(cursor.string(text), into: &output)
        }
    }

    private mutating func append(_ number: JSONCursor.Number) throws(JSONError) {
        if scanner.endOfNumber(at: number.range.lowerBound) == number.range.upperBound {
            output.append(contentsOf: cursor.bytes.slice(number.range))
        } else if number.isInteger {
            CanonicalJSON.appendInteger(try cursor.integer(number), into: &output)
        } else {
            try LosslessJSON.appendDouble(try cursor.double(number), into: &output)
        }
    }

    /// Writes the members of one object again, in canonical order.
    /// - Throws: `duplicateKey`, with the place of the later one.
    private mutating func sort(_ unsorted: [Member], writtenFrom start: Int) throws(JSONError) {
        let members = unsorted.sorted { precedes($0.key, $1.key) }
        for (left, right) in zip(members, members.dropFirst()) where !precedes(left.key, right.key) {
            let place = max(left.key.range.lowerBound, right.key.range.lowerBound) - 1
            throw .duplicateKey(cursor.string(right.key), at: place)
        }
        let written = Array(output[start...])
        output.removeSubrange(start...)
        for member in members {
            if output.count > start { output.append(ASCII.comma) }
            output.append(contentsOf: written[member.place.lowerBound - start..<member.place.upperBound - start])
        }
    }

    private func precedes(_ left: JSONCursor.Text, _ right: JSONCursor.Text) -> Bool {
        if left.hasEscapes || right.hasEscapes {
            return KeyOrder.precedes(cursor.string(left), cursor.string(right))
        }
        return KeyOrder.precedes(cursor.bytes.slice(left.range), cursor.bytes.slice(right.range))
    }

    private var scanner: LosslessScanner {
        LosslessScanner(bytes: cursor.bytes, maximumDepth: 0)
    }
}
