#if SQLite
public import AgentSessions

/// The reads and changes of a transaction, on the connection that it is open on. It never leaves the closure that it
/// was given to.
public struct SQLiteTransaction: SessionStoreWriter {
    let connection: SQLiteConnection
    /// Grows with every change.
    private(set) var changeCount = 0

    init(on connection: SQLiteConnection) {
        self.connection = connection
    }

    // MARK: Reading

    public func session(_ id: ULID) throws(StoreError) -> Session? {
        let statement = try connection.statement(.session)
        defer { statement.reset() }
        try statement.bind(id, at: 1)
        guard try statement.step() else { return nil }
        let session = try SessionRow.read(statement)
        guard session.id == id else {
            throw .damagedSession(id, "its row has the id \(session.id)", backend: SQLiteBackend.name)
        }
        return session
    }

    public func sessions(_ request: SessionListRequest) throws(StoreError) -> [Session] {
        let query = SessionListQuery(request)
        let statement = try connection.statement(text: query.sql)
        defer { statement.reset() }
        try query.bind(to: statement)
        var sessions: [Session] = []
        while try statement.step() { sessions.append(try SessionRow.read(statement)) }
        return sessions
    }

    public func messages(_ request: MessageRequest, of session: Session) throws(StoreError) -> [SessionMessage] {
        let sequences = request.range.sequences(limit: request.limit, last: session.messageCount)
        // A run that ends with the last message looks for one more: a message that the session does not count is
        // damage, which shows in the page, where a bound at the count would hide it.
        let start = sequences.isEmpty ? session.messageCount : sequences.lowerBound - 1
        let isLast = sequences.isEmpty || sequences.upperBound > session.messageCount
        let statement = try connection.statement(request.range.isFromTheBack ? .messagesFromTheBack : .messages)
        defer { statement.reset() }
        try statement.bind(session.id, at: 1)
        try statement.bind(start, at: 2)
        try statement.bind(isLast ? .max : sequences.upperBound, at: 3)
        var messages: [SessionMessage] = []
        // A count from the file is no reason to take memory for so many.
        messages.reserveCapacity(min(sequences.count, 1000))
        var bytes = 0
        while messages.count <= sequences.count, messages.isEmpty || bytes < request.byteLimit, try statement.step() {
            let message = try MessageRow.read(statement, of: session.id)
            messages.append(message)
            if request.byteLimit != .max { bytes += message.payloadBytes }
        }
        connection.didRead(run: bytes)
        if request.range.isFromTheBack { messages.reverse() }
        return messages
    }

    public func messages(of session: ULID, withIDs ids: [ULID]) throws(StoreError) -> [SessionMessage] {
        let statement = try connection.statement(.messageByID)
        try statement.bind(session, at: 2)
        var messages: [SessionMessage] = []
        for id in ids {
            defer { statement.reset() }
            try statement.bind(id, at: 1)
            if try statement.step() { messages.append(try MessageRow.read(statement, of: session)) }
        }
        return messages
    }

    // MARK: Writing

    public mutating func insert(_ session: Session) throws(StoreError) {
        let statement = try connection.statement(.insertSession)
        try SessionRow.bind(session, to: statement)
        try change(statement)
    }

    public mutating func replace(_ previous: Session, with session: Session) throws(StoreError) {
        // An append changes counters only, and a statement that does not name the actor leaves its index alone.
        let isGrown = previous.actorName.isIdentical(to: session.actorName) && previous.metadata == session.metadata
        let statement = try connection.statement(isGrown ? .replaceCounters : .replaceSession)
        if isGrown {
            try SessionRow.bindCounters(of: session, to: statement)
        } else {
            try SessionRow.bind(session, to: statement)
        }
        try change(statement)
    }

    public mutating func remove(_ session: Session) throws(StoreError) {
        // The messages go with it: ON DELETE CASCADE.
        let statement = try connection.statement("DELETE FROM sessions WHERE id = ?1")
        try statement.bind(session.id, at: 1)
        try change(statement)
    }

    public mutating func insert(_ messages: [SessionMessage]) throws(StoreError) {
        let statement = try connection.statement(.insertMessage)
        defer { statement.clearBindings() }
        for message in messages {
            try MessageRow.bind(message, to: statement)
            try change(statement)
        }
    }

    public mutating func removeMessages(of session: Session, after sequence: Int) throws(StoreError) {
        let statement = try connection.statement(
            "DELETE FROM session_messages WHERE session_id = ?1 AND sequence > ?2")
        try statement.bind(session.id, at: 1)
        try statement.bind(sequence, at: 2)
        try change(statement)
    }

    mutating func change(_ statement: SQLiteStatement) throws(StoreError) {
        changeCount += 1
        try statement.run()
    }
}

// MARK: - Statements

extension ComposedSQL {
    fileprivate static let session = ComposedSQL("SELECT \(SessionRow.columns.list) FROM sessions WHERE id = ?1")
    fileprivate static let insertSession = ComposedSQL(
        "INSERT INTO sessions (\(SessionRow.columns.list)) VALUES (\(SessionRow.columns.parameters))")
    fileprivate static let replaceSession = ComposedSQL(
        "UPDATE sessions SET \(SessionRow.columns.assignments { $0 != "id" && $0 != "created_at" }) WHERE id = ?1")
    fileprivate static let replaceCounters = ComposedSQL(
        "UPDATE sessions SET \(SessionRow.columns.assignments(SessionRow.counters.contains)) WHERE id = ?1")

    fileprivate static let messages = ComposedSQL("\(run) sequence")
    fileprivate static let messagesFromTheBack = ComposedSQL("\(run) sequence DESC")
    private static let run = """
        SELECT \(MessageRow.columns.list) FROM session_messages \
        WHERE session_id = ?1 AND sequence > ?2 AND sequence < ?3 \
        ORDER BY
        """
    fileprivate static let messageByID = ComposedSQL(
        "SELECT \(MessageRow.columns.list) FROM session_messages WHERE id = ?1 AND session_id = ?2")
    fileprivate static let insertMessage = ComposedSQL(
        "INSERT INTO session_messages (\(MessageRow.allColumns.list)) VALUES (\(MessageRow.allColumns.parameters))")
}
#endif
