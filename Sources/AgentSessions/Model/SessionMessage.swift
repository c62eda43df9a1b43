/// A message of a session, as it is stored.
///
/// Two messages are equal where every field is, texts byte for byte.
public struct SessionMessage: Sendable, Identifiable {
    /// The message's key within its session.
    public let id: ULID
    /// The session.
    public let sessionID: ULID
    /// The place in the session: 1, 2, 3 … with no gap.
    public let sequence: Int
    /// Who speaks.
    public let role: MessageRole
    /// The text, any Swift string.
    public let content: String
    /// In a tool's result, the call that it answers.
    public let toolCallID: String?
    /// Whatever else the provider sent: tool calls, names, finish reasons.
    public let metadata: JSONObject
    /// The revision of the session that this message made.
    public let createdAt: Timestamp

    /// A message with these fields, as a backend reads it back.
    public init(
        id: ULID, sessionID: ULID, sequence: Int, role: MessageRole, content: String, toolCallID: String? = nil,
        metadata: JSONObject = JSONObject(), createdAt: Timestamp
    ) {
        self.id = id
        self.sessionID = sessionID
        self.sequence = sequence
        self.role = role
        self.content = content
        self.toolCallID = toolCallID
        self.metadata = metadata
        self.createdAt = createdAt
    }

    /// Whether this is the message that `pending` asked to store: what the sender chose is the same.
    func holds(_ pending: PendingMessage) -> Bool {
        id == pending.id && role == pending.role && content.isIdentical(to: pending.content)
            && isIdentical(toolCallID, pending.toolCallID) && metadata == pending.metadata
    }
}

extension SessionMessage: Hashable {
    /// Whether every field is the same, texts byte for byte.
    public static func == (left: SessionMessage, right: SessionMessage) -> Bool {
        left.id == right.id && left.sessionID == right.sessionID && left.sequence == right.sequence
            && left.role == right.role && left.content.isIdentical(to: right.content)
            && isIdentical(left.toolCallID, right.toolCallID) && left.metadata == right.metadata
            && left.createdAt == right.createdAt
    }

    /// Hashes what tells messages apart: the id, the session and the place.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(id)
        hasher.combine(sessionID)
        hasher.combine(sequence)
    }
}

private func isIdentical(_ left: String?, _ right: String?) -> Bool {
    switch (left, right) {
    case (nil, nil): true
    case (let left?, let right?): left.isIdentical(to: right)
    default: false
    }
}

extension SessionMessage: Codable {
    /// The names of the fields in JSON, which are those of the columns.
    public enum CodingKeys: String, CodingKey {
        case id
        case sessionID = "session_id"
        case sequence
        case role
        case content
        case toolCallID = "tool_call_id"
        case metadata
        case createdAt = "created_at"
    }
}
