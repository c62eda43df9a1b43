import SwiftSyntax

extension MutationOperator {
    /// Comparisons turned around and moved by one.
    static let comparisons = [
        MutationOperator("comparison", on: InfixOperatorExprSyntax.self) { node, _ in
            let others = [
                "<": ["<=", ">"], "<=": ["<", ">="], ">": [">=", "<"], ">=": [">", "<="], "==": ["!=", "<=", ">="],
                "!=": ["==", "<", ">"], "===": ["!=="], "!==": ["==="],
            ]
            return node.replacedOperators(others)
        }
    ]

    /// Conditions negated, and left out.
    static let conditions = [
        MutationOperator("condition", on: ConditionElementSyntax.self) { node, _ in
            guard case .expression(let condition) = node.condition else { return [] }
            let isGuard = node.parent?.parent?.is(GuardStmtSyntax.self) ?? false
            let isWhile = node.parent?.parent?.is(WhileStmtSyntax.self) ?? false
            let isAlone = (node.parent?.as(ConditionElementListSyntax.self)?.count ?? 1) == 1
            var texts = condition.negations
            // A guard that always leaves, and a loop that never ends, are found by whatever runs them.
            if !(isWhile && isAlone) { texts.append("true") }
            if !isGuard { texts.append("false") }
            return texts.map(condition.replaced)
        },
        MutationOperator("condition", on: WhereClauseSyntax.self) { node, _ in
            (node.condition.negations + ["true"]).map(node.condition.replaced)
        },
        MutationOperator("condition", on: RepeatStmtSyntax.self) { node, _ in
            (node.condition.negations + ["false"]).map(node.condition.replaced)
        },
        MutationOperator("condition", on: TernaryExprSyntax.self) { node, _ in
            node.condition.negations.map(node.condition.replaced)
                + [node.thenExpression, node.elseExpression].map { node.replaced(by: "(\($0.trimmedDescription))") }
        },
    ]

    /// `&&` for `||`, and each side alone.
    static let logic = [
        MutationOperator("logic", on: InfixOperatorExprSyntax.self) { node, _ in
            guard let name = node.operatorName, ["&&", "||"].contains(name) else { return [] }
            return node.replacedOperators(["&&": ["||"], "||": ["&&"]])
                + [node.leftOperand, node.rightOperand].map { node.replaced(by: $0.trimmedDescription) }
        },
        MutationOperator("logic", on: PrefixOperatorExprSyntax.self) { node, _ in
            node.operator.text == "!" ? [node.replaced(by: node.expression.trimmedDescription)] : []
        },
        MutationOperator("logic", on: InfixOperatorExprSyntax.self) { node, _ in
            node.operatorName == "??" ? [node.replaced(by: node.rightOperand.trimmedDescription)] : []
        },
    ]
}

extension InfixOperatorExprSyntax {
    /// The operator, where it is one of two sides; `=` for an assignment.
    var operatorName: String? {
        if let binary = self.operator.as(BinaryOperatorExprSyntax.self) { return binary.operator.text }
        return self.operator.is(AssignmentExprSyntax.self) ? "=" : nil
    }

    /// The changes that put others in the place of the operator.
    func replacedOperators(_ others: [String: [String]]) -> [Change] {
        operatorName.flatMap { others[$0] }.map { $0.map(self.operator.replaced) } ?? []
    }
}

extension ExprSyntax {
    /// The expression negated, where no other operator does that.
    fileprivate var negations: [String] {
        let comparisons: Set = ["<", "<=", ">", ">=", "==", "!=", "===", "!=="]
        if let infix = self.as(InfixOperatorExprSyntax.self), comparisons.contains(infix.operatorName ?? "") {
            return []
        }
        if let prefix = self.as(PrefixOperatorExprSyntax.self), prefix.operator.text == "!" { return [] }
        if self.is(BooleanLiteralExprSyntax.self) { return [] }
        return ["!(\(trimmedDescription))"]
    }
}
