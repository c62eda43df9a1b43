/// How chat JSON lines and sessions are made of each other, so that what came in goes out again.
///
/// A line has `messages`, and optionally `actor_name`, `metadata` and other keys. The actor of a line without a name is
/// ``defaultActor``. The members of `metadata` become the session's metadata, and the other keys go beside them under
/// their own names. A message has `role`, `content` and `tool_call_id`; its other keys become its metadata. An array of
/// content parts is kept there as `content_parts`.
///
/// What carries no information leaves no trace: white space, the order of keys, `null` where nothing would mean the same
/// (`actor_name`, `metadata`, `content`, `tool_call_id`), a `metadata` without members. Where the rules above would write
/// another line than came in, the metadata has one more member, ``traceKey``, with what they cannot say:
/// - in a message's metadata, members of the line's message as they were: `content` where it was null without
///   `tool_calls` or empty beside them; `content_parts` where the message had a key of that name that would be taken for
///   its content; a key that has the name of the trace;
/// - in a session's metadata, `keys`, which of its members stood beside `messages`, and `values`, members of the line as
///   they were: `actor_name` where it was the default one; a key that `metadata` has too, or that has the name of the
///   trace; of `metadata` the member of that name.
///
/// A member of that name which the line has itself stays where it is, as long as nothing has to be told and it does not
/// look like a trace. A trace is one only where reading the line that it tells of would leave it.
///
/// The metadata of a message that no line can have left, as it has members named as a field of a message is, is written
/// whole as the message's `"chat_format":{"metadata":{…}}`, and read from there.
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
