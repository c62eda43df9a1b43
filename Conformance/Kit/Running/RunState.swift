import AgentSessions
import Synchronization

/// How far a run is: which scenarios wait, are under way and have ended.
final class RunState: Sendable {
    private struct State {
        var next = 0
        var running: Set<Int> = []
        var results: [ScenarioResult?]
        var hangs = 0
        var hasFailed = false
    }

    /// After so many scenarios without an answer, a store is not asked any further.
    private static let maximumHangs = 5

    private let scenarios: [Scenario]
    private let identity: StoreDescription
    private let options: ConformanceRunner.Options
    private let state: Mutex<State>

    init(_ scenarios: [Scenario], of identity: StoreDescription, options: ConformanceRunner.Options) {
        self.scenarios = scenarios
        self.identity = identity
        self.options = options
        state = Mutex(State(results: Array(repeating: nil, count: scenarios.count)))
    }

    /// The next scenario, which counts as under way from now on; with the reason where it is not to be run.
    func begin() -> (index: Int, scenario: Scenario, omission: String?)? {
        state.withLock { state in
            guard state.next < scenarios.count else { return nil }
            let index = state.next
            state.next += 1
            state.running.insert(index)
            return (index, scenarios[index], omission(state))
        }
    }

    private func omission(_ state: State) -> String? {
        if let problem = identity.problem { return problem }
        if options.failFast, state.hasFailed { return "not begun: the run ends with the first failure" }
        guard state.hangs >= Self.maximumHangs else { return nil }
        return "not asked any more: \(Self.maximumHangs) scenarios got no answer"
    }

    /// Notes what came of a scenario.
    func end(_ index: Int, _ played: PlayedScenario) {
        state.withLock { state in
            state.running.remove(index)
            state.results[index] = played.result
            if played.didHang { state.hangs += 1 }
            if played.result.outcome.isFailure, played.result.scenario.status.isBinding() { state.hasFailed = true }
        }
    }

    /// The report as it stands: what has not ended yet is not run, and says how far it is.
    var report: ConformanceReport {
        let results = state.withLock { state in
            scenarios.indices.map { index in
                state.results[index]
                    ?? ScenarioResult(
                        scenarios[index], .notRun,
                        message: state.running.contains(index)
                            ? "under way when this was written" : "not begun when this was written")
            }
        }
        return identity.report(of: results, seed: options.seed)
    }
}
