/// What a model is shown of a session: its instructions, and as many of its last turns as a budget allows.
///
/// The messages are those of one moment of the session, in order.
public struct ContextWindow: Sendable, Hashable {
    /// The session as it was when the window was read.
    public let session: Session
    /// The leading `system` and `developer` messages of the session, then whole turns up to its last message.
    public let messages: [SessionMessage]
    /// What the messages cost together, in the unit of the cost function.
    public let cost: Int

    /// How many messages of the session were left out.
    public var omittedCount: Int { session.messageCount - messages.count }

    /// A window.
    public init(session: Session, messages: [SessionMessage], cost: Int) {
        self.session = session
        self.messages = messages
        self.cost = cost
    }
}

/// What a message costs a model's window.
public enum MessageCost {
    /// Tokens by a rough estimate for English text: one for each four bytes of content, tool call id and tool calls, and
    /// four for the frame of a message.
    ///
    /// The figures are the rule of thumb that providers give for their own tokenizers ("a token is about four characters")
    /// and the overhead that their chat formats add to a message. Other languages and code take up to three times as
    /// many: pass the model's own tokenizer where the window is to be filled, or a lower budget.
    public static func estimate(_ message: SessionMessage) -> Int {
        var bytes = message.content.utf8.count + (message.toolCallID?.utf8.count ?? 0)
        if let calls = message.metadata[ToolCallKey.calls] {
            bytes += (try? JSONObject(members: [(ToolCallKey.calls, calls)]).utf8Count()) ?? 0
        }
        return frame + (bytes + bytesInToken - 1) / bytesInToken
    }

    private static let frame = 4
    private static let bytesInToken = 4
}

/// Where the metadata of an assistant's message has its tool calls: the keys of the chat format.
enum ToolCallKey {
    static let calls = "tool_calls"
    static let id = "id"
}

extension SessionMessage {
    /// The ids of the tool calls that the message makes; `nil` where it says nothing of calls.
    var toolCallIDs: [String]? {
        guard let calls = metadata[ToolCallKey.calls]?.arrayValue else { return nil }
        return calls.compactMap { $0[ToolCallKey.id]?.stringValue }
    }

    /// Whether it is an instruction that leads a session.
    var isInstruction: Bool { role == .system || role == .developer }
}
