/// Runs scenarios on the stores of a backend.
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

        /// How to run; without arguments the whole contract with a seed of its own.
        public init(
            level: Scenario.Level = .full, seed: UInt64 = .random(in: 0...UInt64(UInt32.max)), waivers: [Waiver] = [],
            width: Int = 4
        ) {
            self.level = level
            self.seed = seed
            self.waivers = waivers
            self.width = max(1, width)
        }
    }

    let factory: any StoreFactory
    let options: Options

    /// A runner on the stores of `factory`.
    public init(_ factory: some StoreFactory, options: Options = Options()) {
        self.factory = factory
        self.options = options
    }

    /// Runs scenarios and reports.
    ///
    /// - Parameters:
    ///   - scenarios: Which ones.
    ///   - progress: Told each result as it comes, on any thread.
    public func run(
        _ scenarios: [Scenario] = Scenario.all, progress: (@Sendable (ScenarioResult) -> Void)? = nil
    ) async -> ConformanceReport {
        var results: [ScenarioResult] = []
        for scenario in scenarios where scenario.level <= options.level {
            let result = await run(scenario)
            progress?(result)
            results.append(result)
        }
        return ConformanceReport(backend: "", engine: "", settings: [], seed: options.seed, results: results)
    }

    /// Runs one scenario, through each of its layers on a fresh store.
    public func run(_ scenario: Scenario) async -> ScenarioResult {
        ScenarioResult(scenario, .notRun, message: "the runner is a skeleton")
    }
}
