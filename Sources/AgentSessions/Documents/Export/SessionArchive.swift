/// Writes sessions as documents, one after another, while others use the store. Native documents are a line each, and
/// together an archive that any store imports.
///
/// ```swift
/// let result = try await SessionArchive(of: service).writeAll(to: &file)
/// ```
///
/// Each document shows its session at one moment. A session that is rewound while it is read is begun again, a bounded
/// number of times, and one that is deleted while it is read is left out. For that, a document is kept in memory until
/// it is complete, or, where it is too long, its beginning is taken back from the sink. Where the sink cannot do that,
/// the writing ends with an error, so that what was written without one is whole.
public struct SessionArchive: Sendable {
    /// What was written.
    public struct Result: Sendable, Hashable {
        /// Sessions that were written.
        public internal(set) var sessions = 0
        /// Sessions that were listed, and deleted before they were written.
        public internal(set) var deleted = 0
    }

    private static let pageSessions = 200
    /// How often a session is begun that is rewound each time while it is read.
    private static let attempts = 10

    private let service: any SessionService
    private let format: DocumentFormat
    private let bufferBytes: Int

    /// An archive of what `service` holds.
    ///
    /// - Parameters:
    ///   - service: The sessions.
    ///   - format: How they are written.
    ///   - bufferBytes: Bytes of a document that are kept in memory until it is complete. A document that is longer is
    ///     written as it is read.
    public init(of service: any SessionService, format: DocumentFormat = .native, bufferBytes: Int = 4 << 20) {
        self.service = service
        self.format = format
        self.bufferBytes = bufferBytes
    }

    /// Writes every session, newest first. Sessions that are created meanwhile are for the next archive.
    ///
    /// - Parameters:
    ///   - sink: Where the documents go.
    ///   - progress: Told after each session what was written so far.
    /// - Throws: What ``write(_:to:)`` throws, except for sessions that were deleted; what keeps the store from being
    ///   read. The sink ends with a whole document then, unless the error says otherwise or is the sink's own.
    public func writeAll(
        to sink: inout some DocumentSink, progress: (Result) -> Void = { _ in }
    ) async throws(StoreError) -> Result {
        let limit = service.capabilities.limits.page(Self.pageSessions)
        var result = Result()
        var cursor: SessionCursor?
        repeat {
            let page = try await service.list(limit: limit, after: cursor)
            for session in page.sessions {
                do throws(StoreError) {
                    try await write(session.id, to: &sink)
                    result.sessions += 1
                } catch {
                    guard error.code == .notFound else { throw error }
                    result.deleted += 1
                }
                progress(result)
            }
            cursor = page.next
        } while cursor != nil
        return result
    }

    /// Writes one session.
    ///
    /// - Throws: ``StoreError/Code/notFound`` where there is no such session; ``StoreError/Code/conflict`` where it was
    ///   rewound each time while it was read, or was rewound or deleted when the beginning of its document could not be
    ///   taken back; what the sink throws.
    public func write(_ id: ULID, to sink: inout some DocumentSink) async throws(StoreError) {
        var attempt = 1
        while let error = try await failureOfWriting(id, to: &sink) {
            guard error.code == .conflict else { throw error }
            guard attempt < Self.attempts else {
                throw StoreError(
                    .conflict,
                    "Session \(id) was rewound each of the \(attempt) times that it was begun to be exported. Export "
                        + "it again when it is rewound less often.", cause: error)
            }
            attempt += 1
        }
    }

    /// Writes the session's document.
    ///
    /// - Returns: What kept the session from being read to its end; nothing is left of its document then.
    private func failureOfWriting(
        _ id: ULID, to sink: inout some DocumentSink
    ) async throws(StoreError) -> StoreError? {
        var document = service.exportSession(id, format: format).makeAsyncIterator()
        var kept: [UInt8] = []
        var written = 0
        while true {
            let chunk: [UInt8]?
            do throws(StoreError) {
                chunk = try await document.next()
            } catch {
                if written > 0, try await !sink.takeBack(written) { throw Self.brokenOff(id, by: error) }
                return error
            }
            guard let chunk else { break }
            kept += chunk
            if kept.count > bufferBytes {
                try await sink.write(kept)
                written += kept.count
                kept = []
            }
        }
        if !kept.isEmpty { try await sink.write(kept) }
        return nil
    }

    private static func brokenOff(_ id: ULID, by error: StoreError) -> StoreError {
        let what =
            switch error.code {
            case .notFound: "Session \(id) was deleted while it was exported."
            case .conflict: "Session \(id) was rewound while it was exported."
            default: error.message
            }
        return StoreError(
            error.code == .notFound ? .conflict : error.code,
            "\(what) What was written breaks off in the middle of its document, which was too long to be kept in "
                + "memory, and cannot be taken back. Throw away what was written, and export again: best to a file, which can "
                + "take it back.",
            backend: error.backend, nativeCode: error.nativeCode, cause: error)
    }
}
