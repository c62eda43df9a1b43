import AgentSessions

/// Runs scenarios on the stores of a backend: each on a fresh store, with numbers from one seed and a time limit that
/// holds whatever the store does.
public struct ConformanceRunner: Sendable {
    /// How to run.
    public struct Options: Sendable {
        /// The level to run; `base` leaves the rest out.
        public var level: Scenario.Level
        /// The seed of everything that is random. The same seed gives the same run.
        public var seed: UInt64
        /// Failures that are accepted.
        public var waivers: [Waiver]
        /// How many scenarios run at a time.
        public var width: Int
        /// A bound on the time limits of the scenarios. Time limits are those of a quiet machine: a run on a busy one
        /// stretches them.
        public var timeLimit: Duration?
        /// An existing folder into which the histories of concurrent clients are written, as EDN, a file each, for
        /// Elle's checker of list-append histories.
        public var historyFolder: String?
        /// Whether the run ends with the first failure that changes the verdict: no scenario begins after it.
        public var failFast: Bool
        /// Whether scenarios run in processes of their own, so that a store that traps, exits or hangs ends one scenario
        /// and not the run. The processes are those of ``StoreFactory/helperCommand(_:at:)``; where the factory has no
        /// command, scenarios run in this process.
        public var inChildProcesses: Bool
        /// A file to which a line of JSON is added when a scenario begins (`began`, `seed`) and when it has ended (as in
        /// the report), for those who run scenarios in their own process: after a trap it tells what was under way.
        public var logFile: String?

        /// How to run; without arguments the whole contract with a seed of its own.
        public init(
            level: Scenario.Level = .full, seed: UInt64 = .random(in: 0...UInt64(UInt32.max)), waivers: [Waiver] = [],
            width: Int = 4, timeLimit: Duration? = nil, historyFolder: String? = nil, failFast: Bool = false,
            inChildProcesses: Bool = false, logFile: String? = nil
        ) {
            self.level = level
            self.seed = seed
            self.waivers = waivers
            self.width = max(1, width)
            self.timeLimit = timeLimit
            self.historyFolder = historyFolder
            self.failFast = failFast
            self.inChildProcesses = inChildProcesses
            self.logFile = logFile
        }
    }

    let factory: any StoreFactory
    let options: Options

    /// A runner on the stores of `factory`.
    public init(_ factory: any StoreFactory, options: Options = Options()) {
        self.factory = factory
        self.options = options
    }

    /// Runs scenarios and reports.
    ///
    /// - Parameters:
    ///   - scenarios: Which ones. Those above the level of the options are left out.
    ///   - progress: Told each result as it comes, on any thread.
    ///   - partial: Given the report as it stands whenever a scenario begins or has ended, on any thread: what has not ended
    ///     yet is ``Outcome/notRun``, with a message that says whether it is under way.
    public func run(
        _ scenarios: [Scenario] = Scenario.all, progress: (@Sendable (ScenarioResult) -> Void)? = nil,
        partial: (@Sendable (ConformanceReport) -> Void)? = nil
    ) async -> ConformanceReport {
        let scenarios = scenarios.filter { $0.level <= options.level }
        do {
            let log = try options.logFile.map { path throws(StoreError) in try RunLog(path) }
            let stage = try Stage()
            defer { stage.finish() }
            // On threads of its own: a store that blocks Swift's must not keep the runner from saying so.
            let runner = try ScenarioThreads(count: 2)
            defer { runner.finish() }
            let report = await Task(executorPreference: runner) {
                let lanes = lanes(on: stage)
                let description = await lanes.first?.describe() ?? StoreDescription()
                let state = RunState(scenarios, of: description, options: options)
                await withTaskGroup(of: Void.self) { group in
                    for lane in lanes {
                        group.addTask { await run(in: lane, state, log, progress, partial) }
                    }
                }
                return state.report
            }.value
            log?.finished(report)
            return report
        } catch {
            let results = scenarios.map { ScenarioResult($0, .notRun, message: "\(error)") }
            for result in results { progress?(result) }
            return StoreDescription().report(of: results, seed: options.seed)
        }
    }

    /// As many lanes as scenarios are to run at a time.
    private func lanes(on stage: Stage) -> [any ScenarioLane] {
        let nowhere = StorePlace(name: "none", folder: "/")
        let hasProcesses =
            options.inChildProcesses && factory.helperCommand(ScenarioOrders.describe, at: nowhere) != nil
        return (0..<options.width).map { _ -> any ScenarioLane in
            hasProcesses
                ? ChildLane(factory, options: options, stage: stage)
                : InProcessLane(factory, options: options, stage: stage)
        }
    }

    /// Carries out one scenario after another until none is left.
    private func run(
        in lane: any ScenarioLane, _ state: RunState, _ log: RunLog?,
        _ progress: (@Sendable (ScenarioResult) -> Void)?, _ partial: (@Sendable (ConformanceReport) -> Void)?
    ) async {
        while let (index, scenario, omission) = state.begin() {
            var played: PlayedScenario
            if let omission {
                played = PlayedScenario(result: ScenarioResult(scenario, .notRun, message: omission))
            } else {
                log?.began(scenario, seed: options.seed)
                partial?(state.report)
                played = await lane.play(scenario)
            }
            played.result = waived(played.result)
            state.end(index, played)
            log?.ended(played.result)
            partial?(state.report)
            progress?(played.result)
        }
        await lane.finish()
    }

    /// Runs one scenario, through each of its layers on a fresh store, whatever its level.
    public func run(_ scenario: Scenario) async -> ScenarioResult {
        do {
            let log = try options.logFile.map { path throws(StoreError) in try RunLog(path) }
            let stage = try Stage()
            defer { stage.finish() }
            let lane = lanes(on: stage)[0]
            log?.began(scenario, seed: options.seed)
            let result = waived(await lane.play(scenario).result)
            await lane.finish()
            log?.ended(result)
            return result
        } catch {
            return ScenarioResult(scenario, .notRun, message: "\(error)")
        }
    }

    /// The result in the light of the waivers.
    private func waived(_ result: ScenarioResult) -> ScenarioResult {
        guard let waiver = options.waivers.first(where: { $0.scenario == result.scenario.id }) else { return result }
        switch result.outcome {
        case .failed, .timedOut, .crashed:
            if waiver.expires > .now() {
                return result.with(.waived, "waived until \(waiver.expires): \(waiver.reason)\n\(result.message)")
            }
            return result.with(
                result.outcome, "the waiver expired at \(waiver.expires): \(waiver.reason)\n\(result.message)")
        case .passed:
            return result.with(.unexpectedPass, "it passes, so take the waiver out: \(waiver.reason)")
        default:
            return result
        }
    }
}

extension ScenarioResult {
    fileprivate func with(_ outcome: Outcome, _ message: String) -> ScenarioResult {
        ScenarioResult(scenario, outcome, duration: duration, message: message)
    }
}

extension ConformanceRunner.Options {
    /// How long a scenario may take through one layer.
    func limit(of scenario: Scenario) -> Duration {
        timeLimit.map { min($0, scenario.timeLimit) } ?? scenario.timeLimit
    }

    /// How long closing and removing a store may take.
    var closingLimit: Duration { min(.seconds(10), (timeLimit ?? .seconds(10)) * 10) }
}
