import AgentSessionsThreads

/// The check of one native document, with what is known of it so far.
struct NativeDocumentCheck {
    private static let pendingBytes = 1 << 16
    private static let countsBetweenCancellationChecks = 1024

    private let limits: StoreLimits
    private var version: Int64?
    private var writer: String?
    private var exportedAt: Timestamp?
    private var session: Session?
    private var checksum: String?
    private var messages: Range<Int>?

    private var expected = NativeChecksum()
    private var header = DocumentDigest()
    private var body = DocumentDigest()
    private var count = 0
    private var sessionID: ULID?
    /// Finds duplicate message ids.
    private(set) var ids = DuplicateIDDetector()

    init(limits: StoreLimits) {
        self.limits = limits
    }

    /// Whether the version has been read.
    var hasVersion: Bool { version != nil }

    /// Reads the document and checks every part of it.
    mutating func run(_ walker: inout DocumentWalker, cancellation: CancellationFlag) throws(StoreError) {
        try walker.readObjectStart()
        while let key = try walker.nextKey() {
            key.withBytes { header.add($0) }
            switch NativeDocument.Key(rawValue: key) {
            case .schemaVersion:
                let found = try FieldReader.integer(of: &walker, key)
                try fill(&version, key, found)
                guard found == NativeDocument.schemaVersion else { throw .unsupportedSchemaVersion(found) }
            case .writer: try fill(&writer, key, try FieldReader.string(of: &walker, key))
            case .exportedAt:
                try fill(&exportedAt, key, try Timestamp(parsing: try FieldReader.string(of: &walker, key)))
            case .checksum: try fill(&checksum, key, try FieldReader.string(of: &walker, key))
            case .session: try readSession(&walker)
            case .messages: try readMessages(&walker, cancellation: cancellation)
            case nil: throw .unknownKey(key, in: "the document", allowed: NativeDocument.Key.all)
            }
        }
    }

    private mutating func readSession(_ walker: inout DocumentWalker) throws(StoreError) {
        guard session == nil else { throw .duplicateKey(NativeDocument.Key.session.rawValue) }
        let bytes = try walker.readValue(atMost: DocumentLimits.headerBytes(limits), what: "the session")
        header.add(bytes)
        session = try NativeRecords.session(bytes, at: walker.offset - bytes.count, limits: limits)
    }

    private mutating func readMessages(
        _ walker: inout DocumentWalker, cancellation: CancellationFlag
    ) throws(StoreError) {
        guard messages == nil else { throw .duplicateKey(NativeDocument.Key.messages.rawValue) }
        _ = try walker.peek()
        let start = walker.offset
        try walker.readArrayStart("messages")
        var canonical: [UInt8] = []
        var fields: NativeFields?
        while try walker.nextElement() {
            count += 1
            if count.isMultiple(of: Self.countsBetweenCancellationChecks) { try cancellation.check() }
            do throws(StoreError) {
                let bytes = try walker.readValue(atMost: DocumentLimits.messageBytes(limits), what: "it")
                body.add(bytes)
                let message = try NativeRecords.message(bytes, at: walker.offset - bytes.count, limits: limits)
                try check(message)
                if count > 1 { canonical.append(ASCII.comma) }
                var writing = fields ?? NativeFields(sessionID: message.sessionID)
                try writing.appendCanonical(message, into: &canonical)
                fields = writing
            } catch {
                throw error.located("message \(count)")
            }
            if canonical.count >= Self.pendingBytes {
                expected.add(canonical[...])
                canonical.removeAll(keepingCapacity: true)
            }
        }
        expected.add(canonical[...])
        messages = start..<walker.offset
    }

    private mutating func check(_ message: SessionMessage) throws(StoreError) {
        guard message.sequence == count else {
            throw StoreError(
                .invalidArgument,
                "it has sequence \(message.sequence) where \(count) belongs: sequences are 1, 2, 3 … without a gap, and "
                    + "\(count) is missing here.")
        }
        // The session may stand after its messages. Until it is read, the messages must agree with each other.
        let owner = session?.id ?? sessionID ?? message.sessionID
        guard message.sessionID == owner else { throw Self.foreign(message.sessionID, owner) }
        sessionID = owner
        try ids.addUnique(message.id, at: count)
    }

    private static func foreign(_ id: ULID, _ session: ULID) -> StoreError {
        StoreError(.invalidArgument, "its session_id is \(id), but the session is \(session).")
    }

    /// What was found, once all of the document has been read.
    func checked(from start: Int) throws(StoreError) -> CheckedDocument {
        let what = "the document"
        _ = try require(version, NativeDocument.Key.schemaVersion.rawValue, of: what)
        let writer = try require(writer, NativeDocument.Key.writer.rawValue, of: what)
        _ = try require(exportedAt, NativeDocument.Key.exportedAt.rawValue, of: what)
        let session = try require(session, NativeDocument.Key.session.rawValue, of: what)
        let messages = try require(messages, NativeDocument.Key.messages.rawValue, of: what)
        let checksum = try require(checksum, NativeDocument.Key.checksum.rawValue, of: what)
        if let sessionID, sessionID != session.id { throw Self.foreign(sessionID, session.id).located("message 1") }
        guard session.messageCount == count else {
            throw StoreError(
                .invalidArgument,
                "the session has message_count \(session.messageCount), but the document has \(count) messages.")
        }
        let canonical: [UInt8]
        do throws(JSONError) {
            canonical = try NativeFields.canonical(session)
        } catch {
            throw StoreError(invalidJSON: error, in: "the metadata of the session")
        }
        guard expected.finish(session: canonical, writer: writer) == checksum else { throw .checksumMismatch }
        return CheckedDocument(
            start: start, messages: messages, count: count, header: header.value(), body: body.value())
    }
}
