// A stored row is checked here, whatever the engine: what a file or a server gives is checked like anything else from
// outside. An engine fetches the values, each `nil` where what is stored is not of its column's type, and says who it is.

extension Session {
    /// The session that the values of a stored row make.
    ///
    /// - Throws: ``StoreError/Code/corrupt``, naming the row and the column.
    package init(
        storedIn backend: String, id: ULID?, actorName: String?, messageCount: Int64?, inputTokens: Int64?,
        outputTokens: Int64?, estimatedCost: Int64?, metadata: JSONObject?, createdAt: Timestamp?, updatedAt: Timestamp?
    ) throws(StoreError) {
        func damaged(_ detail: String) -> StoreError { .damagedSession(id, detail, backend: backend) }
        func count<Number: FixedWidthInteger>(_ value: Int64?, _ column: String) throws(StoreError) -> Number {
            guard let number = value.flatMap(Number.init(exactly:)), number >= 0 else {
                throw damaged("its \(column) is negative or not an integer")
            }
            return number
        }
        guard let id else { throw damaged("its id is not a ULID") }
        guard let actorName else { throw damaged("its actor_name is not valid text") }
        guard let metadata else { throw damaged("its metadata is not a JSON object") }
        guard let createdAt else { throw damaged("its created_at is not a time in the years 1 to 9999") }
        guard let updatedAt else { throw damaged("its updated_at is not a time in the years 1 to 9999") }
        let usage = TokenUsage(
            inputTokens: try count(inputTokens, "input_tokens"), outputTokens: try count(outputTokens, "output_tokens"),
            estimatedCost: try count(estimatedCost, "estimated_cost"))
        self.init(
            id: id, actorName: actorName, messageCount: try count(messageCount, "message_count"), usage: usage,
            metadata: metadata, createdAt: createdAt, updatedAt: updatedAt)
    }
}

extension SessionMessage {
    /// The message that the values of a stored row make.
    ///
    /// - Parameter toolCallID: `.some(nil)` where there is none.
    /// - Throws: ``StoreError/Code/corrupt``, naming the row and the column.
    package init(
        storedIn backend: String, sessionID: ULID, sequence: Int64?, id: ULID?, role: MessageRole?, content: String?,
        toolCallID: String??, metadata: JSONObject?, createdAt: Timestamp?
    ) throws(StoreError) {
        func damaged(_ detail: String) -> StoreError {
            .damagedMessage(sequence ?? 0, of: sessionID, detail, backend: backend)
        }
        guard let sequence = sequence.flatMap(Int.init(exactly:)) else {
            throw damaged("its sequence is not an integer")
        }
        guard let id else { throw damaged("its id is not a ULID") }
        guard let role else { throw damaged("its role is not a valid role name") }
        guard let content else { throw damaged("its content is not valid text") }
        guard let toolCallID else { throw damaged("its tool_call_id is not valid text") }
        guard let metadata else { throw damaged("its metadata is not a JSON object") }
        guard let createdAt else { throw damaged("its created_at is not a time in the years 1 to 9999") }
        self.init(
            id: id, sessionID: sessionID, sequence: sequence, role: role, content: content, toolCallID: toolCallID,
            metadata: metadata, createdAt: createdAt)
    }
}

extension CopyRecord {
    /// The record that the values of a stored row make.
    ///
    /// - Throws: ``StoreError/Code/corrupt``, naming the session.
    package init(
        storedIn backend: String, of session: ULID, source: ULID?, revision: Timestamp?
    ) throws(StoreError) {
        guard let source, let revision else {
            throw .corrupt(
                "The record of the copy of session \(session)", "it names no store or no revision", backend: backend)
        }
        self.init(source: source, revision: revision)
    }
}

extension StoreError {
    /// The row of a session is not what a store writes.
    package static func damagedSession(_ id: ULID?, _ detail: String, backend: String) -> StoreError {
        .corrupt(id.map { "The row of session \($0)" } ?? "The row of a session", detail, backend: backend)
    }

    /// The row of a message is not what a store writes.
    package static func damagedMessage(
        _ sequence: some FixedWidthInteger, of session: ULID, _ detail: String, backend: String
    ) -> StoreError {
        .corrupt("Message \(sequence) of session \(session)", detail, backend: backend)
    }
}
