/// How chat JSON lines become sessions and sessions become chat lines, so that an export equals the line that was
/// imported.
///
/// A line has `messages`, and optionally `actor_name`, `metadata` and other keys. The actor of a line without a name is
/// ``defaultActor``. The members of `metadata` become the session's metadata, and the other keys go beside them under
/// their own names. A message has `role`, `content` and `tool_call_id`; its other keys become its metadata. An array of
/// content parts is kept in the metadata as `content_parts`.
///
/// White space, the order of keys, an empty `metadata`, and `null` where a missing key means the same (`actor_name`,
/// `metadata`, `content`, `tool_call_id`) carry no information and leave no trace. Where the rules above would export
/// another line than was imported, the metadata has one more member, ``traceKey``, with what they cannot express:
/// - in a message's metadata, members of the line's message, verbatim: `content` where it was null without `tool_calls`,
///   or empty with them; `content_parts` where the message had a key of that name that would be read as its content; a
///   key that has the name of the trace;
/// - in a session's metadata, `keys`: the names of its members that stood beside `messages`; and `values`: members of
///   the line, verbatim: `actor_name` where it was the default one; a key that `metadata` has too, or that has the name
///   of the trace; and of `metadata` the member of that name.
///
/// A member of that name in the line itself stays where it is, as long as no trace is needed and it does not look like
/// one. A trace counts only where importing the line that it describes would leave the same trace.
///
/// Metadata that importing no line can leave, as it has members with the names of a message's fields, is written whole
/// as the message's `"chat_format":{"metadata":{…}}`, and read from there.
enum ChatFormat {
    static let defaultActor = "chat/import"
    static let traceKey = "chat_format"
    static let partsKey = "content_parts"
    static let toolCallsKey = "tool_calls"

    enum LineKey {
        static let messages = "messages"
        static let actorName = "actor_name"
        static let metadata = "metadata"

        static let all = [messages, actorName, metadata]
    }

    enum MessageKey {
        static let role = "role"
        static let content = "content"
        static let toolCallID = "tool_call_id"

        static let all = [role, content, toolCallID]
    }

    /// The text of an array of content parts: its texts, joined by newlines.
    static func text(of parts: [JSONValue]) -> String {
        parts.compactMap { part in
            if let text = part.stringValue { return text }
            switch part["type"] {
            case nil, "text", "input_text", "output_text": return part["text"]?.stringValue
            default: return nil
            }
        }.joined(separator: "\n")
    }
}
