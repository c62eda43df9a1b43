#if SQLite
internal import AgentSessions

/// The table `sessions`. What a row holds is checked by the core.
enum SessionRow {
    /// In this order rows are read, and values are bound.
    static let columns = TableColumns([
        "id", "actor_name", "message_count", "input_tokens", "output_tokens", "estimated_cost", "metadata",
        "created_at",
        "updated_at",
    ])

    /// What every append changes.
    static let counters = ["message_count", "input_tokens", "output_tokens", "estimated_cost", "updated_at"]

    static func read(_ row: SQLiteStatement) throws(StoreError) -> Session {
        try Session(
            storedIn: SQLiteBackend.name, id: row.ulid(0), actorName: row.text(1), messageCount: row.integer(2),
            inputTokens: row.integer(3), outputTokens: row.integer(4), estimatedCost: row.integer(5),
            metadata: row.metadata(6), createdAt: row.timestamp(7), updatedAt: row.timestamp(8))
    }

    static func bind(_ session: Session, to statement: SQLiteStatement) throws(StoreError) {
        try bindCounters(of: session, to: statement)
        try statement.bind(session.actorName, at: 2)
        try statement.bind(session.metadata.storedText(), at: 7)
        try statement.bind(session.createdAt, at: 8)
    }

    /// Binds the id and ``counters``.
    static func bindCounters(of session: Session, to statement: SQLiteStatement) throws(StoreError) {
        try statement.bind(session.id, at: 1)
        try statement.bind(session.messageCount, at: 3)
        try statement.bind(session.usage.inputTokens, at: 4)
        try statement.bind(session.usage.outputTokens, at: 5)
        try statement.bind(session.usage.estimatedCost, at: 6)
        try statement.bind(session.updatedAt, at: 9)
    }
}

/// The table `session_messages`. What a row holds is checked by the core.
enum MessageRow {
    private static let ownColumns = [
        "id", "sequence", "role", "content", "tool_call_id", "metadata", "created_at",
    ]
    /// In this order rows are read: without the session's id, as it is what they are asked for by.
    static let columns = TableColumns(ownColumns)
    /// In this order values are bound.
    static let allColumns = TableColumns(ownColumns + ["session_id"])

    /// - Parameter session: The session whose rows were asked for.
    static func read(_ row: SQLiteStatement, of session: ULID) throws(StoreError) -> SessionMessage {
        try SessionMessage(
            storedIn: SQLiteBackend.name, sessionID: session, sequence: row.integer(1), id: row.ulid(0),
            role: row.role(2), content: row.text(3), toolCallID: row.optionalText(4), metadata: row.metadata(5),
            createdAt: row.timestamp(6))
    }

    static func bind(_ message: SessionMessage, to statement: SQLiteStatement) throws(StoreError) {
        try statement.bind(message.id, at: 1)
        try statement.bind(message.sequence, at: 2)
        try statement.bind(message.role.name, at: 3)
        try statement.bind(message.content, at: 4)
        try statement.bind(message.toolCallID, at: 5)
        try statement.bind(message.metadata.storedText(), at: 6)
        try statement.bind(message.createdAt, at: 7)
        try statement.bind(message.sessionID, at: 8)
    }
}

extension SQLiteStatement {
    func ulid(_ column: Int32) -> ULID? {
        withText(column) { ULID(utf8: $0) }
    }

    fileprivate func role(_ column: Int32) -> MessageRole? {
        withText(column) { MessageRole(stored: $0) }
    }

    /// `.some(nil)` for NULL.
    fileprivate func optionalText(_ column: Int32) -> String?? {
        isNull(column) ? .some(nil) : text(column).map(Optional.some)
    }

    fileprivate func metadata(_ column: Int32) -> JSONObject? {
        withText(column) { JSONObject(stored: $0) }
    }
}
#endif
