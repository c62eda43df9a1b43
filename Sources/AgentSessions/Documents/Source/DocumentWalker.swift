/// Walks over the outer levels of a sequence of JSON objects, and returns their values one at a time: only one value is
/// in memory.
struct DocumentWalker {
    let window: ByteWindow
    /// Whether the first element of the current array or object is still to be read.
    private var isAtFirst = false

    init(_ source: DocumentBytes, at offset: Int = 0) {
        window = ByteWindow(source, at: offset)
    }

    /// The offset of the next byte.
    var offset: Int { window.offset }

    /// The next byte that is not whitespace, which is not passed; `nil` at the end of the source.
    mutating func peek() throws(StoreError) -> UInt8? {
        while true {
            let bytes = window.bytes
            var index = 0
            while index < bytes.count, ASCII.isWhitespace(bytes[index]) { index += 1 }
            window.pass(index)
            if index < bytes.count { return bytes[index] }
            guard try window.load() else { return nil }
        }
    }

    private mutating func require() throws(StoreError) -> UInt8 {
        guard let byte = try peek() else { throw .endsInTheMiddle(at: offset) }
        return byte
    }

    private mutating func read(_ byte: UInt8, allowed: String) throws(StoreError) {
        guard try require() == byte else { throw .unexpectedCharacter(at: offset, allowed: allowed) }
        window.pass(1)
    }

    // MARK: Structure

    /// Enters the object that comes next.
    mutating func readObjectStart() throws(StoreError) {
        try read(ASCII.openBrace, allowed: "{, as a document is a JSON object")
        isAtFirst = true
    }

    /// The next key of the object; `nil` at its end, which is passed.
    mutating func nextKey() throws(StoreError) -> String? {
        guard try goesOn(until: ASCII.closeBrace, allowed: ", or }") else { return nil }
        guard try require() == ASCII.quote else { throw .unexpectedCharacter(at: offset, allowed: "a key in quotes") }
        let start = offset
        let bytes = try readValue(atMost: DocumentLimits.keyBytes, what: "A key")
        var reader = try FieldReader(bytes, at: start)
        let key = try reader.string()
        try read(ASCII.colon, allowed: ":")
        return key
    }

    /// Enters the array that comes next.
    mutating func readArrayStart(_ what: String) throws(StoreError) {
        try read(ASCII.openBracket, allowed: "[, as \(what) is an array")
        isAtFirst = true
    }

    /// Whether the array has another element; its end is passed.
    mutating func nextElement() throws(StoreError) -> Bool {
        try goesOn(until: ASCII.closeBracket, allowed: ", or ]")
    }

    private mutating func goesOn(until end: UInt8, allowed: String) throws(StoreError) -> Bool {
        if try require() == end {
            window.pass(1)
            isAtFirst = false
            return false
        }
        if isAtFirst {
            isAtFirst = false
        } else {
            try read(ASCII.comma, allowed: allowed)
            // A comma before the end is not allowed.
            guard try require() != end else { throw .unexpectedCharacter(at: offset, allowed: "an element or a key") }
        }
        return true
    }

    /// Goes on at another offset, behind a value of the current object, which ``nextKey()`` then continues with.
    mutating func resume(at offset: Int) {
        window.seek(to: offset)
        isAtFirst = false
    }

    // MARK: Values

    /// The bytes of the next value, which stay in memory until the next call.
    ///
    /// - Throws: ``StoreError/Code/limitExceeded`` beyond `limit` bytes.
    mutating func readValue(
        atMost limit: Int, what: @autoclosure () -> String
    ) throws(StoreError)
        -> UnsafeBufferPointer<UInt8>
    {
        try requireValue()
        var scanner = ValueScanner()
        var scanned = 0
        while true {
            let bytes = window.bytes
            if let end = scanner.end(in: bytes, from: scanned), end <= limit {
                window.pass(end)
                return bytes.slice(0..<end)
            }
            scanned = bytes.count
            guard scanned <= limit else {
                try checkBeginning()
                throw StoreError(
                    .limitExceeded,
                    "\(what()) has more than \(limit) bytes of JSON, from byte \(offset) on. Shorten it, or raise the "
                        + "limits of the store.")
            }
            guard try window.load() else {
                try checkBeginning()
                throw .endsInTheMiddle(at: offset + scanned)
            }
        }
    }

    /// Skips the next value, of any size. Only its end is looked for.
    mutating func skipValue() throws(StoreError) {
        try requireValue()
        var scanner = ValueScanner()
        while true {
            let bytes = window.bytes
            if let end = scanner.end(in: bytes, from: 0) { return window.pass(end) }
            window.pass(bytes.count)
            guard try window.load() else { throw .endsInTheMiddle(at: offset) }
        }
    }

    private mutating func requireValue() throws(StoreError) {
        switch try require() {
        case ASCII.comma, ASCII.colon, ASCII.closeBrace, ASCII.closeBracket:
            throw .unexpectedCharacter(at: offset, allowed: "a value")
        default: break
        }
    }

    /// Checks a value without an end for an error before that, such as a missing quotation mark, to report it there.
    private func checkBeginning() throws(StoreError) {
        let bytes = window.bytes
        do {
            var cursor = try JSONCursor(bytes, limits: .anyDocument)
            _ = try cursor.skipValue()
        } catch {
            // A character of several bytes may be truncated too.
            let isCut = error.kind == .invalidUTF8 && (error.offset ?? 0) + 3 >= bytes.count
            guard error.kind == .truncated || isCut else { throw StoreError(inDocument: error, at: offset) }
        }
    }
}
