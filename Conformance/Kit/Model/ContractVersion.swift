/// The version of the contract that a report was made by. `Conformance/CHANGELOG.md` says what each brought.
public struct ContractVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Grows when a clause is taken back or reversed.
    public let major: Int
    /// Grows when a clause is added, which is advisory until the next minor version.
    public let minor: Int

    /// A version.
    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// The first version.
    public static let first = ContractVersion(1, 0)
    /// The version that this kit proves.
    public static let current = ContractVersion(1, 0)

    /// Whether `left` is the older one.
    public static func < (left: ContractVersion, right: ContractVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// Such as `1.0`.
    public var description: String { "\(major).\(minor)" }
}

extension Scenario.Status {
    /// Whether a failure counts by this version of the contract.
    public func isBinding(in version: ContractVersion = .current) -> Bool {
        switch self {
        case .binding(let since): since <= version
        case .advisory(let since): since < version
        }
    }
}
