import AgentSessionsThreads

// The second pass: every document is read again, and stored.
extension DocumentImport {
    /// Sessions that are stored at the same time, so that they can share a transaction or a sync.
    private static var sessionsAtOnce: Int { 16 }
    /// Sessions that are read ahead of storing.
    private static var sessionsReadAhead: Int { 64 }
    /// The bytes that are read ahead.
    private static var bytesReadAhead: Int { 1 << 20 }

    func store(_ documents: [CheckedDocument], of bytes: DocumentBytes) async throws(StoreError) -> ImportResult {
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

    /// Sessions that are ready to be stored, and the error of the session after them.
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
