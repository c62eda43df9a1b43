import AgentSessionsThreads

/// An import: two passes over a source. The first checks every document, the second stores them.
struct DocumentImport<Store: SessionStore>: Sendable {
    let service: PersistentSessionService<Store>
    let reading: any DocumentReading
    let options: ImportOptions

    func run(_ source: DocumentSource) async throws(StoreError) -> ImportResult {
        let (bytes, documents) = try await onOwnThread { (flag) throws(StoreError) in
            let bytes = try DocumentBytes(source, cancellation: flag)
            return (bytes, try check(bytes, cancellation: flag))
        }
        guard !options.checksOnly else {
            return ImportResult(ids: [], messages: documents.reduce(0) { $0 + $1.count })
        }
        return try await store(documents, of: bytes)
    }

    /// Checks every document, and returns where each is. An empty source holds none: it is what an empty store is
    /// exported to.
    private func check(_ bytes: DocumentBytes, cancellation: CancellationFlag) throws(StoreError) -> [CheckedDocument] {
        var walker = DocumentWalker(bytes)
        try requireUTF8(&walker, bytes)
        var documents: [CheckedDocument] = []
        while try walker.peek() != nil {
            try cancellation.check()
            let start = walker.offset
            guard documents.count < options.maximumSessions else {
                throw StoreError(
                    .invalidArgument,
                    "\(bytes.name) holds more than \(options.maximumSessions) sessions, which is all that may be "
                        + "imported from it. Nothing was stored.")
            }
            do throws(StoreError) {
                documents.append(try reading.check(&walker, cancellation: cancellation))
            } catch {
                throw error.located(location(documents.count, at: start, bytes), after: "Nothing was stored.")
            }
            options.progress?(0.5 * fraction(walker.offset, of: bytes.count))
        }
        return documents
    }

    private func requireUTF8(_ walker: inout DocumentWalker, _ bytes: DocumentBytes) throws(StoreError) {
        _ = try walker.peek()
        let start = walker.window.bytes.prefix(3)
        if start.elementsEqual([0xEF, 0xBB, 0xBF]) {
            throw StoreError(
                .invalidArgument,
                "\(bytes.name) begins with a byte order mark: save it as UTF-8 without one. "
                    + "Nothing was stored.")
        }
        if start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF]) {
            throw StoreError(
                .invalidArgument, "\(bytes.name) is not UTF-8 but UTF-16: save it as UTF-8. Nothing was stored.")
        }
    }

    private func location(_ index: Int, at start: Int, _ bytes: DocumentBytes) -> String {
        "Document \(index + 1) of \(bytes.name) (from byte \(start))"
    }

    func fraction(_ part: Int, of whole: Int) -> Double {
        whole > 0 ? min(1, Double(part) / Double(whole)) : 1
    }
}
