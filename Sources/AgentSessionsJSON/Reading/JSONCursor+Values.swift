extension JSONCursor {
    /// Reads a value of any shape, checked to its depths.
    package mutating func readValue() throws(JSONError) -> JSONValue {
        switch try peek() {
        case .object:
            return .object(JSONObject(sortedMembers: try readMembers()))
        case .array:
            var elements: [JSONValue] = []
            try readArrayStart()
            while try nextElement() { elements.append(try readValue()) }
            return .array(elements)
        case .string:
            return .string(try readString())
        case .number:
            let number = try readNumber()
            return number.isInteger ? .integer(try integer(number)) : .double(try double(number))
        case .bool:
            return .bool(try readBool())
        case .null:
            _ = try readNull()
            return .null
        }
    }

    /// Reads an object and keeps it as text, which costs little where the text is already the one we write.
    ///
    /// - Parameter limits: What the object may be, counted from itself; the cursor's own depth limit applies as well.
    package mutating func readObject(limits: JSONLimits = .default) throws(JSONError) -> JSONObject {
        guard try peekByte() == ASCII.openBrace else { throw .notAnObject(at: offset) }
        var limits = limits
        limits.maximumDepth = min(limits.maximumDepth, self.limits.effectiveDepth - depth)
        if let (object, end) = JSONObject.adoptingPrefix(of: bytes, from: offset, limits: limits) {
            offset = end
            return object
        }
        let start = offset
        do throws(JSONError) {
            let (object, length) = try JSONObject.rewriting(JSONCursor(rest: bytes.slice(start..<bytes.count), limits))
            offset = start + length
            return object
        } catch {
            throw error.moved(by: start)
        }
    }

    /// Passes over a value and gives the range of its bytes, without the whitespace around it. Its grammar, UTF-8 and
    /// depth are checked; the range of its numbers and the uniqueness of its keys are not.
    package mutating func skipValue() throws(JSONError) -> Range<Int> {
        let shape = try peek()
        let start = offset
        switch shape {
        case .object:
            try readObjectStart()
            while try nextKey() != nil { _ = try skipValue() }
        case .array:
            try readArrayStart()
            while try nextElement() { _ = try skipValue() }
        case .string: _ = try readText()
        case .number: _ = try readNumber()
        case .bool: _ = try readBool()
        case .null: _ = try readNull()
        }
        return start..<offset
    }

    /// Reads an object's members and brings them into canonical order.
    /// - Throws: `duplicateKey`, with the offset of the second one.
    mutating func readMembers() throws(JSONError) -> [JSONObject.Element] {
        var members: [JSONObject.Element] = []
        var isSorted = true
        let start = self
        try readObjectStart()
        while let text = try nextKey() {
            let key = string(text)
            if let last = members.last, !KeyOrder.precedes(last.key, key) { isSorted = false }
            members.append((key: key, value: try readValue()))
        }
        if isSorted { return members }
        members.sort { KeyOrder.precedes($0.key, $1.key) }
        for index in members.indices.dropFirst() where members[index].key.isIdentical(to: members[index - 1].key) {
            throw try start.duplicate(of: members[index].key)
        }
        return members
    }

    /// The error for a duplicate key of the object at this position.
    private func duplicate(of key: String) throws(JSONError) -> JSONError {
        var cursor = self
        var isKnown = false
        try cursor.readObjectStart()
        var place = cursor.offset
        while let text = try cursor.nextKey() {
            if string(text).isIdentical(to: key) {
                place = text.range.lowerBound - 1
                if isKnown { break }
                isKnown = true
            }
            _ = try cursor.skipValue()
        }
        return .duplicateKey(key, at: place)
    }
}
