#if SQLite
internal import AgentSessions

/// Reads a row of `sessions`: the columns in the order of the table. What a file holds is checked like anything else
/// from outside.
enum SessionRow {
    static func read(_ row: SQLiteStatement) throws(StoreError) -> Session {
        guard let id = row.ulid(0) else { throw damaged(nil, "its id is not a ULID") }
        guard let actorName = row.text(1) else { throw damaged(id, "its actor_name is not text in UTF-8") }
        guard let count = row.integer(2).flatMap(Int.init(exactly:)), count >= 0 else {
            throw damaged(id, "its message_count is no count")
        }
        guard let inputTokens = row.integer(3), let outputTokens = row.integer(4), let estimatedCost = row.integer(5),
            inputTokens >= 0, outputTokens >= 0, estimatedCost >= 0
        else { throw damaged(id, "a total of its usage is no count") }
        let usage = TokenUsage(inputTokens: inputTokens, outputTokens: outputTokens, estimatedCost: estimatedCost)
        guard let metadata = row.metadata(6) else { throw damaged(id, "its metadata is not a JSON object") }
        guard let createdAt = row.timestamp(7), let updatedAt = row.timestamp(8) else {
            throw damaged(id, "a time of it is outside the years 1 to 9999")
        }
        return Session(
            id: id, actorName: actorName, messageCount: count, usage: usage, metadata: metadata,
            createdAt: createdAt, updatedAt: updatedAt)
    }

    static func damaged(_ id: ULID?, _ detail: String) -> StoreError {
        .corrupt("The row of session \(id?.description ?? "?")", detail, backend: SQLiteBackend.name)
    }
}

/// Reads a row of `session_messages`: the columns in the order of the table, without the session's.
enum MessageRow {
    static func read(_ row: SQLiteStatement, of session: ULID) throws(StoreError) -> SessionMessage {
        guard let sequence = row.integer(1).flatMap(Int.init(exactly:)) else {
            throw damaged(session, 0, "its sequence is not an integer")
        }
        guard let id = row.ulid(0) else { throw damaged(session, sequence, "its id is not a ULID") }
        guard let role = row.role(2) else { throw damaged(session, sequence, "its role is not one") }
        guard let content = row.text(3) else { throw damaged(session, sequence, "its content is not text in UTF-8") }
        let toolCallID = row.text(4)
        guard toolCallID != nil || row.isNull(4) else {
            throw damaged(session, sequence, "its tool_call_id is not text in UTF-8")
        }
        guard let metadata = row.metadata(5) else {
            throw damaged(session, sequence, "its metadata is not a JSON object")
        }
        guard let createdAt = row.timestamp(6) else {
            throw damaged(session, sequence, "its time is outside the years 1 to 9999")
        }
        return SessionMessage(
            id: id, sessionID: session, sequence: sequence, role: role, content: content, toolCallID: toolCallID,
            metadata: metadata, createdAt: createdAt)
    }

    private static func damaged(_ session: ULID, _ sequence: Int, _ detail: String) -> StoreError {
        .corrupt("Message \(sequence) of session \(session)", detail, backend: SQLiteBackend.name)
    }
}

extension SQLiteStatement {
    fileprivate func ulid(_ column: Int32) -> ULID? {
        withText(column) { ULID(utf8: $0) }
    }

    fileprivate func role(_ column: Int32) -> MessageRole? {
        withText(column) { MessageRole(stored: $0) }
    }

    fileprivate func metadata(_ column: Int32) -> JSONObject? {
        withText(column) { JSONObject(stored: $0) }
    }
}
#endif
