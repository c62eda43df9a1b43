/// An object that is put together of the text of its members.
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
    /// - Parameter place: Where in the document the value is whose members these are.
    /// - Throws: ``StoreError/Code/invalidArgument`` for a key that comes twice or a number out of range, at whatever
    ///   depth; ``StoreError/Code/limitExceeded``.
    func object(_ limits: JSONLimits, at place: Int) throws(StoreError) -> JSONObject {
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
            throw StoreError(inDocument: JSONError(error.kind, error.detail), at: place)
        }
    }
}
