/// Reads JSON text piece by piece, without making a tree of it.
///
/// This is what ``JSONParser`` is built on, and what a reader of a known shape uses directly:
///
/// ```swift
/// var cursor = try JSONCursor(bytes)
/// try cursor.readObjectStart()
/// while let key = try cursor.nextKey() {
///     if cursor.string(key) == "role" { role = try cursor.readString() } else { _ = try cursor.skipValue() }
/// }
/// try cursor.finish()
/// ```
///
/// The grammar is RFC 8259 to the letter, and everything passed over is checked: UTF-8, escapes, numbers, depth. What a
/// cursor does not do is remember the keys of an object, so a reader that cares about duplicates looks for them among the
/// keys it knows; ``readValue()`` and ``readObject(limits:)`` refuse them themselves.
///
/// After an error the cursor stands anywhere and is of no more use. It borrows the buffer, so it must not outlive the
/// closure that lends it.
package struct JSONCursor {
    /// The text that is read.
    package let bytes: UnsafeBufferPointer<UInt8>

    let limits: JSONLimits

    /// How many bytes have been read.
    package internal(set) var offset = 0

    /// The arrays and objects that the cursor is inside of.
    package internal(set) var depth = 0

    /// Whether the innermost array or object has yet to give its first element. One flag is enough for all levels: the
    /// ones further out have given the element that the cursor is in.
    var isAtFirst = false

    /// Begins at the start of a text.
    /// - Throws: `tooLarge`, `empty`, or `unexpectedCharacter` for a byte order mark.
    package init(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits = .default) throws(JSONError) {
        guard bytes.count <= limits.maximumBytes else { throw .tooLarge(limits.maximumBytes) }
        self.bytes = bytes
        self.limits = limits
        skipWhitespace()
        guard offset < bytes.count else { throw .empty }
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { throw .byteOrderMark }
    }

    /// Begins anew at a value inside a text that another cursor reads.
    init(rest bytes: UnsafeBufferPointer<UInt8>, _ limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// Checks that nothing but whitespace is left.
    /// - Throws: `trailingContent`.
    package mutating func finish() throws(JSONError) {
        skipWhitespace()
        guard offset == bytes.count else { throw .trailingContent(at: offset) }
    }

    @inline(__always)
    mutating func skipWhitespace() {
        while offset < bytes.count, ASCII.isWhitespace(bytes[offset]) { offset += 1 }
    }

    /// The next byte that is not whitespace, which is not read yet.
    @inline(__always)
    mutating func peekByte() throws(JSONError) -> UInt8 {
        skipWhitespace()
        guard offset < bytes.count else { throw .truncated(at: offset) }
        return bytes[offset]
    }

    /// Reads one byte after whitespace, which must be the given one.
    @inline(__always)
    mutating func read(_ byte: UInt8, allowed: @autoclosure () -> String) throws(JSONError) {
        guard try peekByte() == byte else { throw .unexpected(at: offset, allowed: allowed()) }
        offset += 1
    }
}
