/// Writes a session as a chat line.
struct ChatDocumentWriter: DocumentWriter {
    private let line: ChatLine
    private var isAtFirst = true

    init(_ session: Session) {
        line = ChatLine(session)
    }

    func begin(_ bytes: inout [UInt8]) throws(JSONError) {
        bytes.append(ASCII.openBrace)
        try line.append(into: &bytes)
        bytes.append(json: #""messages":["#)
    }

    mutating func append(_ messages: [SessionMessage], into bytes: inout [UInt8]) throws(JSONError) {
        for message in messages {
            if isAtFirst { isAtFirst = false } else { bytes.append(ASCII.comma) }
            try append(message, into: &bytes)
        }
    }

    func end(_ bytes: inout [UInt8]) throws(JSONError) {
        bytes.append(json: "]}\n")
    }

    private func append(_ message: SessionMessage, into bytes: inout [UInt8]) throws(JSONError) {
        bytes.append(json: #"{"role":"#)
        bytes.append(plain: message.role.name)
        bytes.append(json: #","content":"#)
        guard !message.metadata.isEmpty else {
            CanonicalJSON.appendString(message.content, into: &bytes)
            appendToolCall(message, into: &bytes)
            return bytes.append(ASCII.closeBrace)
        }
        let written = ChatMessage(message.content, metadata: message.metadata)
        switch written.content {
        case .null: bytes.append(json: "null")
        case .text(let text): CanonicalJSON.appendString(text, into: &bytes)
        case .parts(_, let parts): try LosslessJSON.append(parts, into: &bytes)
        }
        appendToolCall(message, into: &bytes)
        if written.others.isEmpty { return bytes.append(ASCII.closeBrace) }
        // The members, with a comma in place of their opening brace.
        let start = bytes.count
        try written.others.appendLossless(into: &bytes)
        bytes[start] = ASCII.comma
    }

    private func appendToolCall(_ message: SessionMessage, into bytes: inout [UInt8]) {
        guard let toolCallID = message.toolCallID else { return }
        bytes.append(json: #","tool_call_id":"#)
        CanonicalJSON.appendString(toolCallID, into: &bytes)
    }
}
