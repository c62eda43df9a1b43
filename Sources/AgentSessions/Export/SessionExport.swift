/// placeholder until written
public struct SessionExport: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    public typealias Failure = StoreError
    public struct AsyncIterator: AsyncIteratorProtocol {
        public mutating func next() async throws(StoreError) -> [UInt8]? { nil }
    }
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
}
extension PersistentSessionService {
    public func exportSession(_ id: ULID, format: DocumentFormat) -> SessionExport { SessionExport() }
    public func importSessions(
        _ source: DocumentSource, format: DocumentFormat, options: ImportOptions
    ) async throws(StoreError) -> ImportResult {
        throw StoreError(.unsupported, "")
    }
}
