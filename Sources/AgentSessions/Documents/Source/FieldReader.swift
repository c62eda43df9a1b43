/// Reads the fields of one JSON value of a document. Errors name the offset in the document.
struct FieldReader {
    var cursor: JSONCursor
    /// Where the value begins in the document.
    let offset: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) throws(StoreError) {
        self.offset = offset
        do {
            cursor = try JSONCursor(bytes, limits: .anyDocument)
        } catch {
            throw StoreError(inDocument: error, at: offset)
        }
    }

    mutating func objectStart() throws(StoreError) {
        try read { (cursor) throws(JSONError) in try cursor.readObjectStart() }
    }

    /// The next key of the object, or `nil` at its end.
    mutating func key() throws(StoreError) -> String? {
        try read { (cursor) throws(JSONError) in try cursor.nextKey().map(cursor.string) }
    }

    mutating func string() throws(StoreError) -> String {
        try read { (cursor) throws(JSONError) in try cursor.readString() }
    }

    mutating func integer() throws(StoreError) -> Int64 {
        try read { (cursor) throws(JSONError) in try cursor.readInteger() }
    }

    mutating func null() throws(StoreError) -> Bool {
        try read { (cursor) throws(JSONError) in try cursor.readNull() }
    }

    mutating func shape() throws(StoreError) -> JSONCursor.Shape {
        try read { (cursor) throws(JSONError) in try cursor.peek() }
    }

    mutating func object(limits: JSONLimits) throws(StoreError) -> JSONObject {
        try read { (cursor) throws(JSONError) in try cursor.readObject(limits: limits) }
    }

    mutating func value() throws(StoreError) -> JSONValue {
        try read { (cursor) throws(JSONError) in try cursor.readValue() }
    }

    /// Skips a value, and returns its bytes.
    mutating func raw() throws(StoreError) -> UnsafeBufferPointer<UInt8> {
        try read { (cursor) throws(JSONError) in cursor.bytes.slice(try cursor.skipValue()) }
    }

    /// Checks that the value ends where its bytes do.
    mutating func finish() throws(StoreError) {
        try read { (cursor) throws(JSONError) in try cursor.finish() }
    }

    @inline(__always)
    private mutating func read<Result>(
        _ body: (inout JSONCursor) throws(JSONError) -> Result
    ) throws(StoreError) -> Result {
        do throws(JSONError) {
            return try body(&cursor)
        } catch {
            throw StoreError(inDocument: error, at: offset)
        }
    }
}

// MARK: - Values of an object that is walked

extension FieldReader {
    /// Reads the next value of a document, which must be an integer.
    static func integer(of walker: inout DocumentWalker, _ key: String) throws(StoreError) -> Int64 {
        var reader = try next(of: &walker, key)
        let value = try reader.integer()
        try reader.finish()
        return value
    }

    /// Reads the next value of a document, which must be a string.
    static func string(of walker: inout DocumentWalker, _ key: String) throws(StoreError) -> String {
        var reader = try next(of: &walker, key)
        let value = try reader.string()
        try reader.finish()
        return value
    }

    private static func next(of walker: inout DocumentWalker, _ key: String) throws(StoreError) -> FieldReader {
        let bytes = try walker.readValue(atMost: DocumentLimits.scalarBytes, what: quoted(key))
        return try FieldReader(bytes, at: walker.offset - bytes.count)
    }
}

// MARK: - Values of the contract

extension FieldReader {
    /// A ULID in the form of documents: capitals.
    mutating func ulid(_ key: String) throws(StoreError) -> ULID {
        let text = try string()
        guard let id = ULID(text), !text.utf8.contains(where: { $0 > 0x5A }) else {
            throw StoreError(
                .invalidArgument,
                "\(key) is \(quoted(text)), which is not a ULID in the form of documents: 26 "
                    + "characters of 0-9 and A-Z without I, L, O and U.")
        }
        return id
    }

    /// A time in the form of documents.
    mutating func timestamp(_ key: String) throws(StoreError) -> Timestamp {
        let text = try string()
        guard let time = Timestamp(text), text.utf8.count == 27, text.utf8.last == UInt8(ascii: "Z"),
            text.utf8.dropFirst(10).first == UInt8(ascii: "T")
        else {
            throw StoreError(
                .invalidArgument,
                "\(key) is \(quoted(text)), which is not a time in the form of documents: RFC 3339 in "
                    + "UTC with six decimals, such as 2026-11-22T17:05:09.000042Z.")
        }
        return time
    }

    /// An integer of zero or more.
    mutating func count(_ key: String) throws(StoreError) -> Int64 {
        let value = try integer()
        guard value >= 0 else { throw StoreError(.invalidArgument, "\(key) is \(value): it must not be negative.") }
        return value
    }
}

/// Sets a field of an object, once.
func fill<Value>(_ field: inout Value?, _ key: String, _ value: Value) throws(StoreError) {
    guard field == nil else { throw .duplicateKey(key) }
    field = value
}

/// The value of a required field.
func require<Value>(_ field: Value?, _ key: String, of what: String) throws(StoreError) -> Value {
    guard let field else {
        throw StoreError(.invalidArgument, "\(what) has no \(quoted(key)): the document is incomplete.")
    }
    return field
}
