public import AgentSessions

/// What came of a scenario.
public enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
    /// The rule holds.
    case passed
    /// The rule does not hold: the store gave a wrong answer.
    case failed
    /// The store gave no answer in time, and no wrong one before. The time limit follows the pace of the machine.
    case timedOut
    /// The store ended the process: a trap, a signal, an exit. Told apart only where scenarios run in processes of their
    /// own (``ConformanceRunner/Options/inChildProcesses``).
    case crashed
    /// The store does not declare what the rule is about, and its absence was checked.
    case unsupported
    /// The rule does not hold, and a ``Waiver`` says why that is accepted for now.
    case waived
    /// The environment does not let the scenario run, such as a program that is missing.
    case notRun
    /// The rule holds although the store does not declare it, or a waiver says that it does not. The declaration or
    /// the waiver is wrong.
    case unexpectedPass

    /// Whether it changes the verdict at any level.
    public var isFailure: Bool {
        switch self {
        case .failed, .timedOut, .crashed, .unexpectedPass: true
        case .passed, .unsupported, .waived, .notRun: false
        }
    }
}

/// A known failure that is accepted until a date.
public struct Waiver: Sendable, Hashable {
    /// The id of the scenario, version included.
    public let scenario: String
    /// Why it is accepted, and where it is tracked.
    public let reason: String
    /// From then on the failure counts.
    public let expires: Timestamp

    /// A waiver.
    public init(_ scenario: String, reason: String, expires: Timestamp) {
        self.scenario = scenario
        self.reason = reason
        self.expires = expires
    }
}

/// A scenario with what came of it.
public struct ScenarioResult: Sendable {
    /// The scenario.
    public let scenario: Scenario
    /// What came of it.
    public let outcome: Outcome
    /// How long it took, through all of its layers.
    public let duration: Duration
    /// Why, where it did not pass: each line names the layer, what was expected and what was found.
    public let message: String

    /// A result.
    public init(_ scenario: Scenario, _ outcome: Outcome, duration: Duration = .zero, message: String = "") {
        self.scenario = scenario
        self.outcome = outcome
        self.duration = duration
        self.message = message
    }
}
