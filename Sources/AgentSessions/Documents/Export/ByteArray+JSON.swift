extension [UInt8] {
    /// Appends text that is JSON already.
    @inline(__always)
    mutating func append(json text: StaticString) {
        text.withUTF8Buffer { append(contentsOf: $0) }
    }

    /// Appends text that needs quotation marks and no escapes.
    mutating func append(plain text: some CustomStringConvertible) {
        append(ASCII.quote)
        text.description.withBytes { append(contentsOf: $0) }
        append(ASCII.quote)
    }

    mutating func append(integer value: Int) {
        CanonicalJSON.appendInteger(Int64(value), into: &self)
    }
}
