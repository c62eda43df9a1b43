import SwiftSyntax

extension MutationOperator {
    /// Statements left out.
    static let statements = [
        MutationOperator("statement", on: CodeBlockItemSyntax.self) { node, scope in
            // An initializer must give each property a value.
            let isAssignment: Bool = if case .expr(let one) = node.item { one.isAssignment } else { false }
            if scope.isInitializer, !isAssignment, node.gives { return [] }
            switch node.item {
            case .decl: return []
            case .expr(let expression): return Self.removal(of: expression, in: node, scope)
            case .stmt(let statement):
                if let expression = statement.as(ExpressionStmtSyntax.self)?.expression {
                    return Self.removal(of: expression, in: node, scope)
                }
                if let guardStatement = statement.as(GuardStmtSyntax.self) {
                    // Plain conditions are left out one by one.
                    return guardStatement.conditions.hasBinding ? [node.removed] : []
                }
                let isValue = statement.as(ReturnStmtSyntax.self)?.expression != nil
                return isValue && node.isLast ? [] : [node.removed]
            }
        }
    ]

    private static func removal(of expression: ExprSyntax, in node: CodeBlockItemSyntax, _ scope: Scope) -> [Change] {
        if let condition = expression.as(IfExprSyntax.self) {
            // Without a binding, it is a condition that is false.
            return condition.elseBody == nil && condition.conditions.hasBinding ? [node.removed] : []
        }
        if expression.is(SwitchExprSyntax.self) { return [] }
        guard let assignment = expression.as(InfixOperatorExprSyntax.self), expression.isAssignment else {
            // A value that is the result of its block is no statement.
            return node.isAlone && scope.returnType != nil && !expression.isEffect ? [] : [node.removed]
        }
        return scope.isInitializer ? [assignment.rightOperand.replaced(by: "nil")] : [node.removed]
    }

    /// Loops that leave out the first, the last, or all but the first.
    static let loops = [
        MutationOperator("loop", on: ForStmtSyntax.self) { node, _ in
            let sequence = node.sequence.trimmedDescription
            return [".dropFirst()", ".dropLast()", ".prefix(1)"].map {
                node.sequence.replaced(by: "(\(sequence))\($0)")
            }
        },
        MutationOperator("loop", on: WhileStmtSyntax.self) { node, _ in [node.whileKeyword.replaced(by: "if")] },
    ]

    /// Results that are empty, turned or one more.
    static let returns = [
        MutationOperator("return", on: ReturnStmtSyntax.self) { node, scope in
            guard let expression = node.expression, !node.isInClosure else { return [] }
            return Self.results(expression, of: scope.returnType)
        },
        MutationOperator("return", on: CodeBlockItemSyntax.self) { node, scope in
            guard case .expr(let expression) = node.item, node.isBody else { return [] }
            return Self.results(expression, of: scope.returnType)
        },
    ]

    private static func results(_ expression: ExprSyntax, of type: String?) -> [Change] {
        guard let type else { return [] }
        let text = expression.trimmedDescription
        let value =
            switch type {
            case "Bool": expression.is(BooleanLiteralExprSyntax.self) ? text : "!(\(text))"
            case "Int", "Int64": "(\(text)) + 1"
            case "String": "\"\""
            default: type.hasSuffix("?") ? "nil" : type.hasPrefix("[") ? "[]" : text
            }
        return value == text ? [] : [expression.replaced(by: value)]
    }

    /// Another error in the place of one that is thrown.
    static let errors = [
        MutationOperator("error", on: ThrowStmtSyntax.self) { node, _ in
            [node.expression.replaced(by: "StoreError(.internalFailure, \"mutant\")")]
        }
    ]
}

extension ConditionElementListSyntax {
    fileprivate var hasBinding: Bool {
        contains { element in
            if case .expression = element.condition { false } else { true }
        }
    }
}

extension CodeBlockItemSyntax {
    fileprivate var removed: Change { replaced(by: "()") }

    /// Whether a value is assigned in the statement, or another initializer is called.
    fileprivate var gives: Bool {
        trimmedDescription.contains("self.init(")
            || tokens(viewMode: .sourceAccurate).contains { $0.parent?.is(AssignmentExprSyntax.self) ?? false }
    }

    private var siblings: CodeBlockItemListSyntax? { parent?.as(CodeBlockItemListSyntax.self) }

    fileprivate var isLast: Bool { siblings?.last?.id == id }

    fileprivate var isAlone: Bool { siblings?.count == 1 }

    /// Whether the item is all of the body of a function or accessor.
    fileprivate var isBody: Bool {
        guard isAlone, let block = siblings?.parent else { return false }
        if block.is(AccessorBlockSyntax.self) { return true }
        return block.is(CodeBlockSyntax.self)
            && (block.parent?.is(FunctionDeclSyntax.self) ?? false
                || block.parent?.is(AccessorDeclSyntax.self) ?? false)
    }
}

extension ExprSyntax {
    fileprivate var isAssignment: Bool { self.as(InfixOperatorExprSyntax.self)?.operatorName == "=" }

    /// Whether the expression is there for what it does.
    fileprivate var isEffect: Bool {
        if let infix = self.as(InfixOperatorExprSyntax.self) {
            return (infix.operatorName ?? "").hasSuffix("=")
                && !["==", "!=", "<=", ">=", "===", "!=="].contains(infix.operatorName ?? "")
        }
        return false
    }
}

extension ReturnStmtSyntax {
    fileprivate var isInClosure: Bool {
        var node = parent
        while let one = node {
            if one.is(ClosureExprSyntax.self) { return true }
            if one.is(FunctionDeclSyntax.self) || one.is(AccessorBlockSyntax.self) { return false }
            node = one.parent
        }
        return false
    }
}
