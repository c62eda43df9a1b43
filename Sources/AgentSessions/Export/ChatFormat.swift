/// How chat JSON lines and sessions are made of each other, so that what came in goes out again.
///
/// A line has `messages`, and optionally `actor_name`, `metadata` and other keys. The actor of a line without a name is
/// ``defaultActor``. The members of `metadata` become the session's metadata, and the other keys go beside them under
/// their own names. A message has `role`, `content` and `tool_call_id`; its other keys become its metadata. An array of
/// content parts is kept there as `content_parts`.
///
/// That alone leaves little to guess on the way out, and where it does, the metadata gets one more member,
/// ``markerKey``, that says what came in. In a session's metadata it has
/// - `keys`: which members stood beside `messages`;
/// - `values`: what stood beside `messages` and cannot stand in the metadata under its own name, because `metadata` has
///   that name too; also `actor_name` where it was null or the default one, and `metadata` where it was null, empty, or
///   had a member of the marker's name.
///
/// In a message's metadata it has
/// - `absent`: `["content"]` where there was no `content`;
/// - `values`: `content` where it was null without `tool_calls` or empty beside them; `tool_call_id` where it was null;
///   `content_parts` where the message had a key of that name that would be taken for its content; and a key of the
///   marker's name.
///
/// On the way out, members of a message's metadata that are named as a field of the message is (`role`, `content`,
/// `tool_call_id`), which no line has put there, are written as `"chat_format":{"metadata":{…}}` and read from there.
enum ChatFormat {
    static let defaultActor = "chat/import"
    static let markerKey = "chat_format"
    static let partsKey = "content_parts"
    static let toolCallsKey = "tool_calls"

    enum LineKey {
        static let messages = "messages"
        static let actorName = "actor_name"
        static let metadata = "metadata"
    }

    enum MessageKey {
        static let role = "role"
        static let content = "content"
        static let toolCallID = "tool_call_id"
    }

    enum MarkerKey {
        static let keys = "keys"
        static let values = "values"
        static let absent = "absent"
        static let metadata = "metadata"
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

    /// Whether `metadata` holds an array of parts that `content` was made of.
    static func parts(_ value: JSONValue?, make content: String) -> Bool {
        guard let parts = value?.arrayValue else { return false }
        return text(of: parts).isIdentical(to: content)
    }

    /// The marker of these parts, or `nil` where there is nothing to say.
    static func marker(_ parts: (String, JSONValue?)...) -> JSONValue? {
        let members = parts.compactMap { key, value in value.map { (key, $0) } }
        return members.isEmpty ? nil : .object(JSONObject(members: members))
    }

    static func object(_ members: [(String, JSONValue)]) -> JSONValue? {
        members.isEmpty ? nil : .object(JSONObject(members: members))
    }
}
