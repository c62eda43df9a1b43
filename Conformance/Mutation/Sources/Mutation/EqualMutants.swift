import Foundation

/// The mutants that are the same program as the original, each with the reason.
public struct EqualMutants: Sendable {
    /// Where the list is, from the root of the package.
    public static let path = "Conformance/Mutation/equal-mutants.tsv"

    /// What the reasons of mutants begin with that only a damaged store tells from the original.
    static let damage = "Damage:"

    private let reasons: [Mutant.Key: String]

    /// Reads the list: a line a mutant, of file, declaration, kind, change, ordinal and reason, with tabs between them.
    /// Lines that begin with # are for people.
    public init(_ text: String) throws(MutationError) {
        var reasons: [Mutant.Key: String] = [:]
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 6, let ordinal = Int(parts[4]), !parts[5].isEmpty else {
                throw MutationError(
                    "\(Self.path):\(index + 1): six parts with tabs between them are wanted, the last a reason")
            }
            let key = Mutant.Key(
                file: parts[0], declaration: parts[1], kind: parts[2], change: parts[3], ordinal: ordinal)
            guard reasons.updateValue(parts[5], forKey: key) == nil else {
                throw MutationError("\(Self.path):\(index + 1): the mutant is in the list already")
            }
        }
        self.reasons = reasons
    }

    /// Why a mutant is the same program; `nil` where the list does not have it.
    public func reason(for key: Mutant.Key) -> String? { reasons[key] }

    /// The lines about `files` that are about no mutant of `keys`.
    public func stale(among keys: Set<Mutant.Key>, of files: Set<String>) -> [Mutant.Key] {
        reasons.keys.filter { files.contains($0.file) && !keys.contains($0) }.sorted()
    }
}

extension Mutant.Key {
    /// The line of the list, without a reason.
    public var line: String { [file, declaration, kind, change, "\(ordinal)"].joined(separator: "\t") }
}
