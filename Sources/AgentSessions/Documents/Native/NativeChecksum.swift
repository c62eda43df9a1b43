import Crypto

/// Makes the checksum of a native document, messages first.
struct NativeChecksum {
    private var hash = SHA256()

    init() {
        add(Array(#"{"messages":["#.utf8)[...])
    }

    /// Takes canonical JSON: messages with the commas between them, in pieces of any size.
    mutating func add(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
    }

    /// The checksum, after the last message.
    ///
    /// - Parameter session: The session in canonical JSON.
    func finish(session: [UInt8], writer: String) -> String {
        var rest: [UInt8] = []
        rest.append(json: #"],"schema_version":"#)
        CanonicalJSON.appendInteger(NativeDocument.schemaVersion, into: &rest)
        rest.append(json: #","session":"#)
        rest.append(contentsOf: session)
        rest.append(json: #","writer":"#)
        CanonicalJSON.appendString(writer, into: &rest)
        rest.append(ASCII.closeBrace)
        var whole = self
        whole.add(rest[...])
        return hexEncoded(Array(whole.hash.finalize()))
    }
}
