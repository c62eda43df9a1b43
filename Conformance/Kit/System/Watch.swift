import AgentSessions
import AgentSessionsThreads
import Synchronization

/// Alarms that ring on a thread of their own, so that no store can keep them from it.
///
/// Its time goes as fast as the machine does: a second of it is one of a quiet machine, and as many of a busy one as the
/// ``Yardstick`` says.
final class Watch: Sendable {
    private struct Alarm {
        let time: Duration
        let ring: @Sendable () -> Void
    }

    private struct State {
        var alarms: [UInt64: Alarm] = [:]
        var last: UInt64 = 0
        var elapsed = Duration.zero
        var lastLook = ContinuousClock.now
        var isFinished = false
    }

    /// A thread that was kept from looking for longer tells that the machine was busy, and not that time has passed.
    private static let longestStep = Duration.milliseconds(200)

    private let state = Mutex(State())

    /// Starts the thread.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where the system has no thread to give.
    init() throws {
        try WorkerThread.start { [weak self] in
            while let self, self.ringWhatIsDue() {
                WorkerThread.pause(.milliseconds(20))
            }
        }
    }

    /// Calls `ring` after a while of a quiet machine, unless the alarm is stopped.
    func ring(after delay: Duration, _ ring: @escaping @Sendable () -> Void) -> UInt64 {
        state.withLock { state in
            state.last += 1
            state.alarms[state.last] = Alarm(time: state.elapsed + delay, ring: ring)
            return state.last
        }
    }

    /// Stops an alarm.
    func stop(_ alarm: UInt64) {
        _ = state.withLock { $0.alarms.removeValue(forKey: alarm) }
    }

    /// Ends the thread.
    func finish() {
        state.withLock { $0.isFinished = true }
    }

    private func ringWhatIsDue() -> Bool {
        let slowness = Yardstick.shared.slowness
        let (due, isFinished) = state.withLock { state in
            let now = ContinuousClock.now
            state.elapsed += min(now - state.lastLook, Self.longestStep) / slowness
            state.lastLook = now
            let due = state.alarms.filter { $0.value.time <= state.elapsed }
            for key in due.keys { state.alarms[key] = nil }
            return (due.values.map(\.ring), state.isFinished)
        }
        for ring in due { ring() }
        return !isFinished
    }
}
