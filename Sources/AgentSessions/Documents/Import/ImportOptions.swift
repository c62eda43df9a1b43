/// How to import.
public struct ImportOptions: Sendable {
    /// How many sessions the source may hold. A source with more is refused before anything is written.
    public var maximumSessions: Int
    /// Whether to check the documents as an import does, and store nothing.
    public var checksOnly: Bool
    /// Called from time to time, on any thread, with how much of the work is done, from 0 to 1.
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

/// What an import stored.
public struct ImportResult: Sendable, Hashable {
    /// The new ids, in the order of the documents; none if the documents were only checked.
    public let ids: [ULID]
    /// The number of messages in all.
    public let messages: Int

    /// What an import stored.
    public init(ids: [ULID], messages: Int) {
        self.ids = ids
        self.messages = messages
    }
}
