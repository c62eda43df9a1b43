/// The native document: one line of JSON with these keys, in this order when it is written, in any order when it is
/// read.
///
/// The checksum is the SHA-256 of the canonical JSON of the document without `checksum` and `exported_at`. In canonical
/// JSON `messages` is first, so that the checksum can be made and checked as the messages go by:
/// `{"messages":[…],"schema_version":1,"session":{…},"writer":"…"}`. Numbers that are the same to RFC 8785 (1 and 1.0,
/// 0 and -0.0) are the same to the checksum.
enum NativeDocument {
    /// The version that this build writes and reads.
    static let schemaVersion: Int64 = 1

    enum Key: String {
        case schemaVersion = "schema_version"
        case writer
        case exportedAt = "exported_at"
        case session
        case messages
        case checksum

        static let all = "schema_version, writer, exported_at, session, messages and checksum"
    }
}
