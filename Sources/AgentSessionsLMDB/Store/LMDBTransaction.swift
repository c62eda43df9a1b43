#if LMDB
public import AgentSessions
internal import CAgentSessionsLMDB

/// The reads and changes of a transaction. It never leaves the closure that it was given to.
///
/// Records are decoded straight from the map: a row costs the strings that it holds, and no copy besides.
public struct LMDBTransaction: SessionStoreWriter {
    let state: TransactionState
    /// Grows with every change.
    var changeCount = 0
    /// Whether a change found the map full, so that it has to grow before the next transaction.
    var foundMapFull = false

    /// What the changes of a transaction do, as far as it matters where there is little room.
    struct Kind: OptionSet {
        let rawValue: UInt8
        static let adds = Kind(rawValue: 1)
        static let removes = Kind(rawValue: 2)
    }

    /// What the open transaction has done so far.
    var kind: Kind = []
    /// Whether it removes something and adds nothing.
    var isRemoval: Bool { kind == .removes }

    init(_ state: TransactionState) {
        self.state = state
    }

    /// The session of that id.
    public func session(_ id: ULID) throws(StoreError) -> Session? {
        state.key.set(session: id)
        guard let record = try state.value(in: state.databases.sessions) else { return nil }
        try state.spend(record.count)
        return try SessionRecord.read(record, id: id)
    }

    /// A run of the list of sessions, newest first.
    public func sessions(_ request: SessionListRequest) throws(StoreError) -> [Session] {
        try SessionListScan(request).run(self)
    }

    /// A run of a session's messages in the order of their sequences.
    public func messages(_ request: MessageRequest, of session: Session) throws(StoreError) -> [SessionMessage] {
        let sequences = request.range.sequences(limit: request.limit, last: session.messageCount)
        guard !sequences.isEmpty else { return [] }
        var run = MessageRun(of: session.id, in: sequences, byteLimit: request.byteLimit)
        // From the back only where it matters at which end the run is cut off.
        guard request.range.isFromTheBack, request.byteLimit != .max else { return try run.forwards(self) }
        return try run.backwards(self)
    }

    /// Those messages of a session whose id is among `ids`, in the order of `ids`.
    public func messages(of session: ULID, withIDs ids: [ULID]) throws(StoreError) -> [SessionMessage] {
        var messages: [SessionMessage] = []
        for id in ids {
            state.key.set(messageID: id, session: session)
            guard let entry = try state.value(in: state.databases.messageIDs) else { continue }
            guard entry.count == 8, let sequence = Int(exactly: entry.bigEndianNumber(at: 0)), sequence > 0 else {
                throw .damaged("The entry of message \(id) of session \(session)", "it holds no sequence")
            }
            state.key.set(session: session, sequence: sequence)
            guard let record = try state.value(in: state.databases.messages) else {
                throw .damaged("The entry of message \(id) of session \(session)", "sequence \(sequence) is missing")
            }
            try state.spend(record.count)
            let message = try MessageRecord.read(record, session: session, sequence: sequence)
            guard message.id == id else {
                throw .damaged(
                    "The entry of message \(id) of session \(session)", "sequence \(sequence) is message \(message.id)")
            }
            messages.append(message)
        }
        return messages
    }

    /// The record of the copy that a session came with.
    public func copyRecord(of session: ULID) throws(StoreError) -> CopyRecord? {
        state.key.set(copyOf: session)
        guard let record = try state.value(in: state.databases.registry) else { return nil }
        let isWhole = record.count == 24
        return try CopyRecord(
            storedIn: LMDBBackend.name, of: session, source: isWhole ? record.ulid(at: 0) : nil,
            revision: isWhole ? Timestamp(orderedBits: record.bigEndianNumber(at: 16)) : nil)
    }
}
#endif
