/// What became of a mutant.
public enum Verdict: Sendable, Equatable {
    /// How the kit found it.
    public enum Cause: String, Sendable, Codable {
        /// A scenario failed.
        case failed
        /// A scenario got no answer in time, twice.
        case hung
        /// The process ended: a trap, say.
        case crashed
    }

    /// The kit found it.
    case killed(Cause, by: String, message: String)
    /// The kit found nothing.
    case survived
    /// The list says that it is the same program, and the kit found nothing.
    case equal(reason: String)
    /// The compiler refuses it.
    case refused

    /// Whether the kit found it.
    public var isKilled: Bool { if case .killed = self { true } else { false } }

    /// Whether the list has it, and the kit found nothing.
    public var isEqual: Bool { if case .equal = self { true } else { false } }
}

/// A mutant with what became of it.
public struct Finding: Sendable {
    /// The mutant.
    public let mutant: Mutant
    /// What became of it.
    public let verdict: Verdict
    /// How many scenarios reach the code that it changes.
    public let reachedBy: Int
    /// Whether the list calls it the same program.
    public var isListed = false
}
