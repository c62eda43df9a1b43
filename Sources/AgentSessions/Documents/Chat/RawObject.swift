/// An object that is assembled from the text of its members.
struct RawObject {
    private var bytes: [UInt8] = [ASCII.openBrace]

    /// The bytes of text so far.
    var count: Int { bytes.count }

    mutating func append(_ key: String, _ value: UnsafeBufferPointer<UInt8>) {
        if bytes.count > 1 { bytes.append(ASCII.comma) }
        CanonicalJSON.appendString(key, into: &bytes)
        bytes.append(ASCII.colon)
        bytes.append(contentsOf: value)
    }

    /// The object.
    ///
    /// - Parameter offset: Where the value that has these members begins in the document.
    /// - Throws: ``StoreError/Code/invalidArgument`` for a duplicate key or a number out of range, at any depth;
    ///   ``StoreError/Code/limitExceeded``.
    func object(_ limits: JSONLimits, at offset: Int) throws(StoreError) -> JSONObject {
        if bytes.count == 1 { return JSONObject() }
        var whole = bytes
        whole.append(ASCII.closeBrace)
        let outcome: Result<JSONObject, JSONError> = whole.withUnsafeBufferPointer { text in
            do throws(JSONError) {
                return .success(try JSONObject(parsing: text, limits: limits))
            } catch {
                return .failure(error)
            }
        }
        do {
            return try outcome.get()
        } catch {
            throw StoreError(inDocument: JSONError(error.kind, error.detail), at: offset)
        }
    }
}
