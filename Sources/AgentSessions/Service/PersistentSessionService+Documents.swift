// Export and import.
extension PersistentSessionService {
    /// A session with all its messages as a document.
    public func exportSession(_ id: ULID, format: DocumentFormat) -> SessionExport {
        SessionExport(of: id, format: format, now: clock.now) { (range, limit) throws(StoreError) in
            try await streamPage(of: id, range, limit: limit)
        }
    }

    /// Stores every session of a document, each whole or not at all, under fresh ids.
    public func importSessions(
        _ source: DocumentSource, format: DocumentFormat, options: ImportOptions
    ) async throws(StoreError) -> ImportResult {
        guard !Task.isCancelled else { throw .cancelledBeforeStart }
        let reading: any DocumentReading =
            switch format {
            case .native: NativeDocumentReader(limits: limits)
            case .openai: ChatDocumentReader(limits: limits)
            }
        return try await DocumentImport(service: self, reading: reading, options: options).run(source)
    }

    /// Stores a session with its messages; the error where it could not.
    func restore(_ session: Session, _ messages: any MessageSource) async -> StoreError? {
        do throws(StoreError) {
            try await caller.restore(session, messages: messages, in: store)
            return nil
        } catch {
            return error
        }
    }
}
