import AgentSessionsThreads

/// Reads documents of one format for an import.
protocol DocumentReading: Sendable {
    var limits: StoreLimits { get }

    /// Checks all of the next document.
    func check(_ walker: inout DocumentWalker, cancellation: CancellationFlag) throws(StoreError) -> CheckedDocument

    /// Reads the session of a checked document again.
    ///
    /// - Parameters:
    ///   - id: The session's new id.
    ///   - time: The time of the import.
    func session(
        of document: CheckedDocument, _ walker: inout DocumentWalker, id: ULID, time: Timestamp
    ) throws(StoreError) -> Session

    /// Reads a message.
    ///
    /// - Parameters:
    ///   - bytes: Its JSON.
    ///   - offset: Where that begins in the source.
    ///   - id: The message's new id.
    ///   - session: The session, as ``session(of:_:id:time:)`` gave it.
    ///   - sequence: The message's sequence in the session.
    func message(
        _ bytes: UnsafeBufferPointer<UInt8>, at offset: Int, id: ULID, session: Session, sequence: Int
    ) throws(StoreError) -> SessionMessage
}
