/// Where a document to import comes from. It is read twice: once to check all of it, once to store it.
public enum DocumentSource: Sendable {
    /// A file.
    case file(path: String)
    /// Bytes in memory.
    case bytes([UInt8])
}

/// How sessions are written as JSON.
public enum DocumentFormat: String, Sendable, Hashable, CaseIterable {
    /// This package's own documents, a session each, with a checksum; an archive holds any number of them, a line
    /// each.
    case native
    /// Chat JSON lines, as model providers take them: an object with `messages` a line, and optionally `actor_name`,
    /// `metadata` and other keys.
    case openai
}

/// What an import stored.
public struct ImportResult: Sendable, Hashable {
    /// The new ids, in the order of the documents; none where the documents were only checked.
    public let ids: [ULID]
    /// The number of messages in all.
    public let messages: Int

    /// What an import stored.
    public init(ids: [ULID], messages: Int) {
        self.ids = ids
        self.messages = messages
    }
}

/// How to import.
public struct ImportOptions: Sendable {
    /// How many sessions the document may hold; more are refused before anything is written.
    public var maximumSessions: Int
    /// Whether to check the documents as for an import, and store nothing.
    public var checksOnly: Bool
    /// Told now and then how much of the work is done, from 0 to 1, on any thread.
    public var progress: (@Sendable (Double) -> Void)?

    /// How to import.
    public init(
        maximumSessions: Int = .max, checksOnly: Bool = false, progress: (@Sendable (Double) -> Void)? = nil
    ) {
        self.maximumSessions = maximumSessions
        self.checksOnly = checksOnly
        self.progress = progress
    }
}
