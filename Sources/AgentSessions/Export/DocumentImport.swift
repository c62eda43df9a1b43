/// The two passes over a source of documents.
struct DocumentImport<Store: SessionStore>: Sendable {
    /// Sessions that are stored at the same time, so that they can share a transaction or a sync.
    private static var sessionsAtOnce: Int { 16 }
    /// Sessions that are read ahead of storing.
    private static var sessionsReadAhead: Int { 64 }
    /// The bytes of metadata that are read ahead.
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
        var prepared: ArraySlice<DocumentMessages> = []
        await withTaskGroup(of: (index: Int, error: StoreError?).self) { group in
            var running = 0
            func collect() async {
                guard let outcome = await group.next() else { return }
                running -= 1
                guard let error = outcome.error else {
                    stored.insert(outcome.index)
                    options.progress?(0.5 + 0.5 * fraction(stored.count, of: documents.count))
                    return
                }
                failures[outcome.index] = error
            }
            while ids.count < documents.count, failures.isEmpty {
                if prepared.isEmpty {
                    let first = ids.count
                    do throws(StoreError) {
                        prepared = try await prepare(documents[first...], of: bytes)[...]
                    } catch {
                        failures[first] = error
                        break
                    }
                }
                guard let messages = prepared.popFirst() else { break }
                let index = ids.count
                ids.append(messages.session.id)
                group.addTask { (index, await service.restore(messages)) }
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

    /// Reads the sessions of the next documents: a bounded number of them.
    private func prepare(
        _ documents: ArraySlice<CheckedDocument>, of bytes: DocumentBytes
    ) async throws(StoreError) -> [DocumentMessages] {
        try await onOwnThread { (flag) throws(StoreError) in
            var prepared: [DocumentMessages] = []
            var size = 0
            var walker = DocumentWalker(bytes)
            for document in documents.prefix(Self.sessionsReadAhead) where size < Self.bytesReadAhead {
                try flag.check()
                let session: Session
                do throws(StoreError) {
                    session = try reading.session(
                        of: document, &walker, id: try service.generator.next(), time: try service.clock.next())
                } catch {
                    guard error.code == .invalidArgument else { throw error }
                    throw .changedMeanwhile(bytes.name, cause: error)
                }
                size += session.metadata.payloadBytes
                prepared.append(
                    DocumentMessages(
                        document: document, source: bytes, session: session, reading: reading,
                        generator: service.generator))
            }
            return prepared
        }
    }
}

extension PersistentSessionService {
    /// Stores a session with its messages, and finds out by its id whether it was stored where that is not known.
    fileprivate func restore(_ messages: DocumentMessages) async -> StoreError? {
        let session = messages.session
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
