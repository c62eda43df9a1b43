#if SQLite
internal import AgentSessions
import AgentSessionsThreads

/// When a commit waits for the write-ahead log to be emptied, and for how long.
///
/// The checkpoint that SQLite makes by itself waits for nobody, and the log begins anew only at a moment at which
/// nobody reads it. With readers in several processes there may never be one. So a log that is some times as long as
/// usual is emptied by a checkpoint that keeps new readers off it and waits for the others, which is a matter of
/// milliseconds unless somebody reads for long. The longer the log, the longer the wait; and after waits in vain there
/// are fewer of them, until they take a thirtieth of the time.
struct LogBound {
    /// Nanoseconds of the wait for a log that has just become too long, and of the longest one.
    private static let patience: ClosedRange<UInt64> = 200_000_000...1_000_000_000
    /// After a wait in vain, this many times as long is not waited, at first and at last.
    private static let rests: ClosedRange<UInt64> = 2...32

    /// Bytes that a log keeps when it begins anew. More than it usually has, so that its length is left alone then.
    let keptBytes: Int
    private let mostBytes: Int
    private let longest: UInt64
    private var rest = rests.lowerBound
    private var next: UInt64 = 0

    /// - Parameters:
    ///   - pages: Pages in the log at which SQLite moves them by itself.
    ///   - pageSize: Bytes of a page.
    ///   - busyTimeout: How long other writers wait. It is well above the longest wait here.
    init(pages: Int, pageSize: Int, busyTimeout: Duration) {
        // A page has a header of 24 bytes in the log.
        let usual = pages * (pageSize + 24)
        (keptBytes, mostBytes) = (usual * 2, usual * 8)
        longest = min(Self.patience.upperBound, UInt64(clamping: busyTimeout.wholeNanoseconds) / 4)
    }

    /// How many nanoseconds to wait for a log of so many bytes to be emptied; `nil` where it is to be left alone.
    func patience(with bytes: Int, now: UInt64 = MonotonicTime.now()) -> UInt64? {
        guard bytes > mostBytes, now >= next else { return nil }
        let times = UInt64(bytes / mostBytes)
        return min(Self.patience.lowerBound * min(times, 10), longest)
    }

    /// It was waited so long at the most.
    mutating func waited(_ nanoseconds: UInt64, isEmpty: Bool, now: UInt64 = MonotonicTime.now()) {
        guard !isEmpty else {
            rest = Self.rests.lowerBound
            return
        }
        next = now + nanoseconds * rest
        rest = min(rest * 2, Self.rests.upperBound)
    }
}
#endif
