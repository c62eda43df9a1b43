import Synchronization

/// The times of changes: never the same twice from one clock, so that a revision tells whose change it is.
final class RevisionClock: Sendable {
    /// The clock of this process.
    static let system = RevisionClock(now: Timestamp.now)

    /// The clock itself, for times that are no revision.
    let now: @Sendable () -> Timestamp
    private let latest = Mutex(Timestamp.earliest)

    init(now: @escaping @Sendable () -> Timestamp) {
        self.now = now
    }

    /// The present time, or one microsecond after the last that was given out.
    func next() throws(StoreError) -> Timestamp {
        let now = now()
        return try latest.withLock { latest throws(StoreError) in
            latest = now > latest ? now : try latest.next()
            return latest
        }
    }
}
