public import AgentSessions

/// The sessions and messages of a store: a value, so that a transaction works on a copy and a refused one is forgotten.
public struct Tables: SessionStoreWriter, Sendable {
    private struct Record {
        var session: Session
        /// Sequence *n* is element *n* − 1.
        var messages: [SessionMessage] = []
        var sequences: [ULID: Int] = [:]
    }

    private var records: [ULID: Record] = [:]
    /// What was changed since the tables were read, to be written as one line.
    private var changes: [Change] = []

    /// What was changed, which is then forgotten.
    mutating func takeChanges() -> [Change] {
        defer { changes = [] }
        return changes
    }

    // MARK: Reading

    public func session(_ id: ULID) throws(StoreError) -> Session? { records[id]?.session }

    public func sessions(_ request: SessionListRequest) throws(StoreError) -> [Session] {
        let shown = records.values.lazy.map(\.session).filter { session in
            request.filter.includes(session) && request.after.map { session.position < $0 } ?? true
        }
        let newestFirst = shown.sorted { $0.position > $1.position }
        return Array(newestFirst.dropFirst(request.offset).prefix(request.limit))
    }

    public func messages(_ request: MessageRequest, of session: Session) throws(StoreError) -> [SessionMessage] {
        let sequences = request.range.sequences(limit: request.limit, last: session.messageCount)
        guard !sequences.isEmpty, let all = records[session.id]?.messages else { return [] }
        let run = all[(sequences.lowerBound - 1)..<(sequences.upperBound - 1)]
        guard request.range.isFromTheBack else { return prefix(of: run, bytes: request.byteLimit) }
        return prefix(of: run.reversed(), bytes: request.byteLimit).reversed()
    }

    public func messages(of session: ULID, withIDs ids: [ULID]) throws(StoreError) -> [SessionMessage] {
        guard let record = records[session] else { return [] }
        return ids.compactMap { id in record.sequences[id].map { record.messages[$0 - 1] } }
    }

    private func prefix(of messages: some Sequence<SessionMessage>, bytes limit: Int) -> [SessionMessage] {
        var taken: [SessionMessage] = []
        var bytes = 0
        for message in messages {
            taken.append(message)
            bytes += message.payloadBytes
            if bytes >= limit { break }
        }
        return taken
    }

    // MARK: Writing

    public mutating func insert(_ session: Session) throws(StoreError) { try change(.put(session)) }

    public mutating func replace(_ previous: Session, with session: Session) throws(StoreError) {
        try change(.put(session))
    }

    public mutating func remove(_ session: Session) throws(StoreError) { try change(.remove(session.id)) }

    public mutating func insert(_ messages: [SessionMessage]) throws(StoreError) {
        for message in messages { try change(.add(message)) }
    }

    public mutating func removeMessages(of session: Session, after sequence: Int) throws(StoreError) {
        try change(.rewind(session.id, sequence))
    }

    private mutating func change(_ change: Change) throws(StoreError) {
        try apply(change)
        changes.append(change)
    }

    /// Makes a change, the same way whether it is new or read back from the file.
    mutating func apply(_ change: Change) throws(StoreError) {
        switch change {
        case .put(let session):
            records[session.id, default: Record(session: session)].session = session
        case .remove(let id):
            records[id] = nil
        case .rewind(let id, let sequence):
            for message in records[id]?.messages.dropFirst(sequence) ?? [] { records[id]?.sequences[message.id] = nil }
            records[id]?.messages.removeSubrange(sequence...)
        case .add(let message):
            let id = message.sessionID
            guard records[id]?.sequences[message.id] == nil else { throw .messageIDTwice(message.id, in: id) }
            records[id]?.messages.append(message)
            records[id]?.sequences[message.id] = message.sequence
        }
    }
}
