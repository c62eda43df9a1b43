public import AgentSessions

/// What a run found, and the verdict.
public struct ConformanceReport: Sendable {
    /// The version of the contract.
    public let contract: ContractVersion
    /// The backend's name.
    public let backend: String
    /// The engine and its version.
    public let engine: String
    /// The settings in force, as the engine reported them.
    public let settings: [StoreSetting]
    /// The seed, which repeats the run.
    public let seed: UInt64
    /// A result for each scenario, in the order of the kit.
    public let results: [ScenarioResult]

    /// A report.
    public init(
        contract: ContractVersion = .current, backend: String, engine: String, settings: [StoreSetting], seed: UInt64,
        results: [ScenarioResult]
    ) {
        self.contract = contract
        self.backend = backend
        self.engine = engine
        self.settings = settings
        self.seed = seed
        self.results = results
    }

    /// How many scenarios had each outcome.
    public var totals: [Outcome: Int] {
        results.reduce(into: [:]) { $0[$1.outcome, default: 0] += 1 }
    }

    /// Whether the backend is conformant.
    ///
    /// It is where no binding scenario failed, ran out of time, crashed or passed unexpectedly, at least one was run, and every base scenario
    /// passed or is about something that the store does not declare.
    public var isConformant: Bool {
        let binding = results.filter { $0.scenario.status.isBinding(in: contract) }
        return binding.contains { $0.outcome == .passed }
            && binding.allSatisfy { result in
                switch result.outcome {
                case .passed, .unsupported: true
                case .waived, .notRun: result.scenario.level != .base
                case .failed, .timedOut, .crashed, .unexpectedPass: false
                }
            }
    }
}
