/// How sessions are written as JSON.
public enum DocumentFormat: String, Sendable, Hashable, CaseIterable {
    /// This package's own documents: one session with its checksum in each. An archive is any number of them, one on
    /// a line.
    case native
    /// Chat JSON lines, as model providers accept them: on each line an object with `messages`, and optionally
    /// `actor_name`, `metadata` and other keys.
    case openai
}
