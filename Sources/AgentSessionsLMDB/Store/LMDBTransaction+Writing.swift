#if LMDB
public import AgentSessions
internal import CAgentSessionsLMDB

extension LMDBTransaction {
    /// Stores a session whose id is not in the store.
    public mutating func insert(_ session: Session) throws(StoreError) {
        kind.insert(.adds)
        try put(session, flags: MDB_NOOVERWRITE)
        state.key.set(actor: nil, position: session.position)
        try putEntry(in: state.databases.byCreation)
        try putActorEntry(session)
    }

    /// Stores a session in place of what it was.
    public mutating func replace(_ previous: Session, with session: Session) throws(StoreError) {
        try put(session, flags: 0)
        guard !previous.actorName.isIdentical(to: session.actorName) else { return }
        try deleteActorEntry(previous)
        try putActorEntry(session)
    }

    /// Removes a session, its messages, and every index entry of both.
    public mutating func remove(_ session: Session) throws(StoreError) {
        try removeMessages(of: session, after: 0)
        try deleteActorEntry(session)
        state.key.set(actor: nil, position: session.position)
        try delete(in: state.databases.byCreation)
        state.key.set(session: session.id)
        try delete(in: state.databases.sessions)
        state.key.set(copyOf: session.id)
        try delete(in: state.databases.registry)
    }

    /// Stores messages of one session whose sequences are not in it.
    ///
    /// - Throws: ``StoreError/messageIDTwice(_:in:)`` where an id is in the session already.
    public mutating func insert(_ messages: [SessionMessage]) throws(StoreError) {
        kind.insert(.adds)
        for message in messages {
            let record = try MessageRecord(message)
            state.key.set(session: message.sessionID, sequence: message.sequence)
            record.write(to: try reserve(record.size, in: state.databases.messages, flags: MDB_NOOVERWRITE))
            state.key.set(messageID: message.id, session: message.sessionID)
            try putSequence(of: message)
        }
    }

    /// Removes the messages of a session after a sequence, with every index entry.
    public mutating func removeMessages(of session: Session, after sequence: Int) throws(StoreError) {
        kind.insert(.removes)
        let cursor = try state.cursorOverMessages()
        let (first, overflow) = sequence.addingReportingOverflow(1)
        guard !overflow else { return }
        state.key.set(session: session.id, sequence: first)
        var (key, record) = (state.key.value, MDB_val())
        var code = mdb_cursor_get(cursor, &key, &record, MDB_SET_RANGE)
        while code == MDB_SUCCESS, let sequence = try UnsafeRawBufferPointer(key).sequence(ofMessageIn: session.id) {
            // Before anything is changed, as the record lies in the map.
            let id = try MessageRecord.readID(
                UnsafeRawBufferPointer(record), session: session.id, sequence: sequence)
            state.key.set(messageID: id, session: session.id)
            try delete(in: state.databases.messageIDs)
            changeCount += 1
            try checkChange(mdb_cursor_del(cursor, 0))
            code = mdb_cursor_get(cursor, &key, &record, MDB_NEXT)
        }
        try state.checkEnd(code)
    }

    /// Keeps the record of the copy that a session comes with, in place of what is there: the source, 16 bytes, and the
    /// revision, 8, big-endian.
    public mutating func put(_ record: CopyRecord, of session: ULID) throws(StoreError) {
        state.key.set(copyOf: session)
        let bytes = try reserve(24, in: state.databases.registry, flags: 0)
        bytes.storeBytes(of: record.source.high.bigEndian, toByteOffset: 0, as: UInt64.self)
        bytes.storeBytes(of: record.source.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        bytes.storeBytes(of: record.revision.orderedBits.bigEndian, toByteOffset: 16, as: UInt64.self)
    }

    // MARK: Single changes

    private mutating func put(_ session: Session, flags: Int32) throws(StoreError) {
        let record = try SessionRecord(session)
        state.key.set(session: session.id)
        record.write(to: try reserve(record.size, in: state.databases.sessions, flags: flags))
    }

    private mutating func putActorEntry(_ session: Session) throws(StoreError) {
        state.key.set(actor: try ActorPrefix(session.actorName), position: session.position)
        try putEntry(in: state.databases.byActor)
    }

    private mutating func deleteActorEntry(_ session: Session) throws(StoreError) {
        state.key.set(actor: try ActorPrefix(session.actorName), position: session.position)
        try delete(in: state.databases.byActor)
    }

    /// Makes room for a record under the key. The caller fills it before the next change.
    private mutating func reserve(
        _ size: Int, in database: MDB_dbi, flags: Int32
    ) throws(StoreError) -> UnsafeMutableRawBufferPointer {
        changeCount += 1
        var (key, value) = (state.key.value, MDB_val(mv_size: size, mv_data: nil))
        try checkChange(mdb_put(state.transaction, database, &key, &value, UInt32(MDB_RESERVE | flags)))
        return UnsafeMutableRawBufferPointer(start: value.mv_data, count: value.mv_size)
    }

    /// Adds the key to an index.
    private mutating func putEntry(in database: MDB_dbi) throws(StoreError) {
        changeCount += 1
        var (key, value) = (state.key.value, MDB_val(mv_size: 0, mv_data: nil))
        try checkChange(mdb_put(state.transaction, database, &key, &value, UInt32(MDB_NOOVERWRITE)))
    }

    private mutating func putSequence(of message: SessionMessage) throws(StoreError) {
        changeCount += 1
        var sequence = UInt64(bitPattern: Int64(message.sequence)).bigEndian
        var key = state.key.value
        let code = withUnsafeMutableBytes(of: &sequence) { bytes in
            // LMDB copies the value before it returns.
            var value = MDB_val(mv_size: bytes.count, mv_data: bytes.baseAddress)
            return mdb_put(state.transaction, state.databases.messageIDs, &key, &value, UInt32(MDB_NOOVERWRITE))
        }
        if code == MDB_KEYEXIST { throw .messageIDTwice(message.id, in: message.sessionID) }
        try checkChange(code)
    }

    /// Removes what is under the key. What is not there need not go.
    private mutating func delete(in database: MDB_dbi) throws(StoreError) {
        changeCount += 1
        var key = state.key.value
        let code = mdb_del(state.transaction, database, &key, nil)
        if code != MDB_NOTFOUND { try checkChange(code) }
    }

    private mutating func checkChange(_ code: Int32) throws(StoreError) {
        guard code == MDB_MAP_FULL else { return try state.check(code) }
        foundMapFull = true
        throw state.environment.mapFull(at: state.environment.info.me_mapsize, isRemoval: isRemoval)
    }
}
#endif
