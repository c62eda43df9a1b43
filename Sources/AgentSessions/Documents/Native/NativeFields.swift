/// Writes the records of a session as JSON, keys in canonical order.
///
/// The lossless and the canonical form differ in the metadata alone.
struct NativeFields {
    /// The text between the sequence and the tool call of every message of the session.
    private let sessionField: [UInt8]
    /// The text of the time that was written last: messages of a batch share theirs.
    private var lastTime: (time: Timestamp, text: [UInt8])?

    init(sessionID: ULID) {
        var field: [UInt8] = []
        field.append(json: #","session_id":"#)
        field.append(plain: sessionID)
        field.append(json: #","tool_call_id":"#)
        sessionField = field
    }

    /// Appends what comes before the metadata of a message.
    mutating func appendBeforeMetadata(_ message: SessionMessage, into bytes: inout [UInt8]) {
        bytes.append(json: #"{"content":"#)
        CanonicalJSON.appendString(message.content, into: &bytes)
        bytes.append(json: #","created_at":"#)
        append(message.createdAt, into: &bytes)
        bytes.append(json: #","id":"#)
        bytes.append(plain: message.id)
        bytes.append(json: #","metadata":"#)
    }

    /// Appends what comes after the metadata of a message.
    func appendAfterMetadata(_ message: SessionMessage, into bytes: inout [UInt8]) {
        bytes.append(json: #","role":"#)
        bytes.append(plain: message.role.name)
        bytes.append(json: #","sequence":"#)
        bytes.append(integer: message.sequence)
        bytes.append(contentsOf: sessionField)
        if let toolCallID = message.toolCallID {
            CanonicalJSON.appendString(toolCallID, into: &bytes)
        } else {
            bytes.append(json: "null")
        }
        bytes.append(ASCII.closeBrace)
    }

    private mutating func append(_ time: Timestamp, into bytes: inout [UInt8]) {
        if let lastTime, lastTime.time == time {
            bytes.append(contentsOf: lastTime.text)
        } else {
            let start = bytes.count
            bytes.append(plain: time)
            lastTime = (time, Array(bytes[start...]))
        }
    }

    /// Appends a message in canonical form.
    mutating func appendCanonical(_ message: SessionMessage, into bytes: inout [UInt8]) throws(StoreError) {
        appendBeforeMetadata(message, into: &bytes)
        do throws(JSONError) {
            try message.metadata.appendCanonical(into: &bytes)
        } catch {
            throw StoreError(invalidJSON: error, in: "the metadata")
        }
        appendAfterMetadata(message, into: &bytes)
    }

    /// A session in canonical form.
    static func canonical(_ session: Session) throws(JSONError) -> [UInt8] {
        var bytes: [UInt8] = []
        try append(session, into: &bytes) { (metadata, bytes) throws(JSONError) in
            try metadata.appendCanonical(into: &bytes)
        }
        return bytes
    }

    /// Appends a session; its metadata as `metadata` writes it.
    static func append(
        _ session: Session, into bytes: inout [UInt8],
        metadata: (JSONObject, inout [UInt8]) throws(JSONError) -> Void
    ) throws(JSONError) {
        bytes.append(json: #"{"actor_name":"#)
        CanonicalJSON.appendString(session.actorName, into: &bytes)
        bytes.append(json: #","created_at":"#)
        bytes.append(plain: session.createdAt)
        bytes.append(json: #","estimated_cost":"#)
        CanonicalJSON.appendInteger(session.usage.estimatedCost, into: &bytes)
        bytes.append(json: #","id":"#)
        bytes.append(plain: session.id)
        bytes.append(json: #","input_tokens":"#)
        CanonicalJSON.appendInteger(session.usage.inputTokens, into: &bytes)
        bytes.append(json: #","message_count":"#)
        bytes.append(integer: session.messageCount)
        bytes.append(json: #","metadata":"#)
        try metadata(session.metadata, &bytes)
        bytes.append(json: #","output_tokens":"#)
        CanonicalJSON.appendInteger(session.usage.outputTokens, into: &bytes)
        bytes.append(json: #","updated_at":"#)
        bytes.append(plain: session.updatedAt)
        bytes.append(ASCII.closeBrace)
    }
}
