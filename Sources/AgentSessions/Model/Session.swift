/// A conversation of an agent: who it belongs to, how many messages it has, what it has used.
///
/// Two sessions are equal where every field is, texts byte for byte.
public struct Session: Sendable, Identifiable {
    /// The session's key.
    public let id: ULID
    /// The agent or user, such as `local/orchestrator`: 1 to 255 bytes of UTF-8 without control characters.
    public var actorName: String
    /// The number of messages now in the session. The next message gets this number plus one.
    public var messageCount: Int
    /// What the session has used since it was created.
    public var usage: TokenUsage
    /// Whatever the application keeps with the session.
    public var metadata: JSONObject
    /// When the session was created.
    public let createdAt: Timestamp
    /// When the session, or a message of it, last changed. It grows strictly with every change.
    public var updatedAt: Timestamp

    /// The session's revision, by which a stale write is recognised: ``updatedAt``.
    public var revision: Timestamp { updatedAt }

    /// A session with these fields, as a backend reads it back.
    public init(
        id: ULID, actorName: String, messageCount: Int = 0, usage: TokenUsage = .zero,
        metadata: JSONObject = JSONObject(), createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.actorName = actorName
        self.messageCount = messageCount
        self.usage = usage
        self.metadata = metadata
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// The revision of the session's next change: the larger of `time` and one microsecond after the last change.
    ///
    /// - Throws: ``StoreError/Code/limitExceeded`` after the year 9999.
    public func nextRevision(at time: Timestamp) throws(StoreError) -> Timestamp {
        time > updatedAt ? time : try updatedAt.next()
    }
}

extension Session: Hashable {
    /// Whether every field is the same, texts byte for byte.
    public static func == (left: Session, right: Session) -> Bool {
        left.id == right.id && left.actorName.isIdentical(to: right.actorName)
            && left.messageCount == right.messageCount && left.usage == right.usage
            && left.metadata == right.metadata && left.createdAt == right.createdAt
            && left.updatedAt == right.updatedAt
    }

    /// Hashes what tells sessions apart: the id and the revision.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(id)
        hasher.combine(updatedAt)
    }
}

extension Session: Codable {
    /// The names of the fields in JSON, which are those of the columns.
    public enum CodingKeys: String, CodingKey {
        case id
        case actorName = "actor_name"
        case messageCount = "message_count"
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
        case estimatedCost = "estimated_cost"
        case metadata
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    /// Reads the nine fields.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            id: try fields.decode(ULID.self, forKey: .id),
            actorName: try fields.decode(String.self, forKey: .actorName),
            messageCount: try fields.decode(Int.self, forKey: .messageCount),
            usage: try TokenUsage(from: decoder),
            metadata: try fields.decode(JSONObject.self, forKey: .metadata),
            createdAt: try fields.decode(Timestamp.self, forKey: .createdAt),
            updatedAt: try fields.decode(Timestamp.self, forKey: .updatedAt))
    }

    /// Writes the nine fields.
    public func encode(to encoder: any Encoder) throws {
        try usage.encode(to: encoder)
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(id, forKey: .id)
        try fields.encode(actorName, forKey: .actorName)
        try fields.encode(messageCount, forKey: .messageCount)
        try fields.encode(metadata, forKey: .metadata)
        try fields.encode(createdAt, forKey: .createdAt)
        try fields.encode(updatedAt, forKey: .updatedAt)
    }
}
