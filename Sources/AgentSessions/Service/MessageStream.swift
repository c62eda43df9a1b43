/// The messages of a session, read page by page as they are asked for.
///
/// The stream ends with the last message that the session has when the stream gets there, and holds one page at a
/// time. Messages that are appended meanwhile come in their place. Where the session is rewound behind the stream's
/// back, so that what it gave is no longer what the session holds, it throws ``StoreError/Code/conflict``.
public struct MessageStream: AsyncSequence, Sendable {
    public typealias Element = SessionMessage
    public typealias Failure = StoreError

    /// Pages of this size hold few enough messages for constant memory and enough to make the calls cheap.
    static let pageMessages = 200
    static let pageBytes = 1 << 20

    package typealias Page = @Sendable (MessageRange, _ limit: Int) async throws(StoreError) -> MessagePage

    private let after: Int
    private let page: Page

    package init(after sequence: Int, page: @escaping Page) {
        after = sequence
        self.page = page
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(after: after, page: page)
    }

    /// One reading of the stream.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let page: Page
        private var sequence: Int
        private var buffer: ArraySlice<SessionMessage> = []
        private var last: SessionMessage?
        private var revision: Timestamp?
        private var isAtEnd = false

        fileprivate init(after sequence: Int, page: @escaping Page) {
            self.sequence = sequence
            self.page = page
        }

        public mutating func next() async throws(StoreError) -> SessionMessage? {
            if buffer.isEmpty, !isAtEnd {
                // An end, and an error too, is final: a loop that asks again gets nothing.
                isAtEnd = true
                try await fill()
                isAtEnd = buffer.isEmpty
            }
            guard let message = buffer.popFirst() else { return nil }
            sequence = message.sequence
            last = message
            return message
        }

        private mutating func fill() async throws(StoreError) {
            let next = try await page(.after(sequence), MessageStream.pageMessages)
            if let last, next.session.revision != revision {
                // Appends change the revision and nothing before them; a rewind replaces what it removed, and a
                // message appended in that place has a later time.
                let anchor = try await page(.after(last.sequence - 1), 1).messages.first
                guard anchor?.id == last.id, anchor?.createdAt == last.createdAt else {
                    throw StoreError(
                        .conflict,
                        "Session \(last.sessionID) was rewound to before sequence \(last.sequence) while its messages "
                            + "were read. Begin again.")
                }
            }
            revision = next.session.revision
            buffer = next.messages[...]
        }
    }
}

@available(*, unavailable)
extension MessageStream.AsyncIterator: Sendable {}
