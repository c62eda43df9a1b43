import SwiftSyntax

extension MutationOperator {
    /// Texts and numbers that lose something on the way.
    static let narrowing = [
        MutationOperator("narrowing") { node, _ in
            guard let name = Self.valueName(node) else { return [] }
            let text = node.trimmedDescription
            return Self.losses.filter { $0.names.contains(name) }.flatMap(\.forms).map { form in
                node.replaced(by: form.split(separator: "§", omittingEmptySubsequences: false).joined(separator: text))
            }
        }
    ]

    /// What fields lose; § is the value. What a limit or a check keeps from them is not among it: no session has 2^31
    /// messages, and no actor name has control characters.
    private static let losses: [(names: Set<String>, forms: [String])] = [
        (
            ["content", "toolCallID"],
            [
                // At the first NUL, as in C.
                "String(§.prefix { $0 != \"\\0\" })", "§.map { String($0.prefix { $0 != \"\\0\" }) }",
                // Line ends.
                "String(§.map { $0 == \"\\r\\n\" ? \"\\n\" : $0 })",
                "§.map { String($0.map { $0 == \"\\r\\n\" ? \"\\n\" : $0 }) }",
            ]
        ),
        (
            ["content", "toolCallID", "actorName"],
            [
                "§.lowercased()", "§.map { $0.lowercased() }", "§.flatMap { $0.isEmpty ? nil : $0 }",
                "(§.last == \" \" ? String(§.dropLast()) : §)",
                "§.map { $0.last == \" \" ? String($0.dropLast()) : $0 }",
            ]
        ),
        (["content"], ["String(§.prefix(4096))"]),
        (["toolCallID", "actorName"], ["String(§.prefix(64))", "§.map { String($0.prefix(64)) }"]),
        (["messageCount", "sequence"], [".init(Int16(truncatingIfNeeded: §))"]),
        (["inputTokens", "outputTokens", "estimatedCost"], [".init(Int32(truncatingIfNeeded: §))"]),
        (
            ["createdAt", "updatedAt", "time", "revision"],
            ["(Timestamp(microseconds: §.microseconds / 1000 * 1000) ?? §)"]
        ),
        (["metadata"], ["JSONObject()", "§.map { _ in JSONObject() }"]),
        (["usage"], [".zero"]),
        (["toolCallID", "usage"], ["nil"]),
    ]

    /// The name of the field, where the node is a value that is handed on: an argument, or what is assigned.
    private static func valueName(_ node: Syntax) -> String? {
        let isHandedOn: Bool =
            if node.parent?.is(LabeledExprSyntax.self) ?? false { true } else {
                node.parent?.as(InfixOperatorExprSyntax.self).map {
                    $0.operatorName == "=" && $0.rightOperand.id == node.id
                } ?? false
            }
        guard isHandedOn, !node.isArgumentOfCheck else { return nil }
        if let member = node.as(MemberAccessExprSyntax.self) { return member.declName.baseName.text }
        return node.as(DeclReferenceExprSyntax.self)?.baseName.text
    }
}

extension Syntax {
    /// Whether the node is an argument of a check, which only looks at it.
    fileprivate var isArgumentOfCheck: Bool {
        let call = parent?.parent?.parent?.as(FunctionCallExprSyntax.self)
        return call?.calledExpression.trimmedDescription == "check"
    }
}
