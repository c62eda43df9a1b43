#if Postgres
/// Whether a caller's thread, which may be one of Swift's pool, receives the answer to a read itself.
///
/// A server on the same machine answers sooner than two changes of threads take. So one caller at a time receives inline,
/// waiting for microseconds. Where answers take longer, as the server is far away or busy, it is tried less and less.
struct InlineReceivePolicy {
    /// The longest wait: the shortest time that the system can wait for a socket.
    static let bound = Duration.milliseconds(1)
    /// An answer that takes longer is late.
    private static let late = Duration.microseconds(500)
    /// How many reads are not received inline after one that was late, at first and at last.
    private static let pauses = 8...1024

    private var isReceiving = false
    private var pause = pauses.lowerBound
    private var readsLeft = 0

    /// Whether the caller may receive inline. Where it may, ``end(after:)`` is next.
    mutating func begin() -> Bool {
        guard !isReceiving else { return false }
        guard readsLeft == 0 else {
            readsLeft -= 1
            return false
        }
        isReceiving = true
        return true
    }

    /// The caller waits no longer.
    ///
    /// - Parameter time: How long it did.
    mutating func end(after time: Duration) {
        isReceiving = false
        if time < Self.late {
            pause = Self.pauses.lowerBound
        } else {
            readsLeft = pause
            pause = min(pause * 2, Self.pauses.upperBound)
        }
    }
}
#endif
