#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The time that loads are driven and measured by.
protocol LoadClock: Sendable {
    /// Nanoseconds since some moment; never less than before.
    func now() -> UInt64
    /// Comes back at that time or a little later.
    func sleep(until time: UInt64) async
}

/// The system's monotonic clock.
struct MonotonicClock: LoadClock {
    func now() -> UInt64 {
        var time = timespec()
        // CLOCK_MONOTONIC exists on every system that Swift runs on, so this cannot fail.
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    func sleep(until time: UInt64) async {
        let now = now()
        guard time > now else { return }
        // A benchmark ends by its stop request, and not by cancellation.
        try? await Task.sleep(for: .nanoseconds(time - now), tolerance: .zero)
    }
}
