#if Postgres
/// Whether the answer to a read is waited for on the thread that asks, which may be one of Swift's pool.
///
/// A server on the same machine answers sooner than two changes of threads take. So one caller at a time waits, for
/// microseconds; where that is not enough, as the server is far away or busy, it is tried less and less.
struct InlineReceivePolicy {
    /// How long is waited at the most: the shortest time that the system can wait for a socket.
    static let bound = Duration.milliseconds(1)
    /// An answer that takes longer is late.
    private static let late = Duration.microseconds(500)
    /// Reads that go by after one that came late, at first and at last.
    private static let pauses = 8...1024

    private var isWaiting = false
    private var pause = pauses.lowerBound
    private var left = 0

    /// Whether the caller may wait. Where it may, ``end(hasAnswer:)`` is next.
    mutating func begin() -> Bool {
        guard !isWaiting else { return false }
        guard left == 0 else {
            left -= 1
            return false
        }
        isWaiting = true
        return true
    }

    /// The caller waits no longer.
    ///
    /// - Parameter time: How long it did.
    mutating func end(after time: Duration) {
        isWaiting = false
        if time < Self.late {
            pause = Self.pauses.lowerBound
        } else {
            left = pause
            pause = min(pause * 2, Self.pauses.upperBound)
        }
    }
}
#endif
