import SwiftSyntax

extension MutationOperator {
    /// Sums for differences, and one side alone; ranges that end one earlier or later.
    static let arithmetic = [
        MutationOperator("arithmetic", on: InfixOperatorExprSyntax.self) { node, _ in
            let others = [
                "+": ["-"], "-": ["+"], "*": ["/", "+"], "/": ["*"], "%": ["/"], "<<": [">>"], ">>": ["<<"],
                "&+": ["&-"],
                "&-": ["&+"], "+=": ["-=", "="], "-=": ["+=", "="], "|": ["&"], "&": ["|"],
            ]
            let oneSide = ["+", "-", "*", "/", "%"].contains(node.operatorName ?? "")
            let sides =
                !oneSide ? [] : node.operatorName == "+" ? [node.leftOperand, node.rightOperand] : [node.leftOperand]
            return node.replacedOperators(others) + sides.map { node.replaced(by: $0.trimmedDescription) }
        },
        MutationOperator("range", on: InfixOperatorExprSyntax.self) { node, _ in
            node.replacedOperators(["..<": ["..."], "...": ["..<"]])
        },
        MutationOperator("range", on: PrefixOperatorExprSyntax.self) { node, _ in
            switch node.operator.text {
            case "..<": [node.operator.replaced(by: "...")]
            case "...": [node.operator.replaced(by: "..<")]
            case "-": [node.replaced(by: node.expression.trimmedDescription)]
            default: []
            }
        },
    ]

    /// Constants one larger, one smaller, or turned.
    static let constants = [
        MutationOperator("constant", on: IntegerLiteralExprSyntax.self) { node, _ in
            guard let value = node.value, value < .max else { return [] }
            return (value > 0 ? [value + 1, value - 1] : [1]).map { node.replaced(by: "\($0)") }
        },
        MutationOperator("constant", on: BooleanLiteralExprSyntax.self) { node, _ in
            [node.replaced(by: node.literal.text == "true" ? "false" : "true")]
        },
        // The largest and smallest of a type.
        MutationOperator("constant", on: MemberAccessExprSyntax.self) { node, _ in
            let isShorthand = node.base == nil && !(node.parent?.is(FunctionCallExprSyntax.self) ?? false)
            switch node.declName.baseName.text {
            case "max" where isShorthand: return [".max - 1", "0"].map(node.replaced)
            case "zero" where isShorthand: return []
            default: return []
            }
        },
    ]
}

extension IntegerLiteralExprSyntax {
    /// The number.
    fileprivate var value: Int? {
        let digits = literal.text.filter { $0 != "_" }
        for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8)] where digits.hasPrefix(prefix) {
            return Int(digits.dropFirst(2), radix: radix)
        }
        return Int(digits)
    }
}
