import Synchronization

/// Tells followers in this process that a session has changed, and when it is time to look for changes of others.
///
/// It is one for the process, whatever the store: that a session of the same id changed in another store costs a follower
/// one look. Where nobody follows, a change costs one load of a number.
package final class SessionSignals: Sendable {
    package static let shared = SessionSignals()

    private typealias Waiter = CheckedContinuation<Void, Never>

    /// A session that is followed.
    private struct Followed {
        var followers = 0
        /// Grows with each change.
        var generation: UInt64 = 0
        var waiting: [UInt64: Waiter] = [:]
    }

    /// When a waiter is to look by itself. The waiter may be gone before.
    private struct Appointment {
        let deadline: ContinuousClock.Instant
        let session: ULID
        let waiter: UInt64
    }

    private struct State {
        var sessions: [ULID: Followed] = [:]
        /// In the order of their deadlines, as all in a queue wait for the same time.
        var appointments: [Duration: ArraySlice<Appointment>] = [:]
        var isTimed = false
    }

    private let state = Mutex(State())
    private let followers = Atomic(0)
    private let lastWaiter = Atomic<UInt64>(0)
    private let clock = ContinuousClock()

    /// The timer looks at least so often for a waiter that came meanwhile and wants to be woken before the others.
    private static let longestSleep = SessionFollower.shortestInterval

    /// Says that a session has changed, and that the change can be read.
    package func sessionChanged(_ id: ULID) {
        guard followers.load(ordering: .sequentiallyConsistent) > 0 else { return }
        let waiting = state.withLock { state -> [Waiter] in
            guard state.sessions[id] != nil else { return [] }
            state.sessions[id]?.generation += 1
            defer { state.sessions[id]?.waiting = [:] }
            return state.sessions[id].map { Array($0.waiting.values) } ?? []
        }
        for waiter in waiting { waiter.resume() }
    }

    func subscribe(to id: ULID) -> Subscription {
        state.withLock { $0.sessions[id, default: Followed()].followers += 1 }
        followers.add(1, ordering: .sequentiallyConsistent)
        return Subscription(self, id)
    }

    private func unsubscribe(_ id: ULID) {
        followers.subtract(1, ordering: .sequentiallyConsistent)
        state.withLock { state in
            state.sessions[id]?.followers -= 1
            if state.sessions[id]?.followers == 0 { state.sessions[id] = nil }
        }
    }

    // MARK: Waiting

    private func generation(of id: ULID) -> UInt64 {
        state.withLock { $0.sessions[id]?.generation ?? 0 }
    }

    private func wait(_ id: ULID, since generation: UInt64, within interval: Duration) async {
        let number = lastWaiter.wrappingAdd(1, ordering: .relaxed).newValue
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let (isWaiting, needsTimer) = state.withLock { state -> (Bool, Bool) in
                    guard state.sessions[id]?.generation == generation, !Task.isCancelled else { return (false, false) }
                    state.sessions[id]?.waiting[number] = waiter
                    state.appointments[interval, default: []].append(
                        Appointment(deadline: clock.now + interval, session: id, waiter: number))
                    defer { state.isTimed = true }
                    return (true, !state.isTimed)
                }
                if !isWaiting { waiter.resume() }
                if needsTimer { startTimer() }
            }
        } onCancel: {
            state.withLock { $0.sessions[id]?.waiting.removeValue(forKey: number) }?.resume()
        }
    }

    /// Wakes, by one task for all, those who are to look by themselves.
    private func startTimer() {
        Task.detached { [self] in
            while let next = wakeDue() {
                try? await clock.sleep(until: min(next, clock.now + Self.longestSleep), tolerance: .zero)
            }
        }
    }

    /// - Returns: When to look again; `nil` where nobody waits, and the timer ends.
    private func wakeDue() -> ContinuousClock.Instant? {
        let now = clock.now
        let (due, next) = state.withLock { state -> ([Waiter], ContinuousClock.Instant?) in
            var due: [Waiter] = []
            var next: ContinuousClock.Instant?
            for interval in Array(state.appointments.keys) {
                var queue = state.appointments.removeValue(forKey: interval) ?? []
                while let first = queue.first {
                    guard let waiter = state.sessions[first.session]?.waiting[first.waiter] else {
                        // It was woken before.
                        queue.removeFirst()
                        continue
                    }
                    guard first.deadline <= now else { break }
                    queue.removeFirst()
                    state.sessions[first.session]?.waiting[first.waiter] = nil
                    due.append(waiter)
                }
                guard let first = queue.first else { continue }
                next = min(next ?? first.deadline, first.deadline)
                state.appointments[interval] = queue
            }
            state.isTimed = next != nil
            return (due, next)
        }
        for waiter in due { waiter.resume() }
        return next
    }

    /// That somebody follows a session, for as long as the value is held.
    final class Subscription: Sendable {
        private let signals: SessionSignals
        private let id: ULID

        fileprivate init(_ signals: SessionSignals, _ id: ULID) {
            self.signals = signals
            self.id = id
        }

        deinit {
            signals.unsubscribe(id)
        }

        /// A number that grows with each change of the session in this process.
        var generation: UInt64 { signals.generation(of: id) }

        /// Waits for a change after `generation`, for the time to look by oneself, or for the task's cancellation.
        func wait(since generation: UInt64, within interval: Duration) async {
            await signals.wait(id, since: generation, within: interval)
        }
    }
}
