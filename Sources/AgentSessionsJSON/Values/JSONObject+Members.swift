/// Members in canonical order.
extension JSONObject: Sequence {
    /// Goes through the members. An object that is stored as text is parsed for it, once.
    public func makeIterator() -> IndexingIterator<[Element]> {
        members.makeIterator()
    }

    /// All members. An object that is stored as text is parsed for them each time.
    package var members: [Element] {
        switch storage {
        case .members(let members): members
        case .text(let text): (try? JSONParser.parse(text, limits: .stored))?.objectValue?.members ?? []
        }
    }

    /// Whether there are no members.
    public var isEmpty: Bool {
        switch storage {
        case .members(let members): members.isEmpty
        case .text(let text): text.utf8.count == 2
        }
    }

    /// How many members there are. Counted by a walk over the text, where that is what is stored.
    public var count: Int {
        switch storage {
        case .members(let members): members.count
        case .text: keys.count
        }
    }

    /// The keys in canonical order.
    public var keys: [String] {
        switch storage {
        case .members(let members):
            return members.map(\.key)
        case .text:
            var keys: [String] = []
            try? walk { (key, cursor) throws(JSONError) in
                keys.append(cursor.string(key))
                _ = try cursor.skipValue()
                return true
            }
            return keys
        }
    }

    /// The value under a key, or `nil` if there is none. Setting `nil` removes the member.
    ///
    /// Getting from an object that is stored as text parses that one value; setting parses the whole.
    public subscript(key: String) -> JSONValue? {
        get {
            switch storage {
            case .members(let members):
                let (index, isFound) = Self.position(of: key, in: members)
                guard isFound else { return nil }
                return members[index].value
            case .text:
                return valueInText(under: key)
            }
        }
        set {
            var members = self.members
            storage = .members([])  // So that the members are changed in place.
            let (index, isFound) = Self.position(of: key, in: members)
            switch (newValue, isFound) {
            case (let value?, true): members[index].value = value
            case (let value?, false): members.insert((key: key, value: value), at: index)
            case (nil, true): members.remove(at: index)
            case (nil, false): break
            }
            storage = .members(members)
        }
    }

    /// Where a key is, or where it would have to be inserted.
    private static func position(of key: String, in members: [Element]) -> (index: Int, isFound: Bool) {
        var range = members.startIndex..<members.endIndex
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            if KeyOrder.precedes(members[middle].key, key) {
                range = middle + 1..<range.upperBound
            } else {
                range = range.lowerBound..<middle
            }
        }
        let index = range.lowerBound
        return (index, index < members.endIndex && members[index].key.isIdentical(to: key))
    }

    private func valueInText(under key: String) -> JSONValue? {
        var found: JSONValue?
        try? walk { (text, cursor) throws(JSONError) in
            guard cursor.string(text).isIdentical(to: key) else {
                _ = try cursor.skipValue()
                return true
            }
            found = try cursor.readValue()
            return false
        }
        return found
    }

    /// Gives each key of a stored text to a closure, which reads or skips the value and says whether to go on.
    private func walk(
        _ body: (JSONCursor.Text, inout JSONCursor) throws(JSONError) -> Bool
    ) throws(JSONError) {
        try losslessText().withBytes { (bytes) throws(JSONError) in
            var cursor = try JSONCursor(bytes, limits: .stored)
            try cursor.readObjectStart()
            while let key = try cursor.nextKey() {
                guard try body(key, &cursor) else { return }
            }
        }
    }
}

extension JSONLimits {
    /// For text that was checked when it was stored.
    static var stored: JSONLimits { JSONLimits(maximumBytes: .max, maximumDepth: .max) }
}
