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
        let statement = try connection.statement(
            """
            SELECT id, actor_name, message_count, input_tokens, output_tokens, estimated_cost, metadata, created_at, \
            updated_at FROM sessions WHERE id = ?1
            """)
        defer { statement.reset() }
        try statement.bind(id, at: 1)
        guard try statement.step() else { return nil }
        let session = try SessionRow.read(statement)
        guard session.id == id else { throw SessionRow.damaged(id, "its row has the id \(session.id)") }
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
        let statement: SQLiteStatement
        switch request.range {
        case .after:
            statement = try connection.statement(
                """
                SELECT id, sequence, role, content, tool_call_id, metadata, created_at FROM session_messages \
                WHERE session_id = ?1 AND sequence > ?2 AND sequence < ?3 ORDER BY sequence
                """)
        case .before, .last:
            statement = try connection.statement(
                """
                SELECT id, sequence, role, content, tool_call_id, metadata, created_at FROM session_messages \
                WHERE session_id = ?1 AND sequence > ?2 AND sequence < ?3 ORDER BY sequence DESC
                """)
        }
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
        let statement = try connection.statement(
            """
            SELECT id, sequence, role, content, tool_call_id, metadata, created_at FROM session_messages \
            WHERE id = ?1 AND session_id = ?2
            """)
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
        let statement = try connection.statement(
            """
            INSERT INTO sessions (actor_name, metadata, message_count, input_tokens, output_tokens, estimated_cost, \
            updated_at, id, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """)
        try statement.bind(session.actorName, at: 1)
        try statement.bind(session.metadata, at: 2)
        try bindCounters(of: session, to: statement, from: 3)
        try statement.bind(session.id, at: 8)
        try statement.bind(session.createdAt, at: 9)
        try change(statement)
    }

    public mutating func replace(_ previous: Session, with session: Session) throws(StoreError) {
        // An append changes counters only, and a statement that does not name the actor leaves its index alone.
        guard previous.actorName.isIdentical(to: session.actorName), previous.metadata == session.metadata else {
            let statement = try connection.statement(
                """
                UPDATE sessions SET actor_name = ?1, metadata = ?2, message_count = ?3, input_tokens = ?4, \
                output_tokens = ?5, estimated_cost = ?6, updated_at = ?7 WHERE id = ?8
                """)
            try statement.bind(session.actorName, at: 1)
            try statement.bind(session.metadata, at: 2)
            try bindCounters(of: session, to: statement, from: 3)
            try statement.bind(session.id, at: 8)
            return try change(statement)
        }
        let statement = try connection.statement(
            """
            UPDATE sessions SET message_count = ?1, input_tokens = ?2, output_tokens = ?3, estimated_cost = ?4, \
            updated_at = ?5 WHERE id = ?6
            """)
        try bindCounters(of: session, to: statement, from: 1)
        try statement.bind(session.id, at: 6)
        try change(statement)
    }

    public mutating func remove(_ session: Session) throws(StoreError) {
        // The messages go with it: ON DELETE CASCADE.
        let statement = try connection.statement("DELETE FROM sessions WHERE id = ?1")
        try statement.bind(session.id, at: 1)
        try change(statement)
    }

    public mutating func insert(_ messages: [SessionMessage]) throws(StoreError) {
        let statement = try connection.statement(
            """
            INSERT INTO session_messages (id, session_id, sequence, role, content, tool_call_id, metadata, created_at) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            """)
        defer { statement.clearBindings() }
        for message in messages {
            try statement.bind(message.id, at: 1)
            try statement.bind(message.sessionID, at: 2)
            try statement.bind(message.sequence, at: 3)
            try statement.bind(message.role.name, at: 4)
            try statement.bind(message.content, at: 5)
            try statement.bind(message.toolCallID, at: 6)
            try statement.bind(message.metadata, at: 7)
            try statement.bind(message.createdAt, at: 8)
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

    /// Binds the five numbers that change with every append.
    private func bindCounters(
        of session: Session, to statement: SQLiteStatement, from index: Int32
    ) throws(StoreError) {
        try statement.bind(session.messageCount, at: index)
        try statement.bind(session.usage.inputTokens, at: index + 1)
        try statement.bind(session.usage.outputTokens, at: index + 2)
        try statement.bind(session.usage.estimatedCost, at: index + 3)
        try statement.bind(session.updatedAt, at: index + 4)
    }
}

extension SQLiteStatement {
    fileprivate func bind(_ object: JSONObject, at index: Int32) throws(StoreError) {
        let text: String
        do throws(JSONError) {
            text = try object.losslessText()
        } catch {
            throw StoreError(invalidJSON: error, in: "The metadata")
        }
        try bind(text, at: index)
    }
}
#endif
