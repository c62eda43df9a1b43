/// The largest values that a store takes. A store declares them; an application may lower them.
public struct StoreLimits: Sendable, Hashable, Codable {
    /// Bytes of UTF-8 in the content of a message.
    public var contentBytes: Int
    /// Bytes of JSON in the metadata of a session or a message.
    public var metadataBytes: Int
    /// Objects and arrays inside each other in metadata, the outermost object included.
    public var metadataDepth: Int
    /// Bytes of UTF-8 in a tool call id.
    public var toolCallIDBytes: Int
    /// Bytes of UTF-8 in an actor name.
    public var actorNameBytes: Int
    /// Messages in one append.
    public var batchMessages: Int
    /// Sessions or messages in one page.
    public var pageItems: Int

    /// The limits of the contract: 16 MiB of content, 1 MiB of metadata in 64 levels, 255 bytes of names and ids,
    /// 10,000 messages a batch and 10,000 items a page.
    public static let standard = StoreLimits()

    /// Limits; what is not named is as in ``standard``.
    public init(
        contentBytes: Int = 16 << 20, metadataBytes: Int = 1 << 20, metadataDepth: Int = 64,
        toolCallIDBytes: Int = 255, actorNameBytes: Int = 255, batchMessages: Int = 10_000, pageItems: Int = 10_000
    ) {
        self.contentBytes = contentBytes
        self.metadataBytes = metadataBytes
        self.metadataDepth = metadataDepth
        self.toolCallIDBytes = toolCallIDBytes
        self.actorNameBytes = actorNameBytes
        self.batchMessages = batchMessages
        self.pageItems = pageItems
    }

    /// The smaller of both, limit by limit: an application lowers limits and never raises them.
    public func lowered(to other: StoreLimits) -> StoreLimits {
        StoreLimits(
            contentBytes: min(contentBytes, other.contentBytes),
            metadataBytes: min(metadataBytes, other.metadataBytes),
            metadataDepth: min(metadataDepth, other.metadataDepth),
            toolCallIDBytes: min(toolCallIDBytes, other.toolCallIDBytes),
            actorNameBytes: min(actorNameBytes, other.actorNameBytes),
            batchMessages: min(batchMessages, other.batchMessages),
            pageItems: min(pageItems, other.pageItems))
    }
}
