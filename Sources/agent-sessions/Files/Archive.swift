import AgentSessions

/// Writes sessions as documents, one a line.
struct Archive {
    private static let pageSessions = 200

    let store: any SessionService
    let format: DocumentFormat

    /// Writes one session.
    func write(_ id: ULID, to output: ByteOutput) async throws(StoreError) {
        var document = store.exportSession(id, format: format).makeAsyncIterator()
        var last: UInt8?
        while let bytes = try await document.next() {
            try output.write(bytes)
            last = bytes.last ?? last
        }
        if last != UInt8(ascii: "\n") { try output.write(CollectionOfOne(UInt8(ascii: "\n"))) }
    }

    /// Writes every session, newest first, and says how many there were. A session that is deleted meanwhile is left
    /// out.
    func writeAll(to output: ByteOutput, progress: (Int) -> Void) async throws(StoreError) -> Int {
        let limit = store.capabilities.limits.page(Self.pageSessions)
        var count = 0
        var cursor: SessionCursor?
        repeat {
            let page = try await store.list(limit: limit, after: cursor)
            for session in page.sessions {
                do throws(StoreError) {
                    try await write(session.id, to: output)
                    count += 1
                } catch {
                    guard error.code == .notFound else { throw error }
                }
                progress(count)
            }
            cursor = page.next
        } while cursor != nil
        return count
    }
}
