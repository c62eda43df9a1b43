import AgentSessionsThreads

/// The two passes over a source of documents.
struct DocumentImport<Store: SessionStore>: Sendable {
    /// Sessions that are stored at the same time, so that they can share a transaction or a sync.
    private static var sessionsAtOnce: Int { 16 }
    /// Sessions that are read ahead of storing.
    private static var sessionsReadAhead: Int { 64 }
    /// The bytes that are read ahead.
    private static var bytesReadAhead: Int { 1 << 20 }

    let service: PersistentSessionService<Store>
    let reading: any DocumentReading
    let options: ImportOptions

    func run(_ source: DocumentSource) async throws(StoreError) -> ImportResult {
        let (bytes, documents) = try await onOwnThread { (flag) throws(StoreError) in
            let bytes = try DocumentBytes(source, cancellation: flag)
            return (bytes, try check(bytes, cancellation: flag))
        }
        guard !options.checksOnly else {
            return ImportResult(ids: [], messages: documents.reduce(0) { $0 + $1.count })
        }
        return try await store(documents, of: bytes)
    }

    // MARK: The first pass

    /// Checks every document, and says where each is. An empty source holds none: a store without sessions is exported as
    /// nothing, and that can be imported again.
    private func check(_ bytes: DocumentBytes, cancellation: CancellationFlag) throws(StoreError) -> [CheckedDocument] {
        var walker = DocumentWalker(bytes)
        try requireUTF8(&walker, bytes)
        var documents: [CheckedDocument] = []
        while try walker.peek() != nil {
            try cancellation.check()
            let start = walker.offset
            guard documents.count < options.maximumSessions else {
                throw StoreError(
                    .invalidArgument,
                    "\(bytes.name) holds more than \(options.maximumSessions) sessions, which is all that may be "
                        + "imported from it. Nothing was stored.")
            }
            do throws(StoreError) {
                documents.append(try reading.check(&walker, cancellation: cancellation))
            } catch {
                throw error.located(location(documents.count, at: start, bytes), after: "Nothing was stored.")
            }
            options.progress?(0.5 * fraction(walker.offset, of: bytes.count))
        }
        return documents
    }

