#if Postgres
internal import AgentSessions

/// The columns of the tables, as rows are written and read.
enum RowLayout {
    /// All of a session, in the order of ``Parameters/add(_:)-(Session)``.
    static let sessionColumns = ColumnList([
        ("id", "text"), ("actor_name", "text"), ("message_count", "bigint"), ("input_tokens", "bigint"),
        ("output_tokens", "bigint"), ("estimated_cost", "bigint"), ("metadata", "json"), ("created_at", "timestamptz"),
        ("updated_at", "timestamptz"),
    ])
    /// What the caller gives of a message, in the order of ``Parameters/add(payload:_:_:_:)``. The store gives the rest: id,
    /// session, sequence and time.
    static let payloadColumns = ColumnList([
        ("role", "text"), ("content", "text"), ("tool_call_id", "text"), ("metadata", "json"),
    ])

    // Sessions and messages are read in one layout, so that one statement, and with it one moment, gives a session with
    // its messages.

    /// A session as a row.
    static let session = """
        id, message_count AS number, actor_name AS text, metadata, created_at, NULL::text AS role, \
        NULL::text AS tool_call_id, updated_at, input_tokens, output_tokens, estimated_cost
        """
    /// A message as a row.
    static let message = """
        id, sequence AS number, content AS text, metadata, created_at, role, tool_call_id, \
        NULL::timestamptz AS updated_at, NULL::bigint AS input_tokens, NULL::bigint AS output_tokens, \
        NULL::bigint AS estimated_cost
        """
}

/// Reads rows. What one holds is checked by the core.
extension PostgresResult {
    /// Whether a row is a message and not a session.
    func isMessage(_ row: Int) -> Bool { !isNull(row, 5) }

    /// The session in a row.
    ///
    /// - Throws: ``StoreError/Code/corrupt``, naming the row.
    func session(_ row: Int) throws(StoreError) -> Session {
        try Session(
            storedIn: PostgresBackend.name, id: ulid(row, 0), actorName: text(row, 2), messageCount: number(row, 1),
            inputTokens: number(row, 8), outputTokens: number(row, 9), estimatedCost: number(row, 10),
            metadata: metadata(row, 3), createdAt: time(row, 4), updatedAt: time(row, 7))
    }

    /// The message of `session` in a row.
    ///
    /// - Throws: ``StoreError/Code/corrupt``, naming the row.
    func message(_ row: Int, of session: ULID) throws(StoreError) -> SessionMessage {
        try SessionMessage(
            storedIn: PostgresBackend.name, sessionID: session, sequence: number(row, 1), id: ulid(row, 0),
            role: withBytes(row, 5) { MessageRole(stored: $0) }, content: text(row, 2),
            toolCallID: isNull(row, 6) ? .some(nil) : text(row, 6).map(Optional.some), metadata: metadata(row, 3),
            createdAt: time(row, 4))
    }

    /// The sessions in all rows.
    func sessions() throws(StoreError) -> [Session] {
        var sessions: [Session] = []
        sessions.reserveCapacity(count)
        for row in 0..<count { sessions.append(try session(row)) }
        return sessions
    }

    /// The messages of a session in all rows that hold one.
    func messages(of session: ULID) throws(StoreError) -> [SessionMessage] {
        var messages: [SessionMessage] = []
        messages.reserveCapacity(count)
        for row in 0..<count where isMessage(row) { messages.append(try message(row, of: session)) }
        return messages
    }

    private func ulid(_ row: Int, _ column: Int) -> ULID? {
        withBytes(row, column) { ULID(utf8: $0) }
    }

    private func metadata(_ row: Int, _ column: Int) -> JSONObject? {
        withBytes(row, column) { JSONObject(stored: $0) }
    }
}
#endif
