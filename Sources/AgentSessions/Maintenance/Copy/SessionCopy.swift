import AgentSessionsThreads

/// Copies one session.
struct SessionCopy {
    /// The result of the copy.
    enum Outcome: Sendable {
        /// The target had the same session already.
        case present(messages: Int)
        case copied(messages: Int, replaced: Bool)
        /// It was deleted at the source.
        case gone
        case failed(StoreError)
    }

    /// How often a session is tried that is rewound while it is read, or changes in the target meanwhile.
    private static let attempts = 5
    private static let pageBytes = 256 << 10

    private let id: ULID
    private let source: RetriedStore
    private let target: RetriedStore
    /// The id of the source, if the target records what it copies from there.
    private let sourceID: ULID?

    init(of id: ULID, from source: RetriedStore, to target: RetriedStore, remembering sourceID: ULID?) {
        self.id = id
        self.source = source
        self.target = target
        self.sourceID = sourceID
    }

    func run() async -> Outcome {
        var attempt = 1
        while true {
            do throws(StoreError) {
                return try await copy()
            } catch {
                // The next attempt compares with whatever is in the target then.
                let isRace = [.conflict, .alreadyExists, .outcomeUnknown].contains(error.code)
                guard isRace, attempt < Self.attempts else { return .failed(error) }
                attempt += 1
            }
        }
    }

    private func copy() async throws(StoreError) -> Outcome {
        do throws(StoreError) {
            guard let existing = try await target.get(id) else { return try await write(replacing: nil) }
            return try await compare(with: existing)
        } catch {
            guard error.code == .notFound else { throw error }
            // It was deleted since it was listed.
            guard try await source.get(id) != nil else { return .gone }
            return differs("was deleted from the target while it was copied")
        }
    }

    private func pages(of store: RetriedStore) -> SessionPages {
        SessionPages(of: id, page: store.pages(of: id, byteLimit: Self.pageBytes))
    }

    // MARK: Writing

    /// Reads the session as it is at one moment, checks it against the target's limits, stores it, and reads it back.
    ///
    /// - Parameter earlier: The state in the target that it replaces, if there is one.
    private func write(replacing earlier: Session?) async throws(StoreError) -> Outcome {
        let (session, document, checksum) = try await read()
        let reading = NativeCopyReader(limits: target.limits)
        let checked = try await check(document, reading)
        let messages = DocumentMessages(
            document: checked, source: document, session: session, reading: reading, generator: .shared,
            copiedFrom: sourceID)
        if let earlier {
            try await target.replace(session, messages: messages, expectedRevision: earlier.revision)
        } else {
            try await target.restore(session, messages: messages)
        }
        guard try await isConfirmed(session, checksum) else {
            return differs("was changed in the target before it could be read back")
        }
        return .copied(messages: session.messageCount, replaced: earlier != nil)
    }

    /// Reads a session back that was just written, and compares it with what was written.
    ///
    /// - Returns: Whether it is the same, or begins with the same if it was appended to since. `false` if it was changed in
    ///   another way, so that the two cannot be compared.
    /// - Throws: ``StoreError/Code/checksumMismatch`` if it differs, though it was not changed since.
    private func isConfirmed(_ session: Session, _ checksum: String) async throws(StoreError) -> Bool {
        var pages = pages(of: target)
        var sum = SessionChecksum(of: id)
        var found = session.messageCount == 0 ? try sum.finish(session) : nil
        while let messages = try await pages.next() {
            for message in messages {
                try sum.add(message)
                if message.sequence == session.messageCount { found = try sum.finish(session) }
            }
        }
        guard let stored = pages.session else { throw .sessionNotFound(id) }
        guard stored.revision == session.revision else {
            return stored.revision > session.revision && found == checksum
        }
        guard stored == session, found == checksum else {
            throw StoreError(
                .checksumMismatch,
                "Session \(id) reads back from the target with another count or checksum than it has at the source, "
                    + "though it was not changed since. Run `verify` on both stores, and keep the source.")
        }
        return true
    }

    /// The session as a native document.
    private func read() async throws(StoreError) -> (session: Session, document: DocumentBytes, checksum: String) {
        var pages = pages(of: source)
        var spool = DocumentSpool(name: "session \(id)")
        var writer: NativeDocumentWriter?
        do {
            while let messages = try await pages.next() {
                var bytes: [UInt8] = []
                if writer == nil, let session = pages.session {
                    writer = NativeDocumentWriter(session, exportedAt: session.updatedAt)
                    try writer?.begin(&bytes)
                }
                try writer?.append(messages, into: &bytes)
                try await spool.append(bytes)
            }
            var bytes: [UInt8] = []
            try writer?.end(&bytes)
            try await spool.append(bytes)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .corrupt("Session \(id)", "\(error)", cause: error)
        }
        guard let session = pages.session, let checksum = writer?.finalChecksum else { throw .sessionNotFound(id) }
        return (session, try await spool.finish(), checksum)
    }

