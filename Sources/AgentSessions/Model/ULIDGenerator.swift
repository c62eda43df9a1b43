import Synchronization

/// Makes identifiers that grow: each is larger than every one made before it by the same generator, from whatever
/// thread, even where the clock stands still or goes back.
///
/// Within a millisecond the random part of the one before is counted up by one, as the ULID specification says. So after
/// one look at a clock that is far ahead, the identifiers that follow carry that look's time until the process ends: they
/// promise to grow, and not to tell the time. Times of sessions and messages are never taken from them.
public final class ULIDGenerator: Sendable {
    /// The generator of this process. Identifiers that grow within a process come from one generator.
    public static let shared = ULIDGenerator()

    private let now: @Sendable () -> UInt64
    private let last: Mutex<ULID?>

    /// A generator of its own.
    ///
    /// - Parameter milliseconds: The time in milliseconds since 1970; the system's clock by default.
    public convenience init(milliseconds: @escaping @Sendable () -> UInt64 = systemMilliseconds) {
        self.init(after: nil, milliseconds: milliseconds)
    }

    package init(after last: ULID?, milliseconds: @escaping @Sendable () -> UInt64) {
        self.last = Mutex(last)
        now = milliseconds
    }

    /// The next identifier.
    ///
    /// - Throws: ``StoreError/Code/limitExceeded`` where the time does not fit 48 bits (the year 10889), or all 2⁸⁰
    ///   random parts of a millisecond are used up.
    public func next() throws(StoreError) -> ULID {
        let time = now()
        guard time < 1 << 48 else {
            throw StoreError(.limitExceeded, "The clock says \(time) ms since 1970: a ULID holds 48 bits of it.")
        }
        return try last.withLock { last throws(StoreError) -> ULID in
            let made: ULID
            if let last, last.milliseconds >= time {
                made = try Self.successor(of: last)
            } else {
                var random = SystemRandomNumberGenerator()
                made = ULID(high: time << 16 | UInt64.random(in: 0...0xFFFF, using: &random), low: random.next())
            }
            last = made
            return made
        }
    }

    private static func successor(of last: ULID) throws(StoreError) -> ULID {
        let (low, carried) = last.low.addingReportingOverflow(1)
        guard carried else { return ULID(high: last.high, low: low) }
        guard last.high & 0xFFFF != 0xFFFF else {
            throw StoreError(.limitExceeded, "All ULIDs of this millisecond are used up. Try again.")
        }
        return ULID(high: last.high + 1, low: 0)
    }
}

/// Milliseconds since 1970 by the system's clock.
@Sendable public func systemMilliseconds() -> UInt64 {
    UInt64(max(0, Timestamp.now().microseconds / 1000))
}
