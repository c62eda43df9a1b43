extension JSONObject {
    /// Reads an object from text, strictly (see ``JSONError/Kind`` for what is refused).
    ///
    /// Text that is in lossless form already is adopted as it is, after a single pass that checks it.
    ///
    /// - Throws: ``JSONError``; `notAnObject` if the text holds another value, `tooLarge` also if only the lossless form
    ///   of the text exceeds the limit.
    public init(parsing text: String, limits: JSONLimits = .default) throws(JSONError) {
        self = try text.withBytes { (bytes) throws(JSONError) in
            let scanner = LosslessScanner(bytes: bytes, maximumDepth: limits.effectiveDepth)
            if bytes.count <= limits.maximumBytes, scanner.endOfObject(at: 0) == bytes.count {
                return JSONObject(storage: .text(text))
            }
            return try JSONObject(rewriting: bytes, limits: limits)
        }
    }

    /// Reads an object from UTF-8, strictly (see ``JSONError/Kind`` for what is refused).
    ///
    /// Text that is in lossless form already is adopted with one copy, after a single pass that checks it.
    ///
    /// - Throws: As ``init(parsing:limits:)-(String,_)``.
    public init(parsing utf8: UnsafeBufferPointer<UInt8>, limits: JSONLimits = .default) throws(JSONError) {
        if let (object, end) = Self.adoptingPrefix(of: utf8, from: 0, limits: limits), end == utf8.count {
            self = object
        } else {
            self = try JSONObject(rewriting: utf8, limits: limits)
        }
    }

    /// The object that begins at a position in lossless form, and where it ends; `nil` if none does within the limits.
    static func adoptingPrefix(
        of bytes: UnsafeBufferPointer<UInt8>, from start: Int, limits: JSONLimits
    ) -> (object: JSONObject, end: Int)? {
        let scanner = LosslessScanner(bytes: bytes, maximumDepth: limits.effectiveDepth)
        guard let end = scanner.endOfObject(at: start), end - start <= limits.maximumBytes else { return nil }
        return (JSONObject(storage: .text(String(validUTF8: bytes.slice(start..<end)))), end)
    }

    /// Reads a whole text and writes it anew in lossless form.
    private init(rewriting bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) throws(JSONError) {
        var cursor = try JSONCursor(bytes, limits: limits)
        let (object, length) = try Self.rewriting(cursor)
        cursor.offset = length
        try cursor.finish()
        self = object
    }

    /// The object that comes next, written anew in lossless form, and the offset of its end.
    static func rewriting(_ cursor: JSONCursor) throws(JSONError) -> (object: JSONObject, end: Int) {
        var rewriter = LosslessRewriter(cursor)
        try rewriter.rewriteObject()
        let end = rewriter.cursor.offset
        let limit = cursor.limits.maximumBytes
        guard end - cursor.offset <= limit, rewriter.output.count <= limit else { throw .tooLarge(limit) }
        return (JSONObject(storage: .text(String(validUTF8: rewriter.output))), end)
    }

    /// An object of a text that a store wrote in lossless form and vouches for, by a checksum for instance. It is not
    /// looked into here.
    package init(storedText: String) {
        self.init(storage: .text(storedText))
    }

    private init(storage: Storage) {
        self.storage = storage
    }

    /// The text of the object in lossless form: compact, keys in canonical order, each number so that it is read back as
    /// itself.
    ///
    /// Costs nothing if the object was read from text and not changed since.
    ///
    /// - Throws: `nonFiniteNumber`, which names the path to the number; `tooDeep` beyond ``JSONLimits/deepest``.
    public func losslessText() throws(JSONError) -> String {
        if case .text(let text) = storage { return text }
        var bytes: [UInt8] = []
        try appendLossless(into: &bytes)
        return String(validUTF8: bytes)
    }

    /// The length of the lossless text in bytes.
    public func utf8Count() throws(JSONError) -> Int {
        try losslessText().utf8.count
    }

    /// Checks that the lossless text keeps within limits, so that it can be read with them.
    /// - Throws: `tooLarge` or `tooDeep`, and what ``losslessText()`` throws.
    public func check(_ limits: JSONLimits) throws(JSONError) {
        guard depth <= limits.effectiveDepth else { throw .tooDeep(limits.effectiveDepth) }
        guard try utf8Count() <= limits.maximumBytes else { throw .tooLarge(limits.maximumBytes) }
    }

    /// Appends the lossless form.
    package func appendLossless(into bytes: inout [UInt8]) throws(JSONError) {
        switch storage {
        case .text(let text): text.withBytes { bytes.append(contentsOf: $0) }
        case .members: try LosslessJSON.append(.object(self), into: &bytes)
        }
    }

    /// Appends the canonical form (see ``CanonicalJSON``). From a stored text that is a copy that leaves out each ".0".
    package func appendCanonical(into bytes: inout [UInt8]) throws(JSONError) {
        switch storage {
        case .text(let text): text.withBytes { LosslessJSON.appendCanonical($0, into: &bytes) }
        case .members: try CanonicalJSON.append(.object(self), into: &bytes)
        }
    }

    /// The arrays and objects within each other, this one included.
    package var depth: Int {
        switch storage {
        case .text(let text): text.withBytes { LosslessJSON.depth($0) }
        case .members(let members): 1 + (members.lazy.map(\.value.depth).max() ?? 0)
        }
    }
}
