import AgentSessionsThreads

/// A digest by which the second pass over a source knows that it sees what the first one checked. It is keyed anew in
/// each process, so nobody can aim at it.
struct DocumentDigest {
    private var hasher = Hasher()

    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
        hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        hasher.combine(bytes.count)
    }

    func value() -> Int { hasher.finalize() }
}

/// A document that the first pass found good: where it is, and what the second pass must find there.
struct CheckedDocument: Sendable {
    /// Where the document begins.
    let start: Int
    /// Where its array of messages begins and ends, brackets included.
    let messages: Range<Int>
    /// The number of messages.
    let count: Int
    /// The digest of everything but the messages.
    let header: Int
    /// The digest of the messages.
    let body: Int
}

/// A document of some format, as the import reads it.
protocol DocumentReading: Sendable {
    var limits: StoreLimits { get }

    /// Checks the document that comes next, all of it.
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
    ///   - place: Where that begins in the source.
    ///   - id: The message's new id.
    ///   - session: The session, as ``session(of:_:id:time:)`` gave it.
    ///   - sequence: The message's place in the session.
    func message(
        _ bytes: UnsafeBufferPointer<UInt8>, at place: Int, id: ULID, session: Session, sequence: Int
    ) throws(StoreError) -> SessionMessage
}
