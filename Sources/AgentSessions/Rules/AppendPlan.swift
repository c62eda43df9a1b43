/// What an append comes to, given what the store holds.
public enum AppendPlan: Sendable {
    /// Every message of the batch is there already: give these back and write nothing.
    case replay([SessionMessage])
    /// Store the session in place of what it was, and these messages.
    case write(session: Session, messages: [SessionMessage])
}

extension AppendRequest {
    /// Decides what the append comes to. A backend calls this inside its write transaction and does what it says.
    ///
    /// A message id that is in the session makes the batch a replay: all of its messages must be there, in the same
    /// order, with the same payload. A replay holds whatever sequence was expected, because the first attempt met it.
    ///
    /// Where an earlier attempt may have been stored, and its messages are not there, a rewind may have taken them back
    /// since, and what they used is counted. The append would have moved the revision to its ``time`` or beyond, and the
    /// rewind further. So a session whose revision is not beyond that time never had the messages, and of any other it
    /// cannot be said.
    ///
    /// - Parameters:
    ///   - session: The session as it is in the transaction, or `nil` where there is none.
    ///   - stored: Those messages of the session whose id is in the batch, in any order.
    /// - Throws: ``StoreError/Code/notFound`` where there is no session; ``StoreError/Code/conflict`` where a part of
    ///   the batch is stored, or another payload is stored under an id of it, or the session's last sequence is not
    ///   the expected one; ``StoreError/Code/limitExceeded`` where a usage total would not fit 64 bits;
    ///   ``StoreError/Code/outcomeUnknown`` where ``mayBeStored`` is set and it cannot be said whether it was.
    public func plan(session: Session?, stored: [SessionMessage]) throws(StoreError) -> AppendPlan {
        guard let session else { throw .sessionNotFound(sessionID) }
        guard stored.isEmpty else { return .replay(try replay(of: stored)) }
        guard !mayBeStored || session.revision <= time else { throw .undecidable(sessionID) }
        try session.requireLastSequence(expectedSequence)

        var grown = session
        let (count, overflow) = session.messageCount.addingReportingOverflow(messages.count)
        guard !overflow else {
            throw .corrupt("Session \(session.id)", "its message_count is \(session.messageCount)")
        }
        grown.messageCount = count
        if let usage { grown.usage = try session.usage.adding(usage) }
        grown.updatedAt = try session.nextRevision(at: time)
        let revision = grown.updatedAt
        var sequence = session.messageCount
        let written = messages.map { message in
            sequence += 1
            return message.stored(in: sessionID, sequence: sequence, at: revision)
        }
        return .write(session: grown, messages: written)
    }

    private func replay(of stored: [SessionMessage]) throws(StoreError) -> [SessionMessage] {
        do throws(StoreError) {
            return try wholeReplay(of: stored)
        } catch {
            // Messages from before its time were there before it, and it was refused for them. Later ones may be what a
            // rewind has left of it.
            guard mayBeStored, stored.contains(where: { $0.createdAt >= time }) else { throw error }
            throw .undecidable(sessionID)
        }
    }

    private func wholeReplay(of stored: [SessionMessage]) throws(StoreError) -> [SessionMessage] {
        let inOrder = stored.sorted { $0.sequence < $1.sequence }
        guard inOrder.count == messages.count else {
            throw StoreError(
                .conflict,
                "\(inOrder.count) of the \(messages.count) messages of this batch are in session \(sessionID) "
                    + "already, the first as sequence \(inOrder[0].sequence): a batch is stored whole or not at all. "
                    + "Send the same batch as before, or give the new messages ids of their own.")
        }
        for (message, pending) in zip(inOrder, messages) where !message.holds(pending) {
            throw StoreError(
                .conflict,
                "Message \(message.id) is in session \(sessionID) already, as sequence \(message.sequence), with "
                    + "another payload or in another order. A new message needs an id of its own.")
        }
        guard let first = inOrder.first, let last = inOrder.last, last.sequence - first.sequence == inOrder.count - 1
        else {
            throw StoreError(
                .conflict,
                "The messages of this batch are in session \(sessionID) already, but were not appended together. "
                    + "New messages need ids of their own.")
        }
        return inOrder
    }
}

extension StoreError {
    /// Marks an unknown outcome that no further look can find out.
    private struct Undecidable: Error {}

    /// An append may have been stored and taken back since.
    fileprivate static func undecidable(_ session: ULID) -> StoreError {
        StoreError(
            .outcomeUnknown,
            "Session \(session) was changed since the append began, and its messages are not there: they were never "
                + "stored, or a rewind took them back. Read the session before you make the append again.",
            cause: Undecidable())
    }

    /// Whether the outcome cannot be found out by another look or attempt.
    var isUndecidable: Bool { code == .outcomeUnknown && cause is Undecidable }
}
