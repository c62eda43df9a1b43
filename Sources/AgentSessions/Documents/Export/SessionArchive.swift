/// Writes sessions as documents, one after another, while the store is in use. Native documents, one on a line, are
/// together an archive that any store imports.
///
/// ```swift
/// let result = try await SessionArchive(of: service).writeAll(to: &file)
/// ```
///
/// Each document shows its session at one moment. A session that is rewound while it is read is begun again, a bounded
/// number of times, and a session that is deleted while it is read is left out. For that, a document is kept in memory
/// until it is complete. The beginning of one that is too long is taken back from the sink. If the sink cannot do that,
/// writing ends with an error, so that an archive that was written without an error is complete.
public struct SessionArchive: Sendable {
    /// What was written.
    public struct Result: Sendable, Hashable {
        /// Sessions that were written.
        public internal(set) var sessions = 0
        /// Sessions that were listed, and deleted before they were written.
        public internal(set) var deleted = 0
    }

    private static let pageSessions = 200
    /// How often a session is begun that is rewound each time.
    private static let attempts = 10

    private let service: any SessionService
    private let format: DocumentFormat
    private let bufferBytes: Int

    /// An archive of the sessions of `service`.
    ///
    /// - Parameters:
    ///   - service: The sessions.
    ///   - format: How they are written.
    ///   - bufferBytes: The most bytes of a document that are kept in memory until it is complete. A longer document is
    ///     written as it is read.
    public init(of service: any SessionService, format: DocumentFormat = .native, bufferBytes: Int = 4 << 20) {
        self.service = service
        self.format = format
        self.bufferBytes = bufferBytes
    }

    /// Writes every session, newest first. Sessions that are created meanwhile are left to the next archive.
    ///
    /// - Parameters:
    ///   - sink: Where the documents go.
    ///   - progress: Called after each session with what was written so far.
    /// - Throws: What ``write(_:to:)`` throws, except for sessions that were deleted; the error of the store if it cannot
    ///   be read. The sink ends with a complete document then, unless the error says otherwise or is the sink's own.
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
                    "Session \(id) was rewound during each of \(attempt) attempts to export it. Export it again "
                        + "when it is rewound less often.", cause: error)
            }
            attempt += 1
        }
    }

    /// Writes the session's document.
    ///
    /// - Returns: The error, if the session could not be read to its end; nothing is left of its document then.
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
                if written > 0, try await !sink.takeBack(written) { throw Self.truncated(id, by: error) }
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

    private static func truncated(_ id: ULID, by error: StoreError) -> StoreError {
        let what =
            switch error.code {
            case .notFound: "Session \(id) was deleted while it was exported."
            case .conflict: "Session \(id) was rewound while it was exported."
            default: error.message
            }
        return StoreError(
            error.code == .notFound ? .conflict : error.code,
            "\(what) The output ends in the middle of its document, which was too long to be kept in memory, and "
                + "cannot be taken back. Discard the output and export again, best to a file, which can be cut off.",
            backend: error.backend, nativeCode: error.nativeCode, cause: error)
    }
}
