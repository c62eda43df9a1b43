import AgentSessionsThreads

/// Checks and reads chat lines.
struct ChatDocumentReader: DocumentReading {
    let limits: StoreLimits

    func check(
        _ walker: inout DocumentWalker, cancellation: CancellationFlag
    ) throws(StoreError) -> CheckedDocument {
        let start = walker.offset
        var header = ChatHeader(limits: limits, at: start)
        var body = DocumentDigest()
        var messages: Range<Int>?
        var count = 0
        try walker.readObjectStart()
        while let key = try walker.nextKey() {
            guard key == ChatFormat.LineKey.messages else {
                try header.read(key, &walker)
                continue
            }
            guard messages == nil else { throw .duplicateKey(key) }
            _ = try walker.peek()
            let first = walker.offset
            try walker.readArrayStart("messages")
            while try walker.nextElement() {
                count += 1
                if count.isMultiple(of: 1024) { try cancellation.check() }
                do throws(StoreError) {
                    let bytes = try walker.readValue(atMost: DocumentLimits.messageBytes(limits), what: "it")
                    body.add(bytes)
                    _ = try ChatMessageFields(bytes, at: walker.offset - bytes.count, limits: limits)
                } catch {
                    throw error.located("message \(count)")
                }
            }
            messages = first..<walker.offset
        }
        guard let messages else {
            throw StoreError(
                .invalidArgument, "there is no \"messages\": a chat line is an object with an array of that name.")
        }
        _ = try header.session()
        return CheckedDocument(
            start: start, messages: messages, count: count, header: header.digest.value(), body: body.value())
    }

    func session(
        of document: CheckedDocument, _ walker: inout DocumentWalker, id: ULID, time: Timestamp
    ) throws(StoreError) -> Session {
        var header = ChatHeader(limits: limits, at: document.start)
        walker.resume(at: document.start)
        try walker.readObjectStart()
        while let key = try walker.nextKey() {
            if key == ChatFormat.LineKey.messages {
                walker.resume(at: document.messages.upperBound)
            } else {
                try header.read(key, &walker)
            }
        }
        guard header.digest.value() == document.header else { throw .changedMeanwhile("the line") }
        let (actorName, metadata) = try header.session()
        return Session(
            id: id, actorName: actorName, messageCount: document.count, metadata: metadata, createdAt: time,
            updatedAt: time)
    }

    func message(
        _ bytes: UnsafeBufferPointer<UInt8>, at offset: Int, id: ULID, session: Session, sequence: Int
    ) throws(StoreError) -> SessionMessage {
        let message = try ChatMessageFields(bytes, at: offset, limits: limits)
        return SessionMessage(
            id: id, sessionID: session.id, sequence: sequence, role: message.role, content: message.content,
            toolCallID: message.toolCallID, metadata: message.metadata, createdAt: session.createdAt)
    }
}

/// The keys beside the messages of a line, as they are read.
private struct ChatHeader {
    private let limits: StoreLimits
    private let offset: Int
    private var actor: String??
    private var metadata: JSONObject??
    private var others = RawObject()
    private var hasVersion = false
    private var hasChecksum = false
    private(set) var digest = DocumentDigest()

    init(limits: StoreLimits, at offset: Int) {
        self.limits = limits
        self.offset = offset
    }

    mutating func read(_ key: String, _ walker: inout DocumentWalker) throws(StoreError) {
        let limit = DocumentLimits.headerBytes(limits)
        let bytes = try walker.readValue(atMost: limit, what: "the value of \(quoted(key))")
        key.withBytes { digest.add($0) }
        digest.add(bytes)
        var reader = try FieldReader(bytes, at: walker.offset - bytes.count)
        switch key {
        case ChatFormat.LineKey.actorName:
            try fill(&actor, key, try reader.null() ? nil : try reader.string())
        case ChatFormat.LineKey.metadata:
            try fill(&metadata, key, try reader.null() ? nil : try reader.object(limits: limits.metadata))
        default:
            hasVersion = hasVersion || key == NativeDocument.Key.schemaVersion.rawValue
            hasChecksum = hasChecksum || key == NativeDocument.Key.checksum.rawValue
            guard !hasVersion || !hasChecksum else { throw Self.isNative }
            others.append(key, try reader.raw())
            guard others.count <= limit else {
                throw StoreError(
                    .limitExceeded,
                    "the keys beside messages have more than \(limit) bytes of JSON: they become "
                        + "metadata, of which \(limits.metadataBytes) bytes are allowed.")
            }
        }
        try reader.finish()
    }

    private static let isNative = StoreError(
        .invalidArgument,
        "the line has schema_version and checksum, so it is a native document, not a chat line: import it with "
            + "--format native.")

    /// The fields of the session.
    func session() throws(StoreError) -> (actorName: String, metadata: JSONObject) {
        let line = ChatLine(
            actorName: actor ?? nil, metadata: (metadata ?? nil) ?? JSONObject(),
            others: try others.object(limits.metadata, at: offset))
        let actorName = line.actorName ?? ChatFormat.defaultActor
        try limits.check(actorName: actorName)
        guard !line.others.isEmpty else { return (actorName, try limits.check(metadata: line.sessionMetadata)) }
        // Checked before the two are merged: one object has one pair of braces less, and one comma more.
        let bytes = line.metadata.payloadBytes + line.others.payloadBytes - 1
        guard bytes <= limits.metadataBytes else {
            throw StoreError(
                .limitExceeded,
                "metadata and the keys beside messages have \(bytes) bytes of JSON together: they become the metadata "
                    + "of the session, of which \(limits.metadataBytes) bytes are allowed.")
        }
        return (actorName, try limits.check(metadata: line.sessionMetadata))
    }
}

/// The fields of a message of a line.
private struct ChatMessageFields {
    let role: MessageRole
    let content: String
    let toolCallID: String?
    let metadata: JSONObject

    /// Reads a message.
    ///
    /// - Parameter offset: Where its JSON begins in the document.
    init(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int, limits: StoreLimits) throws(StoreError) {
        var role: MessageRole?
        var content: ChatMessage.Content?
        var toolCallID: String??
        var others = RawObject()
        var reader = try FieldReader(bytes, at: offset)
        try reader.objectStart()
        while let key = try reader.key() {
            switch key {
            case ChatFormat.MessageKey.role: try fill(&role, key, try MessageRole(try reader.string()))
            case ChatFormat.MessageKey.content: try fill(&content, key, try Self.content(&reader))
            case ChatFormat.MessageKey.toolCallID:
                try fill(&toolCallID, key, try reader.null() ? nil : try reader.string())
            default: others.append(key, try reader.raw())
            }
        }
        try reader.finish()
        self.role = try require(role, ChatFormat.MessageKey.role, of: "it")
        let message = ChatMessage(content: content ?? .null, others: try others.object(limits.metadata, at: offset))
        self.content = message.content.text
        self.toolCallID = toolCallID ?? nil
        try limits.check(content: self.content)
        try limits.check(toolCallID: self.toolCallID)
        metadata = try limits.check(metadata: message.metadata)
    }

    private static func content(_ reader: inout FieldReader) throws(StoreError) -> ChatMessage.Content {
        switch try reader.shape() {
        case .null:
            _ = try reader.null()
            return .null
        case .string:
            return .text(try reader.string())
        case .array:
            let parts = try reader.value()
            return .parts(text: ChatFormat.text(of: parts.arrayValue ?? []), parts)
        default:
            throw StoreError(.invalidArgument, "its content must be a string, null or an array of parts.")
        }
    }
}
