public import AgentSessions
import Synchronization

/// The clock of a scenario, which goes as the scenario says.
public final class ScenarioClock: Sendable {
    private struct State {
        var now: Timestamp
        var step: Int64 = 1000
    }

    private let state: Mutex<State>

    /// A clock that shows `start` first and goes on by a millisecond with every look.
    public init(start: Timestamp) {
        state = Mutex(State(now: start))
    }

    /// What the clock shows. It goes on by its step.
    public func next() -> Timestamp {
        state.withLock { state in
            defer { state.now = state.now.advanced(by: state.step) }
            return state.now
        }
    }

    /// Sets the clock.
    public func set(_ time: Timestamp, step: Int64 = 1000) {
        state.withLock { $0 = State(now: time, step: step) }
    }

    /// Sets by how many microseconds the clock goes on with every look: 0 stands still, less than that goes backwards.
    public func setStep(_ step: Int64) {
        state.withLock { $0.step = step }
    }
}

extension Timestamp {
    /// The moment so many microseconds later, within the years that there are.
    public func advanced(by microseconds: Int64) -> Timestamp {
        let (sum, overflow) = self.microseconds.addingReportingOverflow(microseconds)
        let end: Timestamp = microseconds < 0 ? .earliest : .latest
        return overflow ? end : Timestamp(microseconds: sum) ?? end
    }
}
