import AgentSessionsThreads

/// Checks and reads native documents.
struct NativeDocumentReader: DocumentReading {
    let limits: StoreLimits

    func check(
        _ walker: inout DocumentWalker, cancellation: CancellationFlag
    ) throws(StoreError) -> CheckedDocument {
        let start = walker.offset
        var document = NativeDocumentCheck(limits: limits)
        do throws(StoreError) {
            try document.run(&walker, cancellation: cancellation)
        } catch {
            guard !document.hasVersion, error.code == .invalidArgument || error.code == .limitExceeded else {
                throw error
            }
            // Another version may have another shape. Then the version is the reason that helps the caller.
            try requireKnownVersion(&walker, from: start)
            throw error
        }
        let checked = try document.checked(from: start)
        try document.ids.check(checked, &walker, cancellation: cancellation) { (bytes, offset) throws(StoreError) in
            try NativeRecords.message(bytes, at: offset, limits: limits).id
        }
        return checked
    }

    private func requireKnownVersion(_ walker: inout DocumentWalker, from start: Int) throws(StoreError) {
        walker.resume(at: start)
        var version: Int64?
        do throws(StoreError) {
            try walker.readObjectStart()
            while version == nil, let key = try walker.nextKey() {
                if NativeDocument.Key(rawValue: key) == .schemaVersion {
                    version = try FieldReader.integer(of: &walker, key)
                } else {
                    try walker.skipValue()
                }
            }
        } catch {
            return
        }
        if let version, version != NativeDocument.schemaVersion { throw .unsupportedSchemaVersion(version) }
    }

    func session(
        of document: CheckedDocument, _ walker: inout DocumentWalker, id: ULID, time: Timestamp
    ) throws(StoreError) -> Session {
        var found: Session?
        var digest = DocumentDigest()
        walker.resume(at: document.start)
        try walker.readObjectStart()
        while let key = try walker.nextKey() {
            key.withBytes { digest.add($0) }
            switch NativeDocument.Key(rawValue: key) {
            case .messages:
                walker.resume(at: document.messages.upperBound)
            case .session:
                let bytes = try walker.readValue(atMost: DocumentLimits.headerBytes(limits), what: "the session")
                digest.add(bytes)
                found = try NativeRecords.session(bytes, at: walker.offset - bytes.count, limits: limits)
            default:
                try walker.skipValue()
            }
        }
        guard digest.value() == document.header, let found else { throw .changedMeanwhile("the session") }
        return Session(
            id: id, actorName: found.actorName, messageCount: found.messageCount, usage: found.usage,
            metadata: found.metadata, createdAt: found.createdAt, updatedAt: found.updatedAt)
    }

    func message(
        _ bytes: UnsafeBufferPointer<UInt8>, at offset: Int, id: ULID, session: Session, sequence: Int
    ) throws(StoreError) -> SessionMessage {
        let message = try NativeRecords.message(bytes, at: offset, limits: limits)
        return SessionMessage(
            id: id, sessionID: session.id, sequence: sequence, role: message.role, content: message.content,
            toolCallID: message.toolCallID, metadata: message.metadata, createdAt: message.createdAt)
    }
}
