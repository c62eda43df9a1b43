/// Writes a native document page by page, and its checksum as it goes.
struct NativeDocumentWriter: DocumentWriter {
    private let session: Session
    private let exportedAt: Timestamp
    private var fields: NativeFields
    private var checksum = NativeChecksum()
    private var isAtFirst = true
    /// The checksum, once the document has ended.
    private(set) var finalChecksum: String?

    init(_ session: Session, exportedAt: Timestamp) {
        self.session = session
        self.exportedAt = exportedAt
        fields = NativeFields(sessionID: session.id)
    }

    func begin(_ bytes: inout [UInt8]) throws(JSONError) {
        bytes.append(json: #"{"schema_version":"#)
        CanonicalJSON.appendInteger(NativeDocument.schemaVersion, into: &bytes)
        bytes.append(json: #","writer":"#)
        CanonicalJSON.appendString(BuildInfo.writer, into: &bytes)
        bytes.append(json: #","exported_at":"#)
        bytes.append(plain: exportedAt)
        bytes.append(json: #","session":"#)
        try NativeFields.append(session, into: &bytes) { (metadata, bytes) throws(JSONError) in
            try metadata.appendLossless(into: &bytes)
        }
        bytes.append(json: #","messages":["#)
    }

    mutating func append(_ messages: [SessionMessage], into bytes: inout [UInt8]) throws(JSONError) {
        var hashed = bytes.count
        for message in messages {
            if isAtFirst { isAtFirst = false } else { bytes.append(ASCII.comma) }
            fields.appendBeforeMetadata(message, into: &bytes)
            let start = bytes.count
            try message.metadata.appendLossless(into: &bytes)
            if Self.mayDifferFromCanonical(bytes[start...]) {
                // Only a double without a fraction has two forms. The checksum is of the canonical one.
                checksum.add(bytes[hashed..<start])
                var canonical: [UInt8] = []
                try message.metadata.appendCanonical(into: &canonical)
                checksum.add(canonical[...])
                hashed = bytes.count
            }
            fields.appendAfterMetadata(message, into: &bytes)
        }
        checksum.add(bytes[hashed...])
    }

    /// Whether there is a `.0`, be it in a number or in a text.
    private static func mayDifferFromCanonical(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count > 2 else { return false }
        return text.withUnsafeBufferPointer { text in
            for index in 0..<text.count - 1 where text[index] == ASCII.point && text[index + 1] == ASCII.zero {
                return true
            }
            return false
        }
    }

    mutating func end(_ bytes: inout [UInt8]) throws(JSONError) {
        let checksum = checksum.finish(session: try NativeFields.canonical(session), writer: BuildInfo.writer)
        finalChecksum = checksum
        bytes.append(json: #"],"checksum":"#)
        bytes.append(plain: checksum)
        bytes.append(json: "}\n")
    }
}
