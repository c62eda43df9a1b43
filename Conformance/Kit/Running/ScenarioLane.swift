import AgentSessions

/// One of several places at which the scenarios of a run are carried out, one after another.
protocol ScenarioLane: AnyObject, Sendable {
    /// Carries out a scenario, whatever the store does.
    func play(_ scenario: Scenario) async -> PlayedScenario
    /// Opens a store and asks it what it is.
    func describe() async -> StoreDescription
    /// Ends what the lane has started.
    func finish() async
}

/// A scenario that was carried out.
struct PlayedScenario: Sendable {
    var result: ScenarioResult
    /// Whether the store gave no answer in time.
    var didHang = false
}

/// Scenarios in this process. A store that traps ends it.
final class InProcessLane: ScenarioLane {
    private let factory: any StoreFactory
    private let options: ConformanceRunner.Options
    private let stage: Stage

    init(_ factory: any StoreFactory, options: ConformanceRunner.Options, stage: Stage) {
        self.factory = factory
        self.options = options
        self.stage = stage
    }

    func play(_ scenario: Scenario) async -> PlayedScenario {
        let run = ScenarioRun(scenario, factory: factory, options: options, stage: stage)
        let result = await run.result()
        return PlayedScenario(result: result, didHang: run.didHang)
    }

    func describe() async -> StoreDescription { await .of(factory, on: stage) }

    func finish() async {}
}
