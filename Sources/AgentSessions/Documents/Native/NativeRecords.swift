/// Reads the records of native documents, with every check that a record allows by itself.
enum NativeRecords {
    /// Reads a session.
    ///
    /// - Parameter offset: Where its JSON begins in the document.
    static func session(
        _ bytes: UnsafeBufferPointer<UInt8>, at offset: Int, limits: StoreLimits
    ) throws(StoreError) -> Session {
        var reader = try FieldReader(bytes, at: offset)
        var id: ULID?
        var actorName: String?
        var messageCount: Int64?
        var inputTokens: Int64?
        var outputTokens: Int64?
        var estimatedCost: Int64?
        var metadata: JSONObject?
        var createdAt: Timestamp?
        var updatedAt: Timestamp?
        try reader.objectStart()
        while let key = try reader.key() {
            switch Session.CodingKeys(rawValue: key) {
            case .id: try fill(&id, key, try reader.ulid(key))
            case .actorName: try fill(&actorName, key, try reader.string())
            case .messageCount: try fill(&messageCount, key, try reader.count(key))
            case .inputTokens: try fill(&inputTokens, key, try reader.count(key))
            case .outputTokens: try fill(&outputTokens, key, try reader.count(key))
            case .estimatedCost: try fill(&estimatedCost, key, try reader.count(key))
            case .metadata: try fill(&metadata, key, try reader.object(limits: limits.metadata))
            case .createdAt: try fill(&createdAt, key, try reader.timestamp(key))
            case .updatedAt: try fill(&updatedAt, key, try reader.timestamp(key))
            case nil: throw .unknownKey(key, in: what, allowed: allowed)
            }
        }
        try reader.finish()
        let session = Session(
            id: try require(id, "id", of: what), actorName: try require(actorName, "actor_name", of: what),
            messageCount: Int(try require(messageCount, "message_count", of: what)),
            usage: TokenUsage(
                inputTokens: try require(inputTokens, "input_tokens", of: what),
                outputTokens: try require(outputTokens, "output_tokens", of: what),
                estimatedCost: try require(estimatedCost, "estimated_cost", of: what)),
            metadata: try require(metadata, "metadata", of: what),
            createdAt: try require(createdAt, "created_at", of: what),
            updatedAt: try require(updatedAt, "updated_at", of: what))
        try limits.check(actorName: session.actorName)
        guard session.createdAt <= session.updatedAt else {
            throw StoreError(
                .invalidArgument,
                "the session was updated at \(session.updatedAt), before it was created at \(session.createdAt).")
        }
        return session
    }

    private static let what = "the session"
    private static let allowed =
        "id, actor_name, message_count, input_tokens, output_tokens, estimated_cost, metadata, created_at and "
        + "updated_at"

    /// Reads a message.
    ///
    /// - Parameter offset: Where its JSON begins in the document.
    static func message(
        _ bytes: UnsafeBufferPointer<UInt8>, at offset: Int, limits: StoreLimits
    ) throws(StoreError) -> SessionMessage {
        var reader = try FieldReader(bytes, at: offset)
        var id: ULID?
        var sessionID: ULID?
        var sequence: Int64?
        var role: MessageRole?
        var content: String?
        var toolCallID: String??
        var metadata: JSONObject?
        var createdAt: Timestamp?
        try reader.objectStart()
        while let key = try reader.key() {
            switch SessionMessage.CodingKeys(rawValue: key) {
            case .id: try fill(&id, key, try reader.ulid(key))
            case .sessionID: try fill(&sessionID, key, try reader.ulid(key))
            case .sequence: try fill(&sequence, key, try reader.count(key))
            case .role: try fill(&role, key, try MessageRole(try reader.string()))
            case .content: try fill(&content, key, try reader.string())
            case .toolCallID: try fill(&toolCallID, key, try reader.null() ? nil : try reader.string())
            case .metadata: try fill(&metadata, key, try reader.object(limits: limits.metadata))
            case .createdAt: try fill(&createdAt, key, try reader.timestamp(key))
            case nil:
                throw .unknownKey(
                    key, in: "it",
                    allowed: "id, session_id, sequence, role, content, tool_call_id, metadata and created_at")
            }
        }
        try reader.finish()
        let message = SessionMessage(
            id: try require(id, "id", of: "it"), sessionID: try require(sessionID, "session_id", of: "it"),
            sequence: Int(try require(sequence, "sequence", of: "it")), role: try require(role, "role", of: "it"),
            content: try require(content, "content", of: "it"),
            toolCallID: try require(toolCallID, "tool_call_id", of: "it"),
            metadata: try require(metadata, "metadata", of: "it"),
            createdAt: try require(createdAt, "created_at", of: "it"))
        try limits.check(content: message.content)
        try limits.check(toolCallID: message.toolCallID)
        return message
    }
}
