/// The fields of a message that a chat line gives.
struct ChatMessage {
    let role: MessageRole
    let content: String
    let toolCallID: String?
    let metadata: JSONObject

    /// How the content of a line's message is written.
    private enum Content {
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

    /// Reads a message.
    ///
    /// - Parameter place: Where its JSON begins in the document.
    init(_ bytes: UnsafeBufferPointer<UInt8>, at place: Int, limits: StoreLimits) throws(StoreError) {
        var role: MessageRole?
        var content: Content?
        var toolCallID: String??
        var others = RawObject()
        var ownNames = Names()
        var reader = try FieldReader(bytes, at: place)
        try reader.objectStart()
        while let key = try reader.key() {
            switch key {
            case ChatFormat.MessageKey.role: try fill(&role, key, try MessageRole(try reader.string()))
            case ChatFormat.MessageKey.content: try fill(&content, key, try Self.content(&reader, limits))
            case ChatFormat.MessageKey.toolCallID:
                try fill(&toolCallID, key, try reader.null() ? nil : try reader.string())
            default:
                ownNames.insert(key)
                others.append(key, try reader.raw())
            }
        }
        try reader.finish()
        self.role = try require(role, ChatFormat.MessageKey.role, of: "it")
        self.content = content?.text ?? ""
        self.toolCallID = toolCallID ?? nil
        try limits.check(content: self.content)
        try limits.check(toolCallID: self.toolCallID)

        var metadata = try others.object(limits.metadata, at: place)
        var values: [(String, JSONValue)] = []
        if let parts = metadata[ifNamed: ChatFormat.partsKey, ownNames.hasParts],
            content?.parts != nil || ChatFormat.parts(parts, make: self.content)
        {
            values.append((ChatFormat.partsKey, parts))
            metadata[ChatFormat.partsKey] = nil
        }
        if let marker = metadata[ifNamed: ChatFormat.markerKey, ownNames.hasMarker] {
            metadata[ChatFormat.markerKey] = nil
            if let hidden = ChatMessageMarker.hiddenMetadata(marker) {
                for (key, value) in hidden { metadata[key] = value }
            } else {
                values.append((ChatFormat.markerKey, marker))
            }
        }
        if let parts = content?.parts { metadata[ChatFormat.partsKey] = parts }
        switch content {
        case .null? where !ownNames.hasToolCalls: values.append((ChatFormat.MessageKey.content, .null))
        case .text("")? where ownNames.hasToolCalls: values.append((ChatFormat.MessageKey.content, ""))
        default: break
        }
        if case .some(nil) = toolCallID { values.append((ChatFormat.MessageKey.toolCallID, .null)) }
        let marker = ChatFormat.marker(
            (ChatFormat.MarkerKey.absent, content == nil ? [.string(ChatFormat.MessageKey.content)] : nil),
            (ChatFormat.MarkerKey.values, ChatFormat.object(values)))
        if let marker { metadata[ChatFormat.markerKey] = marker }
        self.metadata = try limits.check(metadata: metadata)
    }

    private static func content(_ reader: inout FieldReader, _ limits: StoreLimits) throws(StoreError) -> Content {
        switch try reader.shape() {
        case .null:
            _ = try reader.null()
            return .null
        case .string:
            return .text(try reader.string())
        case .array:
            let parts = try reader.value()
            guard let elements = parts.arrayValue else { return .null }
            return .parts(text: ChatFormat.text(of: elements), parts)
        default:
            throw StoreError(.invalidArgument, "its content is neither a text nor null nor an array of parts.")
        }
    }
}

/// Which names that call for care a message has among its other keys.
private struct Names {
    var hasParts = false
    var hasMarker = false
    var hasToolCalls = false

    mutating func insert(_ key: String) {
        switch key {
        case ChatFormat.partsKey: hasParts = true
        case ChatFormat.markerKey: hasMarker = true
        case ChatFormat.toolCallsKey: hasToolCalls = true
        default: break
        }
    }
}

extension JSONObject {
    fileprivate subscript(ifNamed key: String, isNamed: Bool) -> JSONValue? { isNamed ? self[key] : nil }
}

/// What the marker in a message's metadata says, where it is one that an import has put there.
struct ChatMessageMarker {
    private(set) var isContentAbsent = false
    private(set) var values = JSONObject()

    init?(_ message: SessionMessage) {
        guard let marker = message.metadata[ChatFormat.markerKey]?.objectValue, !marker.isEmpty else { return nil }
        for (key, value) in marker {
            switch key {
            case ChatFormat.MarkerKey.absent:
                guard value == [.string(ChatFormat.MessageKey.content)], message.content.isEmpty else { return nil }
                isContentAbsent = true
            case ChatFormat.MarkerKey.values:
                guard let object = value.objectValue, !object.isEmpty else { return nil }
                values = object
            default:
                return nil
            }
        }
        for (key, value) in values {
            guard isSound(key, value, of: message) else { return nil }
        }
    }

    private func isSound(_ key: String, _ value: JSONValue, of message: SessionMessage) -> Bool {
        switch key {
        case ChatFormat.MessageKey.content:
            !isContentAbsent && message.content.isEmpty && (value == .null || value == "")
        case ChatFormat.MessageKey.toolCallID: value == .null && message.toolCallID == nil
        case ChatFormat.partsKey:
            // The line's own key goes where the metadata has nothing, or what is written as the content.
            message.metadata[key].map { ChatFormat.parts($0, make: message.content) } ?? true
        case ChatFormat.markerKey: !message.metadata.keys.contains(where: Self.isHidden)
        default: false
        }
    }

    /// The names that members of a message's metadata cannot have in a chat line.
    static func isHidden(_ key: String) -> Bool {
        switch key {
        case ChatFormat.MessageKey.role, ChatFormat.MessageKey.content, ChatFormat.MessageKey.toolCallID: true
        default: false
        }
    }

    /// Members that were hidden from a line's message by ``ChatMessageWriter``, or `nil` where `value` is something
    /// else.
    static func hiddenMetadata(_ value: JSONValue) -> JSONObject? {
        guard let object = value.objectValue, object.count == 1,
            let hidden = object[ChatFormat.MarkerKey.metadata]?.objectValue
        else { return nil }
        let keys = hidden.keys
        guard keys.contains(where: isHidden), keys.allSatisfy({ isHidden($0) || $0 == ChatFormat.markerKey }),
            !looksLikeMarker(hidden[ChatFormat.markerKey])
        else { return nil }
        return hidden
    }

    private static func looksLikeMarker(_ value: JSONValue?) -> Bool {
        guard let object = value?.objectValue else { return false }
        return object.keys.allSatisfy { $0 == ChatFormat.MarkerKey.absent || $0 == ChatFormat.MarkerKey.values }
    }
}
