public import AgentSessions

/// One rule of the contract, with the proof of it: what to do to a store, and what must come of it.
///
/// A scenario is a value. It knows no test framework and no backend: a ``ConformanceRunner`` gives it a fresh store, a
/// seed and a time limit, and what it finds goes into a ``ConformanceReport``.
public struct Scenario: Sendable, Identifiable {
    /// What a scenario does.
    public typealias Body = @Sendable (ScenarioContext) async throws -> Void

    /// How much a backend must do to be called conformant.
    public enum Level: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
        /// What an application cannot do without. Each of these must be run and pass.
        case base
        /// The whole contract.
        case full

        /// Whether `left` asks for less.
        public static func < (left: Level, right: Level) -> Bool { left == .base && right == .full }
    }

    /// Whether a failure counts.
    public enum Status: Sendable, Hashable {
        /// The clause counts since this version of the contract.
        case binding(since: ContractVersion)
        /// The clause came with this version, and counts from the next minor version on. Until then a failure is
        /// reported and changes no verdict.
        case advisory(since: ContractVersion)
    }

    /// The name and its version, such as `append.idempotent-replay@1`. The version grows when the rule changes, so that
    /// reports of different times can be compared.
    public let id: String
    /// The part of the contract that it belongs to.
    public let group: ScenarioGroup
    /// The clause of the contract that it pins, such as `3.6`.
    public let clause: String
    /// The rule, in one sentence.
    public let rule: String
    /// The level that it belongs to.
    public let level: Level
    /// Whether a failure counts.
    public let status: Status
    /// What the store must declare for the rule to apply.
    public let requirements: [Requirement]
    /// Through which layers the scenario is run.
    public let layers: [Layer]
    /// How long it may take through one layer, on a quiet machine: a runner stretches it on a busy one.
    public let timeLimit: Duration
    let body: Body

    /// A scenario.
    ///
    /// - Parameters:
    ///   - id: `group.name`, with `@version` behind it where that is not 1.
    ///   - group: The part of the contract.
    ///   - clause: The clause of the contract.
    ///   - rule: The rule, in one sentence.
    ///   - level: The level.
    ///   - status: Whether a failure counts.
    ///   - requirements: What the store must declare. Where it does not, the absence is checked in place of the rule.
    ///   - layers: Through which layers to run.
    ///   - timeLimit: How long it may take through one layer.
    ///   - body: What it does.
    public init(
        _ id: String, _ group: ScenarioGroup, _ clause: String, _ rule: String, level: Level = .base,
        status: Status = .binding(since: .first), requires requirements: [Requirement] = [],
        layers: [Layer] = Layer.allCases, timeLimit: Duration = .seconds(20), _ body: @escaping Body
    ) {
        self.id = id.utf8.contains(UInt8(ascii: "@")) ? id : "\(id)@1"
        self.group = group
        self.clause = clause
        self.rule = rule
        self.level = level
        self.status = status
        self.requirements = requirements
        self.layers = layers
        self.timeLimit = timeLimit
        self.body = body
    }
}

/// How a scenario reaches the store.
public enum Layer: String, Sendable, Hashable, Codable, CaseIterable {
    /// The repositories themselves. Nothing tries again, so that no fault is hidden.
    case repository
    /// A ``PersistentSessionService`` over the store, as applications use it.
    case service
}

/// The parts of the contract.
public enum ScenarioGroup: String, Sendable, Hashable, Codable, CaseIterable {
    case create = "session creation"
    case list = "session listing"
    case delete = "session deletion"
    case append = "message append"
    case page = "message pagination"
    case document = "export and import"
    case usage = "token usage"
    case record = "record round trip"
    case identity = "identifiers and time"
    case update = "update and revision"
    case batch = "batches and compare-and-append"
    case replay = "idempotent replay"
    case stream = "streams and snapshots"
    case rewind = "rewind and count"
    case replace = "session replacement"
    case copy = "copies between stores"
    case limits = "limits"
    case text = "hostile text"
    case cursor = "cursors"
    case reopen = "migrations and reopening"
    case concurrency = "concurrency"
    case instances = "several instances"
    case processes = "several processes"
    case faults = "faults and retry"
    case capabilities = "capabilities"
    case errors = "errors"
    case lifecycle = "lifecycle"
    case random = "random sequences"
    case history = "histories"
}

/// What a store has to declare in its ``StoreCapabilities`` for a rule to apply to it.
public enum Requirement: Sendable, Hashable {
    /// The ability is declared.
    case ability(StoreAbility)
    /// Acknowledged changes survive at least this.
    case durability(DurabilityTier)
    /// Any number of processes may have the store open.
    case manyProcesses

    /// Whether `capabilities` declare it.
    public func isMet(by capabilities: StoreCapabilities) -> Bool {
        switch self {
        case .ability(let ability): capabilities.abilities.contains(ability)
        case .durability(let tier): capabilities.durability >= tier
        case .manyProcesses: capabilities.scope == .many
        }
    }
}

extension Requirement: CustomStringConvertible {
    /// What is required, as it stands in a report.
    public var description: String {
        switch self {
        case .ability(let ability): "ability \(ability)"
        case .durability(let tier): "durability \(tier.rawValue)"
        case .manyProcesses: "scope many"
        }
    }
}
