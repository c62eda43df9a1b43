/// What a store survives.
public enum DurabilityTier: String, Sendable, Hashable, Codable, Comparable, CaseIterable {
    /// Nothing: the data is gone with the process.
    case memory = "T0"
    /// A crash of the process, but not the loss of power: acknowledged changes may still be in the system's cache.
    case processCrash = "T1"
    /// The loss of power: a change is acknowledged after the disk has it.
    case powerLoss = "T2"

    /// Whether `left` survives less.
    public static func < (left: DurabilityTier, right: DurabilityTier) -> Bool { left.rawValue < right.rawValue }
}

/// Who may have a store open at the same time.
public enum ProcessScope: String, Sendable, Hashable, Codable {
    /// One process.
    case one
    /// Any number of processes, all of which see each other's changes.
    case many
}

/// Something that a store may be able to do beyond the two repositories. What a store does not declare throws
/// ``StoreError/Code/unsupported``.
public struct StoreAbility: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The name of the ability.
    public let description: String

    /// The ability of that name.
    public init(_ name: String) { description = name }

    /// What was stored is there after the store was closed and opened again.
    public static let reopen = StoreAbility("reopen")
    /// The same data can be opened more than once at a time.
    public static let multipleInstances = StoreAbility("multipleInstances")

    /// Reads the name.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the name.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// What a store promises. Declared means tested: the conformance suite holds a backend to each of these.
public struct StoreCapabilities: Sendable, Hashable {
    /// What acknowledged changes survive.
    public var durability: DurabilityTier
    /// Who may have the store open.
    public var scope: ProcessScope
    /// The largest values that the store takes.
    public var limits: StoreLimits
    /// What the store can do besides.
    public var abilities: Set<StoreAbility>

    /// A promise.
    public init(
        durability: DurabilityTier, scope: ProcessScope, limits: StoreLimits = .standard,
        abilities: Set<StoreAbility> = []
    ) {
        self.durability = durability
        self.scope = scope
        self.limits = limits
        self.abilities = abilities
    }

    /// Checks that the store declares an ability.
    ///
    /// - Throws: ``StoreError/Code/unsupported`` where it does not.
    public func require(_ ability: StoreAbility, backend: String) throws(StoreError) {
        guard abilities.contains(ability) else {
            throw StoreError(
                .unsupported, "This store cannot do \(ability). `backends` shows what each one can.", backend: backend)
        }
    }
}
