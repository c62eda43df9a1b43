/// A document that is written to its end and then read: in memory while it is short, beyond that in a temporary file.
struct DocumentSpool: Sendable {
    /// Bytes that are kept in memory.
    private static let capacity = 256 << 10

    private let name: String
    private var pending: [UInt8] = []
    private var document: TemporaryDocument?

    /// - Parameter name: What messages call the document.
    init(name: String) {
        self.name = name
    }

    /// Appends bytes to the document.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where there is no room for a temporary file.
    mutating func append(_ bytes: [UInt8]) async throws(StoreError) {
        pending += bytes
        if pending.count > Self.capacity { document = try await flushed() }
    }

    /// The document, whole.
    mutating func finish() async throws(StoreError) -> DocumentBytes {
        guard document != nil else { return DocumentBytes(pending, name: name) }
        let whole = try await flushed()
        return DocumentBytes(whole.file, count: whole.count, name: name)
    }

    /// The temporary file with what was pending.
    private mutating func flushed() async throws(StoreError) -> TemporaryDocument {
        let (known, bytes) = (document, pending)
        pending = []
        return try await onOwnThread { _ throws(StoreError) in
            var document = if let known { known } else { try TemporaryDocument() }
            try document.append(bytes)
            return document
        }
    }
}
