/// A message of a chat line, without its role and tool call id.
struct ChatMessage {
    /// How the content is written.
    enum Content {
        /// It is missing, or null.
        case null
        case text(String)
        case parts(text: String, JSONValue)

        var text: String {
            switch self {
            case .null: ""
            case .text(let text), .parts(let text, _): text
            }
        }

        var parts: JSONValue? {
            guard case .parts(_, let parts) = self else { return nil }
            return parts
        }
    }

    var content: Content
    /// The keys that are not fields of a message.
    var others: JSONObject

    // MARK: In

    /// The metadata of the stored message, which holds everything that the line's message has.
    var metadata: JSONObject {
        let keys = others.keys
        if keys == [ChatFormat.traceKey], let whole { return whole }
        var (metadata, trace) = (others, JSONObject(sortedMembers: []))
        switch content {
        case .null where !keys.contains(ChatFormat.toolCallsKey): trace[ChatFormat.MessageKey.content] = .null
        case .text("") where keys.contains(ChatFormat.toolCallsKey): trace[ChatFormat.MessageKey.content] = ""
        default: break
        }
        if keys.contains(ChatFormat.partsKey), let own = others[ChatFormat.partsKey],
            content.parts != nil || Self.parts(own, make: content.text)
        {
            trace[ChatFormat.partsKey] = own
            metadata[ChatFormat.partsKey] = nil
        }
        if let parts = content.parts { metadata[ChatFormat.partsKey] = parts }
        if keys.contains(ChatFormat.traceKey), let own = others[ChatFormat.traceKey],
            !trace.isEmpty || Self(content.text, tracedIn: metadata) != nil
        {
            trace[ChatFormat.traceKey] = own
        }
        if !trace.isEmpty { metadata[ChatFormat.traceKey] = .object(trace) }
        return metadata
    }

    /// The metadata of a stored message that importing no line can leave; `nil` where ``others`` holds something else.
    private var whole: JSONObject? {
        guard case .text(let text) = content, others.keys == [ChatFormat.traceKey],
            let whole = others[ChatFormat.traceKey]?[ChatFormat.LineKey.metadata]?.objectValue,
            Self(text, metadata: whole).others == others
        else { return nil }
        return whole
    }

    // MARK: Out

    /// The message of a line for a stored one.
    init(_ content: String, metadata: JSONObject) {
        let keys = metadata.keys
        if keys.contains(ChatFormat.traceKey), let traced = Self(content, tracedIn: metadata) {
            self = traced
            return
        }
        self.init(content, plainly: metadata, keys)
        // Otherwise a field would be duplicated, or the line would be read as another message.
        guard whole != nil || keys.contains(where: ChatFormat.MessageKey.all.contains) else { return }
        self.content = .text(content)
        others = [ChatFormat.traceKey: [ChatFormat.LineKey.metadata: .object(metadata)]]
    }

    init(content: Content, others: JSONObject) {
        self.content = content
        self.others = others
    }

    private init(_ content: String, plainly metadata: JSONObject, _ keys: [String]) {
        self.init(content: .text(content), others: metadata)
        if keys.contains(ChatFormat.partsKey), let parts = metadata[ChatFormat.partsKey],
            Self.parts(parts, make: content)
        {
            self.content = .parts(text: content, parts)
            others[ChatFormat.partsKey] = nil
        } else if content.isEmpty, keys.contains(ChatFormat.toolCallsKey) {
            self.content = .null
        }
    }

    /// The line's message that a stored one was imported from. `nil` without a trace, and where importing that message
    /// would leave another trace.
    private init?(_ content: String, tracedIn metadata: JSONObject) {
        guard let trace = metadata[ChatFormat.traceKey]?.objectValue, !trace.isEmpty else { return nil }
        var rest = metadata
        rest[ChatFormat.traceKey] = nil
        self.init(content, plainly: rest, rest.keys)
        for (key, value) in trace {
            switch key {
            case ChatFormat.MessageKey.content: self.content = value.stringValue.map { .text($0) } ?? .null
            case ChatFormat.partsKey, ChatFormat.traceKey: others[key] = value
            default: return nil
            }
        }
        guard self.content.text.isIdentical(to: content),
            !others.keys.contains(where: ChatFormat.MessageKey.all.contains),
            self.metadata == metadata
        else { return nil }
    }

    /// Whether `value` is an array of parts that `text` was made of.
    private static func parts(_ value: JSONValue, make text: String) -> Bool {
        value.arrayValue.map { ChatFormat.text(of: $0).isIdentical(to: text) } ?? false
    }
}
