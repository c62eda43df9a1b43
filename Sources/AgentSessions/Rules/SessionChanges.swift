extension SessionChange {
    /// The session after the change.
    ///
    /// - Throws: ``StoreError/Code/conflict`` where the revision is not the expected one;
    ///   ``StoreError/Code/limitExceeded`` where a usage total would not fit 64 bits;
    ///   ``StoreError/Code/invalidArgument`` where usage is negative.
    public func apply(to session: Session) throws(StoreError) -> Session {
        try session.requireRevision(expectedRevision)
        var changed = session
        if let actorName { changed.actorName = actorName }
        if let metadata { changed.metadata = metadata }
        if let usage { changed.usage = try session.usage.adding(usage) }
        changed.updatedAt = try session.nextRevision(at: time)
        return changed
    }
}

extension RewindRequest {
    /// The session after the rewind.
    ///
    /// - Throws: ``StoreError/Code/conflict`` where the revision or the last sequence is not the expected one;
    ///   ``StoreError/Code/invalidArgument`` where `sequence` is not between 0 and the session's last.
    public func apply(to session: Session) throws(StoreError) -> Session {
        try session.requireRevision(expectedRevision)
        try session.requireLastSequence(expectedSequence)
        guard (0...session.messageCount).contains(sequence) else {
            let stock =
                session.messageCount == 0 ? "has no messages" : "has messages 1 to \(session.messageCount)"
            throw StoreError(
                .invalidArgument,
                "Session \(session.id) \(stock), so it cannot be rewound to \(sequence): name a sequence from 0 "
                    + "(removes all) to \(session.messageCount).")
        }
        var rewound = session
        rewound.messageCount = sequence
        rewound.updatedAt = try session.nextRevision(at: time)
        return rewound
    }
}

extension Session {
    func requireRevision(_ expected: Timestamp?) throws(StoreError) {
        guard let expected, expected != revision else { return }
        throw StoreError(
            .conflict,
            "Session \(id) has revision \(revision), not \(expected): it changed since it was read. "
                + "Read it again and decide anew.")
    }

    func requireLastSequence(_ expected: Int?) throws(StoreError) {
        guard let expected, expected != messageCount else { return }
        throw StoreError(
            .conflict,
            "The last sequence of session \(id) is \(messageCount), not \(expected): messages came or went since it "
                + "was read. Read it again and decide anew.")
    }
}
