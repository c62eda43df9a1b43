extension Session {
    /// Checks that a restored session may take the place of this one. A backend calls it inside its write transaction.
    ///
    /// A replacement is a later state of the same session. So whoever saw this one finds by the revision that it
    /// changed, and nothing that was acknowledged since `expectedRevision` was read is lost.
    ///
    /// - Parameters:
    ///   - replacement: The session that is to take its place, of the same id.
    ///   - expectedRevision: The revision that this session must have.
    /// - Throws: ``StoreError/Code/conflict`` where it has another, or where the replacement was created at another time
    ///   and so is another session; ``StoreError/Code/invalidArgument`` where the replacement's revision is not later.
    public func requireReplaceable(by replacement: Session, expectedRevision: Timestamp) throws(StoreError) {
        try requireRevision(expectedRevision)
        guard replacement.createdAt == createdAt else {
            throw StoreError(
                .conflict,
                "Session \(id) was created at \(createdAt), and the one to put in its place at "
                    + "\(replacement.createdAt): they are two sessions of one id. Nothing was changed.")
        }
        guard replacement.revision > revision else {
            throw StoreError(
                .invalidArgument,
                "Session \(id) has revision \(revision), and the one to put in its place \(replacement.revision): a "
                    + "session is replaced by a later state of it alone. Nothing was changed.")
        }
    }
}
