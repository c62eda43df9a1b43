import SwiftSyntax

extension MutationOperator {
    /// A call left out of a chain: what it was called on is the result.
    static let calls = [
        MutationOperator("call", on: FunctionCallExprSyntax.self) { node, _ in
            guard let member = node.calledExpression.as(MemberAccessExprSyntax.self), let base = member.base,
                !base.namesType, !node.isStatement
            else { return [] }
            return [node.replaced(by: base.trimmedDescription)]
        }
    ]

    /// A name for another that is easily taken for it.
    static let names = [
        MutationOperator("name", on: DeclReferenceExprSyntax.self) { node, scope in
            // An initializer must give each property a value.
            if scope.isInitializer, node.isAssigned { return [] }
            let name = node.baseName.text
            let isLabel = node.parent?.is(KeyPathPropertyComponentSyntax.self) ?? false
            let isMember = node.parent?.as(MemberAccessExprSyntax.self)?.declName.id == node.id
            var others = Self.alike.first { $0.contains(name) }?.filter { $0 != name } ?? []
            if !isMember, !isLabel, let type = scope.parameters.first(where: { $0.name == name })?.type {
                others += scope.parameters.filter { $0.type == type && $0.name != name }.map(\.name)
            }
            return others.map(node.baseName.replaced)
        }
    ]

    /// Names that stand for each other where a type allows it.
    private static let alike = [
        ["createdAt", "updatedAt"], ["inputTokens", "outputTokens", "estimatedCost"], ["first", "last"],
        ["min", "max"],
        ["prefix", "suffix"], ["dropFirst", "dropLast"], ["removeFirst", "removeLast"], ["lowerBound", "upperBound"],
        ["createdFrom", "createdBefore", "updatedFrom", "updatedBefore"],
        ["contentBytes", "metadataBytes", "toolCallIDBytes", "actorNameBytes", "batchMessages", "pageItems"],
        ["limit", "offset"], ["id", "sessionID"], ["low", "high"], ["leading", "trailing"],
    ]

    /// Arguments that change places, and those that may be left out.
    static let arguments = [
        MutationOperator("argument", on: FunctionCallExprSyntax.self) { node, _ in
            let arguments = Array(node.arguments).filter { !$0.expression.is(ClosureExprSyntax.self) }
            var changes: [Change] = []
            let name = node.calledExpression.trimmedDescription.split(separator: ".").last ?? ""
            for (index, first) in arguments.enumerated() where !["min", "max", "isIdentical"].contains(name) {
                changes += arguments[(index + 1)...].compactMap { swapped(first.expression, $0.expression) }
            }
            // Of calls that make a value: a parameter with a default may be forgotten.
            guard node.calledExpression.namesType, arguments.count > 1 else { return changes }
            return changes
                + arguments.filter { $0.label != nil }.map { argument in
                    let isLast = argument.id == node.arguments.last?.id
                    guard isLast, let previous = arguments.dropLast().last else {
                        return Change(
                            range: argument.range.lowerBound..<argument.endPosition.utf8Offset, replacement: "")
                    }
                    // The comma before it goes too.
                    return Change(
                        range: previous.expression.range.upperBound..<argument.range.upperBound, replacement: "")
                }
        },
        MutationOperator("argument", on: TupleExprSyntax.self) { node, _ in
            guard node.elements.count == 2, let first = node.elements.first, let last = node.elements.last else {
                return []
            }
            return [swapped(first.expression, last.expression)].compactMap { $0 }
        },
    ]

    /// A case that does what the next one does.
    static let switches = [
        MutationOperator("case", on: SwitchExprSyntax.self) { node, _ in
            let bodies = node.cases.compactMap { $0.as(SwitchCaseSyntax.self)?.statements }
            guard bodies.count > 1 else { return [] }
            return bodies.indices.compactMap { index in
                let other = bodies[(index + 1) % bodies.count].trimmedDescription
                return other == bodies[index].trimmedDescription ? nil : bodies[index].replaced(by: other)
            }
        }
    ]
}

extension DeclReferenceExprSyntax {
    /// Whether the name, or what it is a member of, is on the left of an assignment.
    fileprivate var isAssigned: Bool {
        var node = Syntax(self)
        while let parent = node.parent, !parent.is(InfixOperatorExprSyntax.self) { node = parent }
        guard let infix = node.parent?.as(InfixOperatorExprSyntax.self) else { return false }
        return infix.operatorName == "=" && infix.leftOperand.id == node.id
    }
}

extension FunctionCallExprSyntax {
    /// Whether the call is a statement, and no value of its block: without it, nothing is left of the statement.
    fileprivate var isStatement: Bool {
        var node = parent
        while let one = node, one.is(TryExprSyntax.self) || one.is(AwaitExprSyntax.self) { node = one.parent }
        guard let list = node?.as(CodeBlockItemSyntax.self)?.parent?.as(CodeBlockItemListSyntax.self) else {
            return false
        }
        if list.count > 1 { return true }
        // The body of a loop, a condition or a defer, as against that of a function, an accessor or a closure.
        let owner = list.parent?.as(CodeBlockSyntax.self)?.parent
        return owner.map { !$0.is(FunctionDeclSyntax.self) && !$0.is(AccessorDeclSyntax.self) } ?? false
    }
}

extension ExprSyntax {
    /// Whether the expression is the name of a type, as far as names tell, or `self`.
    fileprivate var namesType: Bool {
        let text = trimmedDescription
        let name = text.split(separator: ".").last ?? ""
        return text == "self" || text == "super" || name == "init" || (name.first?.isUppercase ?? false)
    }
}
