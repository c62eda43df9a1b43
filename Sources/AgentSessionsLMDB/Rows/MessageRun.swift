#if LMDB
internal import AgentSessions
internal import CAgentSessionsLMDB

/// A walk over the messages of one session. It leaves missing messages out; its caller notices that.
struct MessageRun {
    private let session: ULID
    private let sequences: Range<Int>
    private let byteLimit: Int
    private var messages: [SessionMessage] = []
    /// Where in memory the records lie, and how large they are.
    private var (first, last, bytesRead) = (UInt.max, UInt.min, 0)

    init(of session: ULID, in sequences: Range<Int>, byteLimit: Int) {
        self.session = session
        self.sequences = sequences
        self.byteLimit = byteLimit
        // As many as a page has; a damaged counter does not reserve more.
        messages.reserveCapacity(min(sequences.count, 10_000))
    }

    mutating func forwards(_ transaction: LMDBTransaction) throws(StoreError) -> [SessionMessage] {
        let state = transaction.state
        defer { tellResidency(state) }
        let cursor = try state.cursorOverMessages()
        var bytes = 0
        state.key.set(session: session, sequence: sequences.lowerBound)
        var (key, record) = (state.key.value, MDB_val())
        var code = mdb_cursor_get(cursor, &key, &record, MDB_SET_RANGE)
        while code == MDB_SUCCESS {
            guard let sequence = try sequence(at: key) else { return messages }
            bytes += try add(UnsafeRawBufferPointer(record), sequence, state)
            if sequence == sequences.upperBound - 1 || bytes >= byteLimit { return messages }
            code = mdb_cursor_get(cursor, &key, &record, MDB_NEXT)
        }
        try state.checkEnd(code)
        return messages
    }

    mutating func backwards(_ transaction: LMDBTransaction) throws(StoreError) -> [SessionMessage] {
        let state = transaction.state
        defer { tellResidency(state) }
        let cursor = try state.cursorOverMessages()
        var bytes = 0
        state.key.set(session: session, sequence: sequences.upperBound)
        var (key, record) = (state.key.value, MDB_val())
        var code = moveToLast(cursor, before: &key, &record)
        while code == MDB_SUCCESS, let sequence = try sequence(at: key) {
            bytes += try add(UnsafeRawBufferPointer(record), sequence, state)
            if sequence == sequences.lowerBound || bytes >= byteLimit { break }
            code = mdb_cursor_get(cursor, &key, &record, MDB_PREV)
        }
        try state.checkEnd(code)
        return messages.reversed()
    }

    /// The sequence where it is one of the run.
    @inline(__always)
    private func sequence(at key: MDB_val) throws(StoreError) -> Int? {
        let sequence = try UnsafeRawBufferPointer(key).sequence(ofMessageIn: session)
        guard let sequence, sequences.contains(sequence) else { return nil }
        return sequence
    }

    /// - Returns: The bytes of the message that count for the byte limit.
    @inline(__always)
    private mutating func add(
        _ record: UnsafeRawBufferPointer, _ sequence: Int, _ state: TransactionState
    ) throws(StoreError) -> Int {
        try state.spend(record.count)
        let address = UInt(bitPattern: record.baseAddress)
        first = min(first, address)
        last = max(last, address &+ UInt(record.count))
        bytesRead &+= record.count
        messages.append(try MessageRecord.read(record, session: session, sequence: sequence))
        return byteLimit == .max ? 0 : messages[messages.count - 1].payloadBytes
    }

    @inline(__always)
    private func tellResidency(_ state: TransactionState) {
        if first < last { state.didRead(first..<last, bytes: bytesRead) }
    }
}

/// Moves to the last entry before `key`, whether or not there is one of that key.
func moveToLast(_ cursor: OpaquePointer, before key: inout MDB_val, _ value: inout MDB_val) -> Int32 {
    let code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
    switch code {
    case MDB_SUCCESS: return mdb_cursor_get(cursor, &key, &value, MDB_PREV)
    case MDB_NOTFOUND: return mdb_cursor_get(cursor, &key, &value, MDB_LAST)
    default: return code
    }
}

extension TransactionState {
    /// - Throws: What a walk ended with, where it was not the end of the database.
    @inline(__always)
    func checkEnd(_ code: Int32) throws(StoreError) {
        if code != MDB_NOTFOUND { try check(code) }
    }
}
#endif
