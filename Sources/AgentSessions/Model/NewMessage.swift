/// A message that an application wants to append.
public struct NewMessage: Sendable {
    /// The message's key, where the application chooses it: appending the same key again gives back the message that
    /// was stored the first time. `nil` lets the service make one.
    public var id: ULID?
    /// Who speaks.
    public var role: MessageRole
    /// The text: any Swift string, up to the store's limit of bytes of UTF-8.
    public var content: String
    /// In a tool's result, the call that it answers: up to 255 bytes of UTF-8.
    public var toolCallID: String?
    /// Whatever else the provider sent.
    public var metadata: JSONObject

    /// A message to append.
    public init(
        _ role: MessageRole, _ content: String, toolCallID: String? = nil, metadata: JSONObject = JSONObject(),
        id: ULID? = nil
    ) {
        self.id = id
        self.role = role
        self.content = content
        self.toolCallID = toolCallID
        self.metadata = metadata
    }
}

/// A message on its way into a store: checked, and with its key.
public struct PendingMessage: Sendable {
    /// The message's key within its session.
    public let id: ULID
    /// Who speaks.
    public let role: MessageRole
    /// The text.
    public let content: String
    /// In a tool's result, the call that it answers.
    public let toolCallID: String?
    /// Whatever else the provider sent.
    public let metadata: JSONObject

    /// A message with these fields.
    public init(
        id: ULID, role: MessageRole, content: String, toolCallID: String? = nil, metadata: JSONObject = JSONObject()
    ) {
        self.id = id
        self.role = role
        self.content = content
        self.toolCallID = toolCallID
        self.metadata = metadata
    }

    /// The message at its place in `session`.
    package func stored(in session: ULID, sequence: Int, at time: Timestamp) -> SessionMessage {
        SessionMessage(
            id: id, sessionID: session, sequence: sequence, role: role, content: content, toolCallID: toolCallID,
            metadata: metadata, createdAt: time)
    }
}