    private func requireUTF8(_ walker: inout DocumentWalker, _ bytes: DocumentBytes) throws(StoreError) {
        _ = try walker.peek()
        let start = walker.window.bytes.prefix(3)
        if start.elementsEqual([0xEF, 0xBB, 0xBF]) {
            throw StoreError(
                .invalidArgument,
                "\(bytes.name) begins with a byte order mark: save it as UTF-8 without one. "
                    + "Nothing was stored.")
        }
        if start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF]) {
            throw StoreError(
                .invalidArgument, "\(bytes.name) is not UTF-8 but UTF-16: save it as UTF-8. Nothing was stored.")
        }
    }

    private func location(_ index: Int, at start: Int, _ bytes: DocumentBytes) -> String {
        "Document \(index + 1) of \(bytes.name) (from byte \(start))"
    }

    private func fraction(_ part: Int, of whole: Int) -> Double {
        whole > 0 ? min(1, Double(part) / Double(whole)) : 1
    }

    // MARK: The second pass

    private func store(_ documents: [CheckedDocument], of bytes: DocumentBytes) async throws(StoreError) -> ImportResult
    {
        var ids: [ULID] = []
        var stored: Set<Int> = []
        var failures: [Int: StoreError] = [:]
        var prepared = Prepared()
        await withTaskGroup(of: (index: Int, error: StoreError?).self) { group in
            var running = 0
            var messagesOnTheWay = 0
            func collect() async {
                guard let outcome = await group.next() else { return }
                running -= 1
                messagesOnTheWay -= documents[outcome.index].count
                guard let error = outcome.error else {
                    stored.insert(outcome.index)
                    options.progress?(0.5 + 0.5 * fraction(stored.count, of: documents.count))
                    return
                }
                failures[outcome.index] = error
            }
            while ids.count < documents.count, failures.isEmpty {
                if prepared.isEmpty { prepared = await prepare(documents[ids.count...], of: bytes) }
                let index = ids.count
                guard let (session, messages) = prepared.sessions.popFirst() else {
                    failures[index] = prepared.failure
                    break
                }
                ids.append(session.id)
                messagesOnTheWay += session.messageCount
                while running > 0, messagesOnTheWay > LongChange.messagesOnTheWay { await collect() }
                guard failures.isEmpty else { break }
                group.addTask { (index, await service.restore(session, messages)) }
                running += 1
                if running == Self.sessionsAtOnce { await collect() }
            }
            while running > 0 { await collect() }
        }
        if let first = failures.min(by: { $0.key < $1.key }) {
            func entry(_ index: Int) -> PartialImport.Document {
                PartialImport.Document(number: index + 1, id: ids[index], messages: documents[index].count)
            }
            let unknown = failures.filter { $0.value.code == .outcomeUnknown && $0.key < ids.count }
            throw PartialImport(
                source: bytes.name, documents: documents.count, next: first.key + 1,
                nextByte: documents[first.key].start, stored: stored.sorted().map(entry),
                unknown: unknown.keys.sorted().map(entry), reason: first.value
            ).error
        }
        return ImportResult(ids: ids, messages: documents.reduce(0) { $0 + $1.count })
    }

    /// Sessions that are ready to be stored, and why the one after them cannot be.
    private struct Prepared {
        var sessions: ArraySlice<(Session, any MessageSource)> = []
        var failure: StoreError?

        var isEmpty: Bool { sessions.isEmpty && failure == nil }
    }

    /// Reads the next sessions, a bounded number of them, with their messages where those are few.
    private func prepare(_ documents: ArraySlice<CheckedDocument>, of bytes: DocumentBytes) async -> Prepared {
        do throws(StoreError) {
            return try await onOwnThread { (flag) throws(StoreError) in
                var prepared = Prepared()
                var size = 0
                var walker = DocumentWalker(bytes)
                for document in documents.prefix(Self.sessionsReadAhead) where size < Self.bytesReadAhead {
                    do throws(StoreError) {
                        try flag.check()
                        let next = try prepare(document, of: bytes, &walker, cancellation: flag)
                        size += next.bytes
                        prepared.sessions.append((next.session, next.messages))
                    } catch {
                        prepared.failure = error
                        return prepared
                    }
                }
                return prepared
            }
        } catch {
            return Prepared(failure: error)
        }
    }

    private func prepare(
        _ document: CheckedDocument, of source: DocumentBytes, _ walker: inout DocumentWalker,
        cancellation: CancellationFlag
    ) throws(StoreError) -> (session: Session, messages: any MessageSource, bytes: Int) {
        let session: Session
        do throws(StoreError) {
            session = try reading.session(
                of: document, &walker, id: try service.generator.next(), time: try service.clock.next())
        } catch {
            guard error.code == .invalidArgument || error.code == .limitExceeded else { throw error }
            throw .changedMeanwhile(source.name, cause: error)
        }
        let messages = DocumentMessages(
            document: document, source: source, session: session, reading: reading, generator: service.generator)
        let bytes = session.metadata.payloadBytes
        guard messages.isShort, let read = try messages.read(of: session, cancellation: cancellation) else {
            return (session, messages, bytes)
        }
        return (session, read, bytes + document.messages.count)
    }
}

extension PersistentSessionService {
    /// Stores a session with its messages, and finds out by its id whether it was stored where that is not known.
    fileprivate func restore(_ session: Session, _ messages: any MessageSource) async -> StoreError? {
        do throws(StoreError) {
            try await caller.call(.restore) { () throws(StoreError) in
                try await store.restore(session, messages: messages)
            } settle: { () throws(StoreError) -> Settlement<Void> in
                try await store.get(session.id) == nil ? .notStored : .stored(())
            }
            return nil
        } catch {
            return error
        }
    }

    /// Stores every session of a document, each whole or not at all, under fresh ids.
    public func importSessions(
        _ source: DocumentSource, format: DocumentFormat, options: ImportOptions
    ) async throws(StoreError) -> ImportResult {
        guard !Task.isCancelled else { throw .cancelledBeforeStart }
        let reading: any DocumentReading =
            switch format {
            case .native: NativeDocumentReader(limits: limits)
            case .openai: ChatDocumentReader(limits: limits)
            }
        return try await DocumentImport(service: self, reading: reading, options: options).run(source)
    }
}
