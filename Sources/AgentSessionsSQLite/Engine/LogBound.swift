#if SQLite
internal import AgentSessions
import AgentSessionsThreads

/// When a commit waits for the write-ahead log to be emptied, and for how long.
///
/// SQLite's automatic checkpoint never waits for readers, and the log starts over only when no connection reads it.
/// With readers in several processes that may never happen. So a log that is several times as long as usual is emptied
/// by a checkpoint that blocks new readers and waits for the current ones: some milliseconds, unless one reads for
/// long. The longer the log, the longer the wait. After waits in vain the next ones are rarer, until they take a
/// thirtieth of the time.
struct LogBound {
    /// Nanoseconds of the wait for a log that has just become too long, and of the longest wait.
    private static let patience: ClosedRange<UInt64> = 200_000_000...1_000_000_000
    /// After a wait in vain, the next one is put off for this many times its length: at first, and at most.
    private static let rests: ClosedRange<UInt64> = 2...32

    /// Bytes that a log keeps when it starts over: more than it usually has, so that it is rarely truncated.
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

    /// How many nanoseconds to wait for a log of so many bytes to be emptied; `nil` where no wait is due.
    func patience(with bytes: Int, now: UInt64 = MonotonicTime.now()) -> UInt64? {
        guard bytes > mostBytes, now >= next else { return nil }
        let times = UInt64(bytes / mostBytes)
        return min(Self.patience.lowerBound * min(times, 10), longest)
    }

    /// Notes that the log was waited for, for so long at most.
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
