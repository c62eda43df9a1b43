#if Postgres
internal import AgentSessions

/// The columns in which rows are read. Sessions and messages share one layout, so that one statement, and with it one
/// moment, gives a session with its messages.
enum RowLayout {
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

/// Reads rows. What a database holds is checked like anything else from outside.
extension PostgresResult {
    /// Whether a row is a message and not a session.
    func isMessage(_ row: Int) -> Bool { !isNull(row, 5) }

    /// The session in a row.
    ///
    /// - Throws: ``StoreError/Code/corrupt``, naming the row.
    func session(_ row: Int) throws(StoreError) -> Session {
        guard let id = ulid(row, 0) else { throw .damagedSession(nil, "its id is not a ULID") }
        guard let count = number(row, 1).flatMap({ Int(exactly: $0) }), count >= 0 else {
            throw .damagedSession(id, "its message_count is negative")
        }
        guard let actorName = text(row, 2) else { throw .damagedSession(id, "its actor_name is not text") }
        guard let metadata = metadata(row, 3) else {
            throw .damagedSession(id, "its metadata is not a JSON object")
        }
        guard let createdAt = time(row, 4), let updatedAt = time(row, 7) else {
            throw .damagedSession(id, "a time of it is outside the years 1 to 9999")
        }
        guard let input = number(row, 8), let output = number(row, 9), let cost = number(row, 10),
            input >= 0, output >= 0, cost >= 0
        else { throw .damagedSession(id, "a total of its usage is negative") }
        return Session(
            id: id, actorName: actorName, messageCount: count,
            usage: TokenUsage(inputTokens: input, outputTokens: output, estimatedCost: cost), metadata: metadata,
            createdAt: createdAt, updatedAt: updatedAt)
    }

    /// The message of `session` in a row.
    ///
    /// - Throws: ``StoreError/Code/corrupt``, naming the row.
    func message(_ row: Int, of session: ULID) throws(StoreError) -> SessionMessage {
        guard let sequence = number(row, 1).flatMap({ Int(exactly: $0) }) else {
            throw .damagedMessage(0, of: session, "its sequence is out of range")
        }
        guard let id = ulid(row, 0) else { throw .damagedMessage(sequence, of: session, "its id is not a ULID") }
        guard let content = text(row, 2) else {
            throw .damagedMessage(sequence, of: session, "its content is not text that this package wrote")
        }
        guard let metadata = metadata(row, 3) else {
            throw .damagedMessage(sequence, of: session, "its metadata is not a JSON object")
        }
        guard let createdAt = time(row, 4) else {
            throw .damagedMessage(sequence, of: session, "its time is outside the years 1 to 9999")
        }
        guard let role = withBytes(row, 5, { MessageRole(stored: $0) }) else {
            throw .damagedMessage(sequence, of: session, "its role is not one")
        }
        let toolCallID = text(row, 6)
        guard toolCallID != nil || isNull(row, 6) else {
            throw .damagedMessage(sequence, of: session, "its tool_call_id is not text that this package wrote")
        }
        return SessionMessage(
            id: id, sessionID: session, sequence: sequence, role: role, content: content, toolCallID: toolCallID,
            metadata: metadata, createdAt: createdAt)
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

extension StoreError {
    static func damagedSession(_ id: ULID?, _ detail: String) -> StoreError {
        .corrupt("The row of session \(id?.description ?? "?")", detail, backend: PostgresBackend.name)
    }

    static func damagedMessage(_ sequence: Int, of session: ULID, _ detail: String) -> StoreError {
        .corrupt("Message \(sequence) of session \(session)", detail, backend: PostgresBackend.name)
    }
}
#endif
