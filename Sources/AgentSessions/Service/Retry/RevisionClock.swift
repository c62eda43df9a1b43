import Synchronization

/// The times of changes: those of a clock, save that none is given out twice, so that a revision tells whose change it is.
///
/// A session's revision grows by its own rule (``Session/nextRevision(at:)``); this clock need not. So where its clock was
/// wrong for a moment, its times are wrong for that moment alone.
final class RevisionClock: Sendable {
    /// The clock of this process.
    static let system = RevisionClock(now: Timestamp.now)

    /// How far a reading may be behind the last time that was given out and go on from it. Readings of several threads
    /// come out of order by microseconds, and so does a clock that stands, or is set back by a hair. A clock that is
    /// further behind was set back, or was ahead before.
    private static let slack: Int64 = 1_000_000

    private struct State {
        /// The last time that was given out.
        var latest = Timestamp.earliest
        /// The last time before the clock last jumped: where it jumps to and fro, it finds its old place again.
        var left = Timestamp.earliest
    }

    /// The clock itself, for times that are no revision.
    let now: @Sendable () -> Timestamp
    private let state = Mutex(State())

    init(now: @escaping @Sendable () -> Timestamp) {
        self.now = now
    }

    /// The present time, or a microsecond after one that was given out where the clock stands there.
    func next() throws(StoreError) -> Timestamp {
        let now = now()
        return try state.withLock { state throws(StoreError) in
            if Self.stands(now, at: state.latest) {
                state.latest = try state.latest.next()
            } else if Self.stands(now, at: state.left) {
                (state.latest, state.left) = (try state.left.next(), state.latest)
            } else {
                if abs(now.microseconds - state.latest.microseconds) > Self.slack { state.left = state.latest }
                state.latest = now
            }
            return state.latest
        }
    }

    /// Whether the clock shows a time that was given out, or may have been.
    private static func stands(_ now: Timestamp, at last: Timestamp) -> Bool {
        // No overflow: a time is within the years 1 to 9999.
        now <= last && last.microseconds - now.microseconds <= slack
    }
}
