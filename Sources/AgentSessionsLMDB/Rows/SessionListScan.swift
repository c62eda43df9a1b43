#if LMDB
internal import AgentSessions
internal import CAgentSessionsLMDB

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A list of sessions as a walk back along an index: one actor's sessions or all, by time of creation and id.
struct SessionListScan {
    private let request: SessionListRequest
    private let actor: ActorPrefix?
    /// Whether sessions that the index names may be left out by the rest of the filter.
    private let looksAtSessions: Bool
    /// Whether there is nothing to find.
    private let isEmpty: Bool

    init(_ request: SessionListRequest) throws(StoreError) {
        self.request = request
        let name = request.filter.actorName
        // No session has a longer name.
        isEmpty = (name?.utf8.count ?? 0) > 255
        actor = isEmpty ? nil : try name.map { (name) throws(StoreError) in try ActorPrefix(name) }
        looksAtSessions = request.filter.updatedFrom != nil || request.filter.updatedBefore != nil
    }

    func run(_ transaction: LMDBTransaction) throws(StoreError) -> [Session] {
        guard !isEmpty else { return [] }
        let state = transaction.state
        let cursor = try state.cursorOverSessions(byActor: actor != nil)
        let records = try state.cursorOverSessions()
        var sessions: [Session] = []
        // As many as a page has; a list can ask for more than there are.
        sessions.reserveCapacity(min(request.limit, 100))
        var skipped = 0
        setStart(&state.key)
        var (key, value) = (state.key.value, MDB_val())
        var code = moveToLast(cursor, before: &key, &value)
        while code == MDB_SUCCESS, let place = try position(at: UnsafeRawBufferPointer(key)) {
            if let from = request.filter.createdFrom, place.createdAt < from { break }
            if skipped < request.offset, !looksAtSessions {
                try state.spend(key.mv_size)
                skipped += 1
            } else {
                let session = try session(at: place, records, state)
                if !looksAtSessions || request.filter.includes(session) {
                    if skipped < request.offset { skipped += 1 } else { sessions.append(session) }
                    if sessions.count == request.limit { break }
                }
            }
            code = mdb_cursor_get(cursor, &key, &value, MDB_PREV)
        }
        try state.checkEnd(code)
        return sessions
    }

    /// Sets the key right after the newest session that the list may show.
    private func setStart(_ key: inout KeyBuffer) {
        let before = request.filter.createdBefore
        if let after = request.after, before.map({ after.createdAt < $0 }) ?? true {
            key.set(actor: actor, position: after)
        } else if let before {
            key.set(actor: actor, time: before)
        } else {
            key.setEnd(actor: actor)
        }
    }

    /// The place that an entry of the index names, or `nil` where another actor's begin.
    private func position(at key: UnsafeRawBufferPointer) throws(StoreError) -> SessionPosition? {
        let prefix = actor?.bytes.count ?? 0
        if let actor {
            let isOfActor = actor.bytes.withUnsafeBytes { name in
                // Neither is empty, as a prefix has its length byte at least.
                guard key.count > prefix, let key = key.baseAddress, let name = name.baseAddress else { return false }
                return memcmp(key, name, prefix) == 0
            }
            guard isOfActor else { return nil }
        }
        guard key.count == prefix + KeyBuffer.positionSize,
            let time = Timestamp(orderedBits: key.bigEndianNumber(at: prefix))
        else { throw .damaged("An entry of the index of sessions", "its key is not a time and an id") }
        return SessionPosition(createdAt: time, id: key.ulid(at: prefix + 8))
    }

    private func session(
        at place: SessionPosition, _ sessions: OpaquePointer, _ state: TransactionState
    ) throws(StoreError) -> Session {
        state.key.set(session: place.id)
        var (key, record) = (state.key.value, MDB_val())
        let code = mdb_cursor_get(sessions, &key, &record, MDB_SET)
        guard code != MDB_NOTFOUND else {
            throw .damaged("The index of sessions", "it names session \(place.id), which is not there")
        }
        try state.check(code)
        try state.spend(record.mv_size)
        let session = try SessionRecord.read(UnsafeRawBufferPointer(record), id: place.id)
        let isOfActor = request.filter.actorName?.isIdentical(to: session.actorName) ?? true
        guard session.createdAt == place.createdAt, isOfActor else {
            throw .damaged("The index of sessions", "its entry for session \(place.id) does not match the session")
        }
        return session
    }
}
#endif
