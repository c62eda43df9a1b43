/// Reads a session from its end to its beginning, page by page, as it was at one moment: that of the first page.
struct BackwardReader {
    /// The session at that moment.
    let session: Session
    /// Whether a rewind has taken what was read, so that what comes before it may be of another moment.
    private(set) var isOvertaken = false

    private let pageMessages: Int
    private let page: MessageStream.Page
    /// Read and not given yet.
    private var buffer: ArraySlice<SessionMessage>
    /// The first of the messages that were read.
    private var earliest: SessionMessage?
    private var revision: Timestamp

    init(_ last: MessagePage, pageMessages: Int, page: @escaping MessageStream.Page) {
        session = last.session
        revision = last.session.revision
        self.pageMessages = pageMessages
        self.page = page
        buffer = last.messages[...]
        earliest = last.messages.first
    }

    /// The message before the one that was given last; `nil` after the one of sequence `first`, and where a rewind came in
    /// between.
    mutating func next(downTo first: Int) async throws(StoreError) -> SessionMessage? {
        if buffer.isEmpty, let earliest, earliest.sequence > first {
            let read = try await page(.before(earliest.sequence), pageMessages)
            guard try await isOfOneMoment(read.session.revision) else { return nil }
            buffer = read.messages[...]
            self.earliest = read.messages.first
        }
        guard let message = buffer.last, message.sequence >= first else { return nil }
        buffer.removeLast()
        return message
    }

    /// The first messages after a sequence; `nil` where a rewind came in between.
    mutating func leading(after sequence: Int, _ limit: Int) async throws(StoreError) -> ArraySlice<SessionMessage>? {
        if let earliest, earliest.sequence <= sequence + 1 {
            return buffer.drop { $0.sequence <= sequence }.prefix(limit)
        }
        let read = try await page(.after(sequence), limit)
        return try await isOfOneMoment(read.session.revision) ? read.messages[...] : nil
    }

    /// Whether what was read at another revision belongs to what was read before. It does where the earliest message is
    /// still there with its time: a rewind behind it would have replaced it, and appends change nothing before it.
    private mutating func isOfOneMoment(_ revision: Timestamp) async throws(StoreError) -> Bool {
        guard revision != self.revision, let earliest else { return true }
        let anchor = try await page(.after(earliest.sequence - 1), 1).messages.first
        isOvertaken = anchor?.id != earliest.id || anchor?.createdAt != earliest.createdAt
        self.revision = revision
        return !isOvertaken
    }
}
