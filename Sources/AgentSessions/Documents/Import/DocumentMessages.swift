/// The messages of a checked document, read from the source as the store writes them.
struct DocumentMessages: MessageSource {
    let document: CheckedDocument
    let source: DocumentBytes
    let session: Session
    let reading: any DocumentReading
    let generator: ULIDGenerator
    var copiedFrom: ULID?

    var isReady: Bool { !source.isFile && isShort }

    /// Whether the messages are few.
    var isShort: Bool { document.messages.count <= LongChange.bytes && document.count <= LongChange.messages }

    func makeReader() throws(StoreError) -> any MessageReader {
        DocumentMessageReader(self)
    }
}

/// One reading of the messages of a document. If their digest is not that of the check, the reading throws, which rolls
/// the transaction back.
private struct DocumentMessageReader: MessageReader {
    private let messages: DocumentMessages
    private let limit: Int
    private var walker: DocumentWalker
    private var digest = DocumentDigest()
    private var sequence = 0
    private var isBegun = false

    init(_ messages: DocumentMessages) {
        self.messages = messages
        limit = DocumentLimits.messageBytes(messages.reading.limits)
        walker = DocumentWalker(messages.source, at: messages.document.messages.lowerBound)
    }

    mutating func next() throws(StoreError) -> SessionMessage? {
        do throws(StoreError) {
            return try read()
        } catch {
            // It passed the check, so it has changed since.
            guard error.code == .invalidArgument || error.code == .limitExceeded else { throw error }
            throw .changedMeanwhile(messages.source.name, cause: error)
        }
    }

    private mutating func read() throws(StoreError) -> SessionMessage? {
        if !isBegun {
            try walker.readArrayStart("messages")
            isBegun = true
        }
        guard try walker.nextElement() else {
            guard sequence == messages.document.count, digest.value() == messages.document.body else {
                throw .changedMeanwhile(messages.source.name)
            }
            return nil
        }
        let bytes = try walker.readValue(atMost: limit, what: "a message")
        digest.add(bytes)
        sequence += 1
        return try messages.reading.message(
            bytes, at: walker.offset - bytes.count, id: try messages.generator.next(), session: messages.session,
            sequence: sequence)
    }
}
