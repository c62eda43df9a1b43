/// Reads a session to restore in runs of bounded size, and checks what comes: the session's own messages, sequences
/// without a gap, as many as the session counts.
public struct RestoreBatches {
    /// Few enough to hold in memory, many enough that a batch costs little beside its messages.
    private static let batchBytes = 1 << 20
    private static let batchMessages = 500

    private let session: Session
    private var reader: any MessageReader
    private var sequence = 0
    private var isAtEnd = false

    /// The messages of `session` that `reader` gives.
    public init(of session: Session, from reader: any MessageReader) {
        self.session = session
        self.reader = reader
    }

    /// The next run of messages, or `nil` after the last.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where the messages are not those of the session; whatever the
    ///   reader throws.
    public mutating func next() throws(StoreError) -> [SessionMessage]? {
        var batch: [SessionMessage] = []
        var bytes = 0
        while !isAtEnd, batch.count < Self.batchMessages, bytes < Self.batchBytes {
            guard let message = try reader.next() else {
                isAtEnd = true
                break
            }
            sequence += 1
            guard message.sessionID == session.id, message.sequence == sequence, sequence <= session.messageCount else {
                throw StoreError(
                    .invalidArgument,
                    "Session \(session.id) with \(session.messageCount) messages cannot be stored: where sequence "
                        + "\(sequence) of it belongs, the source gives sequence \(message.sequence) of session "
                        + "\(message.sessionID).")
            }
            batch.append(message)
            bytes += message.payloadBytes
        }
        if isAtEnd, sequence != session.messageCount {
            throw StoreError(
                .invalidArgument,
                "Session \(session.id) counts \(session.messageCount) messages, but the source gives \(sequence).")
        }
        return batch.isEmpty ? nil : batch
    }
}
