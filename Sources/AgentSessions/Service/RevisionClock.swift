import Synchronization

/// The times of changes: never the same twice in a process, so that a revision tells whose change it is.
struct RevisionClock: Sendable {
    private static let latest = Mutex(Timestamp.earliest)

    /// The clock itself, for times that are no revision.
    let now: @Sendable () -> Timestamp

    init(now: @escaping @Sendable () -> Timestamp) {
        self.now = now
    }

    /// The present time, or one microsecond after the last that was given out.
    func next() throws(StoreError) -> Timestamp {
        let now = now()
        return try Self.latest.withLock { latest throws(StoreError) in
            latest = now > latest ? now : try latest.next()
            return latest
        }
    }
}
