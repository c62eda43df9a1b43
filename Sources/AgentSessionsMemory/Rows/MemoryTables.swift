public import AgentSessions

/// The tables and indexes of a store in memory.
public struct MemoryTables: SessionStoreWriter {
    /// A session with all that belongs to it.
    struct Record {
        var session: Session
        /// Sequence *n* is element *n* − 1.
        var messages: [SessionMessage] = []
        /// The sequence of each message by its id.
        var sequences: [ULID: Int] = [:]
        /// The copy that the session came with.
        var copy: CopyRecord?

        mutating func append(_ new: [SessionMessage]) {
            for message in new {
                messages.append(message)
                sequences[message.id] = message.sequence
            }
        }

        mutating func removeLast(_ count: Int) -> [SessionMessage] {
            let removed = Array(messages.suffix(count))
            messages.removeLast(removed.count)
            for message in removed { sequences[message.id] = nil }
            return removed
        }
    }

    private(set) var records: [ULID: Record] = [:]
    /// The places of all sessions, oldest first.
    private(set) var order: [SessionPosition] = []
    /// How to undo each change of the transaction.
    private var undo: [@Sendable (inout MemoryTables) -> Void] = []

    // MARK: Transactions

    /// Ends a transaction: what was changed stays.
    mutating func commit() {
        undo = []
    }

    /// Ends a transaction and undoes what was changed in it, the last change first.
    mutating func rollBack() {
        while let last = undo.popLast() { last(&self) }
    }

    // MARK: Reading

    public func session(_ id: ULID) throws(StoreError) -> Session? {
        records[id]?.session
    }

    public func sessions(_ request: SessionListRequest) throws(StoreError) -> [Session] {
        let end = request.after.map(index(of:)) ?? order.count
        let newestFirst = order[..<end].reversed().lazy.compactMap { records[$0.id]?.session }
        return Array(newestFirst.filter(request.filter.includes).dropFirst(request.offset).prefix(request.limit))
    }

    public func messages(_ request: MessageRequest, of session: Session) throws(StoreError) -> [SessionMessage] {
        let sequences = request.range.sequences(limit: request.limit, last: session.messageCount)
        guard !sequences.isEmpty, let all = records[session.id]?.messages else { return [] }
        // Clamped, as a session counts what it is given.
        let run = all[((sequences.lowerBound - 1)..<(sequences.upperBound - 1)).clamped(to: all.indices)]
        guard request.range.isFromTheBack else { return run.prefix(bytes: request.byteLimit) }
        return run.reversed().prefix(bytes: request.byteLimit).reversed()
    }

    public func messages(of session: ULID, withIDs ids: [ULID]) throws(StoreError) -> [SessionMessage] {
        guard let record = records[session] else { return [] }
        return ids.compactMap { id in record.sequences[id].map { record.messages[$0 - 1] } }
    }

    public func copyRecord(of session: ULID) throws(StoreError) -> CopyRecord? { records[session]?.copy }

    /// How many places are older than `position`.
    private func index(of position: SessionPosition) -> Int {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if order[middle] < position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: Writing

    public mutating func insert(_ session: Session) throws(StoreError) {
        records[session.id] = Record(session: session)
        order.insert(session.position, at: index(of: session.position))
        undo.append { tables in _ = tables.take(session) }
    }

    public mutating func replace(_ previous: Session, with session: Session) throws(StoreError) {
        records[session.id]?.session = session
        undo.append { tables in tables.records[session.id]?.session = previous }
    }

    public mutating func remove(_ session: Session) throws(StoreError) {
        let record = take(session)
        undo.append { tables in
            tables.records[session.id] = record
            tables.order.insert(session.position, at: tables.index(of: session.position))
        }
    }

    public mutating func insert(_ messages: [SessionMessage]) throws(StoreError) {
        guard let first = messages.first else { return }
        var seen: Set<ULID> = []
        for message in messages
        where !seen.insert(message.id).inserted || records[first.sessionID]?.sequences[message.id] != nil {
            throw .messageIDTwice(message.id, in: first.sessionID)
        }
        records[first.sessionID]?.append(messages)
        undo.append { tables in _ = tables.records[first.sessionID]?.removeLast(messages.count) }
    }

    public mutating func removeMessages(of session: Session, after sequence: Int) throws(StoreError) {
        guard let removed = records[session.id]?.removeLast(session.messageCount - sequence) else { return }
        undo.append { tables in tables.records[session.id]?.append(removed) }
    }

    public mutating func put(_ record: CopyRecord, of session: ULID) throws(StoreError) {
        let previous = records[session]?.copy
        records[session]?.copy = record
        undo.append { tables in tables.records[session]?.copy = previous }
    }

    private mutating func take(_ session: Session) -> Record? {
        order.remove(at: index(of: session.position))
        return records.removeValue(forKey: session.id)
    }
}

extension Sequence<SessionMessage> {
    /// The first elements, up to and with the one that brings their bytes to `limit` or beyond it.
    fileprivate func prefix(bytes limit: Int) -> [SessionMessage] {
        var taken: [SessionMessage] = []
        var bytes = 0
        for message in self {
            taken.append(message)
            bytes += message.payloadBytes
            if bytes >= limit { break }
        }
        return taken
    }
}
