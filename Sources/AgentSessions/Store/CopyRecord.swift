/// What a store remembers of a session that was copied into it: which revision of which store it holds.
///
/// As long as the session has this revision, nobody has changed it since: every change gives it a later one. So a copy
/// from the same store may put a newer state in its place.
public struct CopyRecord: Sendable, Hashable {
    /// The store that the session was copied from: its ``SessionStore/storeID()``.
    public let source: ULID
    /// The revision that the session had there, and has here as long as nobody changes it.
    public let revision: Timestamp

    /// A record of a copy.
    public init(source: ULID, revision: Timestamp) {
        self.source = source
        self.revision = revision
    }
}