    private func check(
        _ document: DocumentBytes, _ reading: NativeCopyReader
    ) async throws(StoreError) -> CheckedDocument {
        let check: @Sendable (CancellationFlag) throws(StoreError) -> CheckedDocument = { (flag) throws(StoreError) in
            var walker = DocumentWalker(document)
            return try reading.check(&walker, cancellation: flag)
        }
        do throws(StoreError) {
            // Bytes in memory do not block.
            return document.isFile ? try await onOwnThread(check) : try check(CancellationFlag())
        } catch {
            throw error.located("Session \(id) cannot be copied", after: "The target refuses it.")
        }
    }

    // MARK: Comparing

    private func compare(with existing: Session) async throws(StoreError) -> Outcome {
        let (session, checksum) = try await SessionChecksum.read(pages(of: source), of: id)
        if session == existing {
            let stored = try await SessionChecksum.read(pages(of: target), of: id)
            if stored.session == session, stored.text == checksum { return .present(messages: session.messageCount) }
            return differs("has the same revision in both stores, \(session.revision), and different messages")
        }
        guard existing.revision < session.revision else {
            return differs("was changed in the target, to revision \(existing.revision)")
        }
        guard try await isEarlier(existing, than: session) else {
            return differs(
                "has revision \(existing.revision) in the target and \(session.revision) at the source, and may have "
                    + "been changed in both")
        }
        return try await write(replacing: existing)
    }

    private func differs(_ how: String) -> Outcome {
        .failed(
            StoreError(
                .conflict,
                "Session \(id) \(how). It was not changed: keep it, or delete it from the target and copy again."))
    }

    /// Whether the target's session is an earlier state of the source's, not changed in the target since.
    ///
    /// Two things prove it:
    /// - The target's record: it was copied from this source with the revision that it has, so it was not changed
    ///   since. What the source has beyond that must have been appended later; otherwise its history is another one.
    /// - The messages. A message's time is the revision that it made. So where the target's revision is the time of its
    ///   last message, nothing was done to it after that message; and where all its messages are the source's, it was
    ///   the source that the message was appended to.
    private func isEarlier(_ existing: Session, than session: Session) async throws(StoreError) -> Bool {
        guard existing.createdAt == session.createdAt else { return false }
        let isRemembered = try await isRemembered(existing)
        var last = existing.createdAt
        var ours = stream(of: source)
        var theirs = stream(of: target)
        while let copied = try await theirs.next() {
            let message = try await ours.next()
            // If they differ here, the source was rewound since.
            guard message == copied else { return isRemembered && message?.createdAt ?? .latest > existing.revision }
            last = copied.createdAt
        }
        if existing.revision == last { return true }
        guard isRemembered, let next = try await ours.next() else { return isRemembered }
        return next.createdAt > existing.revision
    }

    /// Whether the target recorded that it has this state of the session from the source.
    private func isRemembered(_ existing: Session) async throws(StoreError) -> Bool {
        guard let sourceID, let record = try await target.copyRecord(of: id) else { return false }
        return record == CopyRecord(source: sourceID, revision: existing.revision)
    }

    private func stream(of store: RetriedStore) -> MessageStream.AsyncIterator {
        MessageStream(after: 0, page: store.pages(of: id, byteLimit: Self.pageBytes)).makeAsyncIterator()
    }
}

/// Reads the document of a copy, whose records keep their ids.
private struct NativeCopyReader: DocumentReading {
    let limits: StoreLimits

    func check(_ walker: inout DocumentWalker, cancellation: CancellationFlag) throws(StoreError) -> CheckedDocument {
        try NativeDocumentReader(limits: limits).check(&walker, cancellation: cancellation)
    }

    func session(
        of document: CheckedDocument, _ walker: inout DocumentWalker, id: ULID, time: Timestamp
    ) throws(StoreError) -> Session {
        try NativeDocumentReader(limits: limits).session(of: document, &walker, id: id, time: time)
    }

    func message(
        _ bytes: UnsafeBufferPointer<UInt8>, at offset: Int, id: ULID, session: Session, sequence: Int
    ) throws(StoreError) -> SessionMessage {
        try NativeRecords.message(bytes, at: offset, limits: limits)
    }
}
