/// placeholder until written
public struct SessionExport: Sendable {}
extension PersistentSessionService {
    public func exportSession(_ id: ULID) -> SessionExport { SessionExport() }
    public func importSessions(_ source: DocumentSource, format: DocumentFormat, maximumSessions: Int) async throws(StoreError) -> ImportResult {
        throw StoreError(.unsupported, "")
    }
}
