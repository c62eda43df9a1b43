extension MessagePage {
    /// Checks that a page is what the session says that it should be, so that a lost row is an error and never a
    /// shorter answer.
    ///
    /// - Throws: ``StoreError/Code/corrupt`` where a message is missing, is not the session's, or comes after the
    ///   last that the session counts.
    func check(against request: MessageRequest) throws(StoreError) {
        let expected = request.range.sequences(limit: request.limit, last: session.messageCount)
        var sequence = messages.first?.sequence ?? 0
        // By index, as the loop over elements copies each message with its texts.
        for index in messages.indices {
            guard messages[index].sequence == sequence, messages[index].sessionID == session.id,
                expected.contains(sequence)
            else {
                throw .corrupt(
                    "Session \(session.id)",
                    "message \(messages[index].id) stands as sequence \(messages[index].sequence) where \(sequence) "
                        + "belongs")
            }
            sequence += 1
        }
        // A page may end early at its byte limit, but only at its open end, and never empty.
        let meetsFixedEnd =
            request.range.isFromTheBack
            ? messages.last?.sequence == expected.last : messages.first?.sequence == expected.first
        let isWhole = messages.count == expected.count || (!messages.isEmpty && endsAtByteLimit(of: request))
        guard meetsFixedEnd, isWhole else {
            throw .corrupt(
                "Session \(session.id)",
                "it counts \(session.messageCount) messages, but of sequences "
                    + "\(expected.first ?? 0) to \(expected.last ?? 0) only \(messages.count) are there")
        }
    }

    private func endsAtByteLimit(of request: MessageRequest) -> Bool {
        guard request.byteLimit != .max else { return false }
        return messages.reduce(0) { $0 + $1.payloadBytes } >= request.byteLimit
    }
}

extension SessionMessage {
    /// What the message counts for in ``MessageRequest/byteLimit``: bytes of content and metadata.
    public var payloadBytes: Int { content.utf8.count + metadata.payloadBytes }
}

extension PendingMessage {
    /// What the message will count for once it is stored: bytes of content and metadata.
    package var payloadBytes: Int { content.utf8.count + metadata.payloadBytes }
}

extension MessageRange {
    /// Whether the run ends at a fixed message, and a limit cuts its beginning off.
    @inlinable public var isFromTheBack: Bool {
        if case .after = self { false } else { true }
    }

    /// The sequences that a run takes from a session whose last sequence is `last`; none where `limit` or `last` is
    /// not positive.
    public func sequences(limit: Int, last: Int) -> Range<Int> {
        // A damaged count must not overflow on the way to the error that names it.
        let last = Swift.min(last, .max - 1)
        guard limit > 0 else { return 0..<0 }
        switch self {
        case .after(let sequence):
            guard sequence < last else { return 0..<0 }
            let first = Swift.max(sequence, 0) + 1
            return first..<(first + Swift.min(limit, last - first + 1))
        case .before(let sequence):
            return Self.tail(limit: limit, last: Swift.min(Swift.max(sequence, 1) - 1, last))
        case .last:
            return Self.tail(limit: limit, last: last)
        }
    }

    private static func tail(limit: Int, last: Int) -> Range<Int> {
        guard last > 0 else { return 0..<0 }
        return (last - Swift.min(limit, last) + 1)..<(last + 1)
    }
}
