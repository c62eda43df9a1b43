import SwiftSyntax

/// A file with all that can be changed in it.
public struct MutatedFile: Sendable {
    /// The file, from the root of the package.
    public let path: String
    let source: [UInt8]
    let sites: [Site]
    /// The mutants in the order of their numbers, those of one site one after the other.
    public internal(set) var mutants: [Mutant]

    /// Finds the mutants of a file; `number` is that of the first.
    ///
    /// - Parameter isWanted: Whether a declaration is to be mutated.
    public init(
        path: String, source: String, from number: Int = 1, isWanted: (_ declaration: String) -> Bool = { _ in true }
    ) {
        self.path = path
        self.source = Array(source.utf8)
        sites = SiteFinder.sites(of: source)
        mutants = []
        let lines = SourceLines(self.source)
        var ordinals: [[String]: Int] = [:]
        for (index, site) in sites.enumerated() where isWanted(site.declaration) {
            // Two changes that make the same program are one mutant.
            var seen: Set<[UInt8]> = [Self.words(self.source[site.range])]
            for (kind, change) in ChangeCollector.changes(of: site) {
                let variant =
                    self.source[site.range.lowerBound..<change.range.lowerBound] + change.replacement.utf8
                    + self.source[change.range.upperBound..<site.range.upperBound]
                guard seen.insert(Self.words(variant[...])).inserted else { continue }
                let name = String(path.split(separator: "/").last ?? "")
                let text = lines.description(of: change)
                let ordinal = ordinals[[site.declaration, kind, text], default: 0] + 1
                ordinals[[site.declaration, kind, text]] = ordinal
                mutants.append(
                    Mutant(
                        number: number + mutants.count,
                        key: Mutant.Key(
                            file: name, declaration: site.declaration, kind: kind, change: text, ordinal: ordinal),
                        path: path, line: lines.number(of: change.range.lowerBound), change: change, site: index))
            }
        }
    }

    /// The text without spaces and line ends, by which programs are compared.
    private static func words(_ text: ArraySlice<UInt8>) -> [UInt8] {
        text.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }
    }

    /// The text of a site, with a change in it or as it is.
    func text(of site: Site, with change: Change? = nil) -> String {
        guard let change else { return String(decoding: source[site.range], as: UTF8.self) }
        return String(decoding: source[site.range.lowerBound..<change.range.lowerBound], as: UTF8.self)
            + change.replacement
            + String(decoding: source[change.range.upperBound..<site.range.upperBound], as: UTF8.self)
    }
}

/// Asks every operator about every node of a site.
private final class ChangeCollector: SyntaxAnyVisitor {
    private let scope: Scope
    private var changes: [(kind: String, change: Change)] = []

    private init(_ scope: Scope) {
        self.scope = scope
        super.init(viewMode: .sourceAccurate)
    }

    static func changes(of site: Site) -> [(kind: String, change: Change)] {
        let collector = ChangeCollector(site.scope)
        collector.walk(site.node)
        return collector.changes
    }

    override func visitAny(_ node: Syntax) -> SyntaxVisitorContinueKind {
        guard !isForPeople(node) else { return .skipChildren }
        for one in MutationOperator.all {
            changes += one.changes(node, scope).map { (one.kind, $0) }
        }
        // Which error is thrown counts, and not its words.
        return node.is(ThrowStmtSyntax.self) ? .skipChildren : .visitChildren
    }

    /// Whether the node only says what went wrong.
    private func isForPeople(_ node: Syntax) -> Bool {
        if node.is(AvailabilityConditionSyntax.self) { return true }
        if let choice = node.as(TernaryExprSyntax.self) {
            return choice.thenExpression.isProse && choice.elseExpression.isProse
        }
        guard let call = node.as(FunctionCallExprSyntax.self) else { return false }
        return ["StoreError", "VerificationProblem", "VerificationCheck"]
            .contains(call.calledExpression.trimmedDescription)
    }
}

extension ExprSyntax {
    /// Whether the expression is a text for people.
    var isProse: Bool {
        guard self.is(StringLiteralExprSyntax.self), trimmedDescription.contains(" ") else { return false }
        return !SQLToken.areSQL(SQLToken.tokens(of: trimmedDescription, at: 0))
    }
}

/// The lines of a file.
struct SourceLines {
    private let source: [UInt8]
    private let starts: [Int]

    init(_ source: [UInt8]) {
        self.source = source
        starts = [0] + source.indices.filter { source[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    }

    /// The number of the line that holds a byte, from 1.
    func number(of byte: Int) -> Int {
        starts.partitioningIndex { $0 > byte }
    }

    /// The lines of a change, and what becomes of them, in one line.
    func description(of change: Change) -> String {
        let start = starts[number(of: change.range.lowerBound) - 1]
        let last = number(of: change.range.upperBound)
        let end = last < starts.count ? starts[last] - 1 : source.count
        let before = source[start..<end]
        let after =
            source[start..<change.range.lowerBound] + change.replacement.utf8 + source[change.range.upperBound..<end]
        let isShort = number(of: change.range.lowerBound) == last
        return isShort
            ? "\(Self.line(before, limit: 300)) → \(Self.line(after, limit: 300))"
            : "\(Self.line(source[change.range], limit: 140)) → \(Self.line(Array(change.replacement.utf8)[...], limit: 140))"
    }

    private static func line(_ text: ArraySlice<UInt8>, limit: Int) -> String {
        let line = String(decoding: text, as: UTF8.self).split { $0.isWhitespace }.joined(separator: " ")
        return line.count > limit ? "\(line.prefix(limit))…" : line
    }
}

extension [Int] {
    /// The first index whose element, as all that follow, fulfils the condition.
    fileprivate func partitioningIndex(_ belongsToSecond: (Int) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongsToSecond(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
