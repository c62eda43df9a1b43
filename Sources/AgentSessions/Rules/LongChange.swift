import AgentSessionsThreads

/// The size from which a change takes long, so that no other change should share its transaction and wait for its end.
/// See ``TransactionalSessionStore/writeExclusively(_:)``.
enum LongChange {
    /// Messages that a change writes or removes: some ten milliseconds' worth.
    static let messages = 1000
    /// Bytes of messages that a change writes.
    static let bytes = 1 << 20
    /// Messages that an import or a copy has on their way to a store at one moment, beside a longer session that is
    /// there by itself. They wait for each other, and none may have to wait for so long that it is given up.
    static let messagesOnTheWay = 50_000
}

extension AppendRequest {
    /// Whether to write the batch takes long.
    var isLong: Bool {
        messages.count > LongChange.messages
            || messages.reduce(0) { $0 + $1.content.utf8.count } > LongChange.bytes
    }
}

// MARK: - What is read before a transaction

/// Messages that were read.
struct ReadMessages: MessageSource {
    let messages: [SessionMessage]
    var copiedFrom: ULID?

    var isReady: Bool { true }

    func makeReader() -> any MessageReader { Reader(rest: messages[...]) }

    private struct Reader: MessageReader {
        var rest: ArraySlice<SessionMessage>

        mutating func next() -> SessionMessage? { rest.popFirst() }
    }
}

extension MessageSource {
    /// Reads the messages of a session that is to be restored on a thread of their own, where that is not too much.
    ///
    /// - Parameter limit: Bytes of messages to read at the most.
    /// - Returns: The messages; the source itself where they are ready already, or too much.
    /// - Throws: What the source throws, and where its messages are not those of the session.
    func readAhead(of session: Session, atMost limit: Int) async throws(StoreError) -> any MessageSource {
        guard !isReady, session.messageCount <= LongChange.messages || limit == .max else { return self }
        let read = try await onOwnThread { (flag) throws(StoreError) -> ReadMessages? in
            try self.read(of: session, atMost: limit, cancellation: flag)
        }
        return read ?? self
    }

    /// Reads the messages of a session that is to be restored; `nil` where they have more bytes than that.
    func read(
        of session: Session, atMost limit: Int = .max, cancellation: CancellationFlag
    ) throws(StoreError) -> ReadMessages? {
        var batches = RestoreBatches(of: session, from: try makeReader())
        var messages: [SessionMessage] = []
        var bytes = 0
        while let batch = try batches.next() {
            try cancellation.check()
            bytes += batch.reduce(0) { $0 + $1.payloadBytes }
            guard bytes <= limit else { return nil }
            messages += batch
        }
        return ReadMessages(messages: messages, copiedFrom: copiedFrom)
    }
}
