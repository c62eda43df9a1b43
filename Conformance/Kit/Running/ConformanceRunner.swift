import AgentSessions
import Synchronization

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
        /// A bound on the time limits of the scenarios.
        public var timeLimit: Duration?
        /// An existing folder into which the histories of concurrent clients are written, as EDN, a file each, for
        /// Elle's checker of list-append histories.
        public var historyFolder: String?
        /// Whether the run ends with the first failure that changes the verdict: no scenario begins after it.
        public var failFast: Bool

        /// How to run; without arguments the whole contract with a seed of its own.
        public init(
            level: Scenario.Level = .full, seed: UInt64 = .random(in: 0...UInt64(UInt32.max)), waivers: [Waiver] = [],
            width: Int = 4, timeLimit: Duration? = nil, historyFolder: String? = nil, failFast: Bool = false
        ) {
            self.level = level
            self.seed = seed
            self.waivers = waivers
            self.width = max(1, width)
            self.timeLimit = timeLimit
            self.historyFolder = historyFolder
            self.failFast = failFast
        }
    }

    /// After so many scenarios without an answer, a store is not asked any further.
    private static let maximumHangs = 5

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
    public func run(
        _ scenarios: [Scenario] = Scenario.all, progress: (@Sendable (ScenarioResult) -> Void)? = nil
    ) async -> ConformanceReport {
        let scenarios = scenarios.filter { $0.level <= options.level }
        do {
            let stage = try Stage()
            defer { stage.finish() }
            // On threads of its own: a store that blocks Swift's must not keep the runner from saying so.
            let runner = try ScenarioThreads(count: 2)
            defer { runner.finish() }
            return await Task(executorPreference: runner) {
                let identity = await identity(on: stage)
                let results = await run(scenarios, on: stage, unopened: identity.problem, progress)
                return identity.report(of: results, seed: options.seed)
            }.value
        } catch {
            let results = scenarios.map { ScenarioResult($0, .notRun, message: "\(error)") }
            for result in results { progress?(result) }
            return Identity().report(of: results, seed: options.seed)
        }
    }

    /// Runs one scenario, through each of its layers on a fresh store, whatever its level.
    public func run(_ scenario: Scenario) async -> ScenarioResult {
        do {
            let stage = try Stage()
            defer { stage.finish() }
            let run = ScenarioRun(scenario, factory: factory, options: options, stage: stage)
            return waived(await run.result())
        } catch {
            return ScenarioResult(scenario, .notRun, message: "\(error)")
        }
    }

    private func run(
        _ scenarios: [Scenario], on stage: Stage, unopened: String?,
        _ progress: (@Sendable (ScenarioResult) -> Void)?
    ) async -> [ScenarioResult] {
        let hangs = Atomic<Int>(0)
        let hasFailed = Atomic<Bool>(false)
        let one: @Sendable (Scenario) async -> ScenarioResult = { scenario in
            var result: ScenarioResult
            if let unopened {
                result = ScenarioResult(scenario, .notRun, message: unopened)
            } else if options.failFast, hasFailed.load(ordering: .relaxed) {
                result = ScenarioResult(scenario, .notRun, message: "not begun: the run ends with the first failure")
            } else if hangs.load(ordering: .relaxed) >= Self.maximumHangs {
                result = ScenarioResult(
                    scenario, .notRun, message: "not asked any more: \(Self.maximumHangs) scenarios got no answer")
            } else {
                let run = ScenarioRun(scenario, factory: factory, options: options, stage: stage)
                result = await run.result()
                if run.didHang { hangs.add(1, ordering: .relaxed) }
            }
            result = waived(result)
            if [.failed, .unexpectedPass].contains(result.outcome), scenario.status.isBinding() {
                hasFailed.store(true, ordering: .relaxed)
            }
            progress?(result)
            return result
        }
        return await withTaskGroup(of: (Int, ScenarioResult).self) { group in
            var results = [ScenarioResult?](repeating: nil, count: scenarios.count)
            var next = 0
            func start() {
                guard next < scenarios.count else { return }
                let index = next
                next += 1
                group.addTask { (index, await one(scenarios[index])) }
            }
            for _ in 0..<options.width { start() }
            for await (index, result) in group {
                results[index] = result
                start()
            }
            return results.compactMap { $0 }
        }
    }

    /// The result in the light of the waivers.
    private func waived(_ result: ScenarioResult) -> ScenarioResult {
        guard let waiver = options.waivers.first(where: { $0.scenario == result.scenario.id }) else { return result }
        switch result.outcome {
        case .failed where waiver.expires > .now():
            return result.with(.waived, "waived until \(waiver.expires): \(waiver.reason)\n\(result.message)")
        case .failed:
            return result.with(.failed, "the waiver expired at \(waiver.expires): \(waiver.reason)\n\(result.message)")
        case .passed:
            return result.with(.unexpectedPass, "it passes, so take the waiver out: \(waiver.reason)")
        default:
            return result
        }
    }
}

// MARK: - The store's identity

/// What a store says of itself.
private struct Identity: Sendable {
    var backend = ""
    var engine = ""
    var settings: [StoreSetting] = []
    var problem: String?

    func report(of results: [ScenarioResult], seed: UInt64) -> ConformanceReport {
        ConformanceReport(backend: backend, engine: engine, settings: settings, seed: seed, results: results)
    }
}

extension ConformanceRunner {
    /// Opens a store and asks it what it is.
    private func identity(on stage: Stage) async -> Identity {
        do {
            let place = try stage.makePlace()
            let threads = try ScenarioThreads(count: 2)
            defer { threads.finish() }
            let factory = factory
            let found = await within(.seconds(30), on: threads, watch: stage.watch) { () -> Identity in
                var identity = Identity()
                do throws(StoreError) {
                    let store = try await factory.open(place)
                    identity.backend = store.backendName
                    let settings = try await store.effectiveSettings()
                    identity.engine = settings.first { $0.name == "engine" }?.value ?? ""
                    identity.settings = settings.filter { $0.name != "engine" }
                    await store.close()
                    try await factory.destroy(place)
                } catch {
                    identity.problem = "the store cannot be opened: \(error)"
                }
                return identity
            }
            stage.remove(place)
            return found ?? Identity(problem: "the store does not open within 30 seconds")
        } catch {
            return Identity(problem: "\(error)")
        }
    }
}

extension ScenarioResult {
    fileprivate func with(_ outcome: Outcome, _ message: String) -> ScenarioResult {
        ScenarioResult(scenario, outcome, duration: duration, message: message)
    }
}
