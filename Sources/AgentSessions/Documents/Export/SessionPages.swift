/// Reads a session page by page as it was at one moment, without a transaction for all of it.
///
/// The moment is that of the first page, if that reaches the session's last message. Otherwise the session is read with
/// its last message, the anchor, and the moment is that of this read. A session only grows, except for a rewind, and a message
/// that is appended after a rewind has a later time than the one that it replaces. So if the anchor is still there when
/// the pages reach it, everything before it is as it was at that moment, whatever was appended after it.
struct SessionPages {
    typealias Page = MessageStream.Page

    private let id: ULID
    private let page: Page
    private var anchor: SessionMessage?
    /// The session at the moment that is shown; known after the first page.
    private(set) var session: Session?
    private var sequence = 0

    init(of id: ULID, page: @escaping Page) {
        self.id = id
        self.page = page
    }

    /// The next messages, or `nil` after the last. The first call returns a page even of an empty session.
    ///
    /// - Throws: ``StoreError/Code/conflict`` where the session was rewound meanwhile.
    mutating func next() async throws(StoreError) -> [SessionMessage]? {
        guard let session else { return try await first() }
        guard sequence < session.messageCount else { return nil }
        return try await rest(of: session)
    }

    private mutating func first() async throws(StoreError) -> [SessionMessage] {
        let start = try await page(.after(0), MessageStream.pageMessages)
        if start.messages.count == start.session.messageCount {
            session = start.session
            sequence = start.messages.count
            return start.messages
        }
        let end = try await page(.last, 1)
        session = end.session
        anchor = end.messages.last
        if end.session.messageCount == 0 { return [] }
        guard end.session.revision == start.session.revision else { return try await rest(of: end.session) }
        sequence = start.messages.count
        return start.messages
    }

    private mutating func rest(of session: Session) async throws(StoreError) -> [SessionMessage] {
        let limit = min(MessageStream.pageMessages, session.messageCount - sequence)
        let messages = try await page(.after(sequence), limit).messages
        guard let last = messages.last else { throw wasRewound() }
        sequence = last.sequence
        if sequence == session.messageCount, last.id != anchor?.id || last.createdAt != anchor?.createdAt {
            throw wasRewound()
        }
        return messages
    }

    private func wasRewound() -> StoreError {
        StoreError(
            .conflict,
            "Session \(id) was rewound while it was exported, so the output shows no state that it was in. Discard "
                + "the output and export again.")
    }
}
