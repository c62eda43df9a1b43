/// A session as a document, in chunks of bytes that are made on demand.
///
/// The document shows the session at one moment, however long the reading takes and whatever is appended meanwhile. If
/// the session is rewound meanwhile, the reading ends with ``StoreError/Code/conflict``, and its chunks are worthless.
/// Each reading makes a document of its own.
public struct SessionExport: AsyncSequence, Sendable {
    /// A chunk of the document.
    public typealias Element = [UInt8]
    /// The error that a reading may end with.
    public typealias Failure = StoreError

    private let pages: SessionPages
    private let format: DocumentFormat
    private let now: @Sendable () -> Timestamp

    init(
        of id: ULID, format: DocumentFormat, now: @escaping @Sendable () -> Timestamp,
        page: @escaping SessionPages.Page
    ) {
        pages = SessionPages(of: id, page: page)
        self.format = format
        self.now = now
    }

    /// Begins a reading.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(pages: pages, format: format, now: now)
    }

    /// One reading of the document.
    public struct AsyncIterator: AsyncIteratorProtocol {
        /// The bytes of a message beside its content and metadata.
        private static let messageBytes = 320

        private var pages: SessionPages
        private let format: DocumentFormat
        private let now: @Sendable () -> Timestamp
        private var writer: (any DocumentWriter)?
        private var isAtEnd = false

        fileprivate init(pages: SessionPages, format: DocumentFormat, now: @escaping @Sendable () -> Timestamp) {
            self.pages = pages
            self.format = format
            self.now = now
        }

        /// The next bytes of the document, or `nil` after the last.
        ///
        /// - Throws: ``StoreError/Code/notFound`` where there is no such session; ``StoreError/Code/conflict`` where it
        ///   was rewound since the first bytes.
        public mutating func next() async throws(StoreError) -> [UInt8]? {
            if isAtEnd { return nil }
            do throws(StoreError) {
                return try await chunk()
            } catch {
                isAtEnd = true
                throw error
            }
        }

        private mutating func chunk() async throws(StoreError) -> [UInt8] {
            let messages = try await pages.next()
            var bytes: [UInt8] = []
            do throws(JSONError) {
                if writer == nil, let session = pages.session {
                    var made: any DocumentWriter =
                        switch format {
                        case .native: NativeDocumentWriter(session, exportedAt: now())
                        case .openai: ChatDocumentWriter(session)
                        }
                    try made.begin(&bytes)
                    writer = made
                }
                if let messages {
                    let payload = messages.reduce(0) { $0 + $1.payloadBytes + Self.messageBytes }
                    bytes.reserveCapacity(bytes.count + payload + payload / 16)
                    try writer?.append(messages, into: &bytes)
                } else {
                    isAtEnd = true
                    try writer?.end(&bytes)
                }
            } catch {
                throw .corrupt("Session \(pages.session?.id.description ?? "")", error.description, cause: error)
            }
            return bytes
        }
    }
}

@available(*, unavailable)
extension SessionExport.AsyncIterator: Sendable {}
