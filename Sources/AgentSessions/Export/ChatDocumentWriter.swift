/// Writes a session as a chat line.
struct ChatDocumentWriter: DocumentWriter {
    private let header: ChatLineHeader
    private var isAtFirst = true

    init(_ session: Session) {
        header = ChatLineHeader(session)
    }

    func begin(_ bytes: inout [UInt8]) throws(JSONError) {
        bytes.append(ASCII.openBrace)
        for (key, value) in header.members {
            CanonicalJSON.appendString(key, into: &bytes)
            bytes.append(ASCII.colon)
            try LosslessJSON.append(value, into: &bytes)
            bytes.append(ASCII.comma)
        }
        bytes.append(json: #""messages":["#)
    }

    mutating func append(_ messages: [SessionMessage], into bytes: inout [UInt8]) throws(JSONError) {
        for message in messages {
            if isAtFirst { isAtFirst = false } else { bytes.append(ASCII.comma) }
            try ChatMessageWriter.append(message, into: &bytes)
        }
    }

    func end(_ bytes: inout [UInt8]) throws(JSONError) {
        bytes.append(json: "]}\n")
    }
}
