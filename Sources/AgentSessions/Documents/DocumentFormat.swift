/// How sessions are written as JSON.
public enum DocumentFormat: String, Sendable, Hashable, CaseIterable {
    /// This package's own documents, a session each, with a checksum; an archive holds any number of them, a line
    /// each.
    case native
    /// Chat JSON lines, as model providers take them: an object with `messages` a line, and optionally `actor_name`,
    /// `metadata` and other keys.
    case openai
}
