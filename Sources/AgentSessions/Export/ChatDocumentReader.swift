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
                    _ = try ChatMessage(bytes, at: walker.offset - bytes.count, limits: limits)
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
        _ = try header.line()
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
        let line = try header.line()
        return Session(
            id: id, actorName: line.actorName, messageCount: document.count, metadata: line.metadata, createdAt: time,
            updatedAt: time)
    }

    func message(
        _ bytes: UnsafeBufferPointer<UInt8>, at place: Int, id: ULID, session: Session, sequence: Int
    ) throws(StoreError) -> SessionMessage {
        let message = try ChatMessage(bytes, at: place, limits: limits)
        return SessionMessage(
            id: id, sessionID: session.id, sequence: sequence, role: message.role, content: message.content,
            toolCallID: message.toolCallID, metadata: message.metadata, createdAt: session.createdAt)
    }
}

/// What stands beside the messages of a line, as it is read.
private struct ChatHeader {
    private let limits: StoreLimits
    private let place: Int
    private var actor: String??
    private var metadata: JSONObject??
    private var others = RawObject()
    private(set) var digest = DocumentDigest()

    init(limits: StoreLimits, at place: Int) {
        self.limits = limits
        self.place = place
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

    func line() throws(StoreError) -> ChatLine {
        try ChatLine(
            actor: actor, metadata: metadata, others: try others.object(limits.metadata, at: place), limits: limits)
    }
}
