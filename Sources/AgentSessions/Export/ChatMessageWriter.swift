/// Writes messages as chat lines have them.
enum ChatMessageWriter {
    static func append(_ message: SessionMessage, into bytes: inout [UInt8]) throws(JSONError) {
        bytes.append(json: #"{"role":"#)
        bytes.append(plain: message.role.name)
        if message.metadata.isEmpty {
            bytes.append(json: #","content":"#)
            CanonicalJSON.appendString(message.content, into: &bytes)
            appendToolCall(message, into: &bytes)
            bytes.append(ASCII.closeBrace)
        } else {
            try appendFields(message, into: &bytes)
        }
    }

    private static func appendToolCall(_ message: SessionMessage, into bytes: inout [UInt8]) {
        guard let toolCallID = message.toolCallID else { return }
        bytes.append(json: #","tool_call_id":"#)
        CanonicalJSON.appendString(toolCallID, into: &bytes)
    }

    private static func appendFields(_ message: SessionMessage, into bytes: inout [UInt8]) throws(JSONError) {
        var rest = message.metadata
        let marker = ChatMessageMarker(message)
        if marker != nil { rest[ChatFormat.markerKey] = nil }

        if marker?.isContentAbsent != true {
            bytes.append(json: #","content":"#)
            let parts = rest[ChatFormat.partsKey]
            if let value = marker?.values[ChatFormat.MessageKey.content] {
                try LosslessJSON.append(value, into: &bytes)
            } else if let parts, ChatFormat.parts(parts, make: message.content) {
                rest[ChatFormat.partsKey] = nil
                try LosslessJSON.append(parts, into: &bytes)
            } else if message.content.isEmpty, rest[ChatFormat.toolCallsKey] != nil {
                bytes.append(json: "null")
            } else {
                CanonicalJSON.appendString(message.content, into: &bytes)
            }
        }
        appendToolCall(message, into: &bytes)

        if rest.keys.contains(where: ChatMessageMarker.isHidden) {
            // A marker that an import did not put there is hidden too, as the line has room for one.
            let isInTheWay = { (key: String) in ChatMessageMarker.isHidden(key) || key == ChatFormat.markerKey }
            let hidden = rest.filter { isInTheWay($0.key) }.map { ($0.key, $0.value) }
            for (key, _) in hidden { rest[key] = nil }
            rest[ChatFormat.markerKey] = ChatFormat.marker((ChatFormat.MarkerKey.metadata, ChatFormat.object(hidden)))
        }
        for (key, value) in marker?.values ?? JSONObject() where key != ChatFormat.MessageKey.content {
            rest[key] = value
        }
        try appendMembers(of: rest, into: &bytes)
        bytes.append(ASCII.closeBrace)
    }

    /// Appends the members of an object, each after a comma.
    static func appendMembers(of object: JSONObject, into bytes: inout [UInt8]) throws(JSONError) {
        guard !object.isEmpty else { return }
        let start = bytes.count
        try object.appendLossless(into: &bytes)
        bytes[start] = ASCII.comma
        bytes.removeLast()
    }
}
