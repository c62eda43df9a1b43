import SwiftSyntax

/// A way to make a mistake: what it can do to a node of the syntax.
struct MutationOperator: Sendable {
    /// The kind of change, as reports and the list of equals name it.
    let kind: String
    /// The changes of a node itself. Its children are looked at on their own.
    let changes: @Sendable (_ node: Syntax, _ scope: Scope) -> [Change]

    init(_ kind: String, _ changes: @escaping @Sendable (_ node: Syntax, _ scope: Scope) -> [Change]) {
        self.kind = kind
        self.changes = changes
    }

    /// An operator on nodes of one type.
    init<Node: SyntaxProtocol>(
        _ kind: String, on type: Node.Type,
        _ changes: @escaping @Sendable (_ node: Node, _ scope: Scope) -> [Change]
    ) {
        self.init(kind) { node, scope in
            guard let node = node.as(type) else { return [] }
            return changes(node, scope)
        }
    }

    /// All of them. Where two make the same program, the first names it.
    static let all: [MutationOperator] =
        comparisons + conditions + logic + arithmetic + constants + sql + texts + statements + loops + returns + calls
        + names + arguments + switches + narrowing + errors
}

/// What surrounds a node.
struct Scope: Sendable {
    /// A parameter of the function.
    struct Parameter: Sendable {
        let name: String
        let type: String
    }

    /// The type that the function or accessor returns; `nil` for none.
    var returnType: String?
    /// Whether it is an initializer, whose assignments cannot be left out.
    var isInitializer = false
    /// The parameters of the function.
    var parameters: [Parameter] = []
}

extension SyntaxProtocol {
    /// The bytes of the node in its file, without what surrounds it.
    var range: Range<Int> {
        positionAfterSkippingLeadingTrivia.utf8Offset..<endPositionBeforeTrailingTrivia.utf8Offset
    }

    /// The change that puts `text` in the place of the node.
    func replaced(by text: String) -> Change { Change(range: range, replacement: text) }

    /// Whether the node is inside a function or closure within `ancestor`, or `ancestor` itself is passed.
    func hasAncestor(_ isSought: (Syntax) -> Bool) -> Bool {
        var node = parent
        while let one = node {
            if isSought(one) { return true }
            node = one.parent
        }
        return false
    }
}

/// The change that puts each of two values in the place of the other.
func swapped(_ first: ExprSyntax, _ second: ExprSyntax) -> Change? {
    guard !first.isProse, !second.isProse else { return nil }
    let (one, other) = (first.trimmedDescription, second.trimmedDescription)
    guard one != other, first.range.upperBound <= second.range.lowerBound,
        let root = first.root.as(SourceFileSyntax.self)
    else { return nil }
    let between = root.text(first.range.upperBound..<second.range.lowerBound)
    return Change(range: first.range.lowerBound..<second.range.upperBound, replacement: other + between + one)
}

extension SourceFileSyntax {
    /// The text of some bytes of the file.
    func text(_ range: Range<Int>) -> String {
        String(decoding: Array(description.utf8)[range], as: UTF8.self)
    }
}
