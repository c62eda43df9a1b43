import SwiftOperators
import SwiftParser
import SwiftSyntax

/// A piece of program that has one switch for all of its mutants.
struct Site: Sendable {
    /// How the variants of the piece stand beside each other.
    enum Form: Sendable {
        /// A body that gives a value: each variant is a function inside it, of this type.
        case function(effects: String, result: String, needsReturn: Bool)
        /// A body that gives none, such as that of an initializer: each variant is a case.
        case statements
        /// A value: each variant is a branch of a conditional expression.
        case expression
    }

    let form: Form
    /// The bytes that a variant replaces.
    let range: Range<Int>
    /// The declaration, as the list of equals names it.
    let declaration: String
    let scope: Scope
    let node: Syntax
}

/// Finds the bodies and initial values of a file.
final class SiteFinder: SyntaxVisitor {
    private(set) var sites: [Site] = []
    private var names: [String] = []
    /// Whether the walk is in a body: what is declared there belongs to it.
    private var depth = 0

    static func sites(of source: String) -> [Site] {
        let tree = OperatorTable.standardOperators.foldAll(Parser.parse(source: source)) { _ in }
        let finder = SiteFinder(viewMode: .sourceAccurate)
        finder.walk(tree)
        return finder.sites
    }

    // MARK: Types

    private func enter(_ name: String) -> SyntaxVisitorContinueKind {
        names.append(name)
        return .visitChildren
    }

    override func visit(_ node: StructDeclSyntax) -> SyntaxVisitorContinueKind { enter(node.name.text) }
    override func visitPost(_ node: StructDeclSyntax) { names.removeLast() }
    override func visit(_ node: ClassDeclSyntax) -> SyntaxVisitorContinueKind { enter(node.name.text) }
    override func visitPost(_ node: ClassDeclSyntax) { names.removeLast() }
    override func visit(_ node: EnumDeclSyntax) -> SyntaxVisitorContinueKind { enter(node.name.text) }
    override func visitPost(_ node: EnumDeclSyntax) { names.removeLast() }
    override func visit(_ node: ActorDeclSyntax) -> SyntaxVisitorContinueKind { enter(node.name.text) }
    override func visitPost(_ node: ActorDeclSyntax) { names.removeLast() }
    override func visit(_ node: ExtensionDeclSyntax) -> SyntaxVisitorContinueKind {
        enter(node.extendedType.trimmedDescription)
    }
    override func visitPost(_ node: ExtensionDeclSyntax) { names.removeLast() }
    override func visit(_ node: ProtocolDeclSyntax) -> SyntaxVisitorContinueKind { .skipChildren }

    // MARK: Functions

    override func visit(_ node: FunctionDeclSyntax) -> SyntaxVisitorContinueKind {
        let result = node.signature.returnClause?.type.trimmedDescription
        addDefaults(node.signature.parameterClause, of: node.name.text)
        if let body = node.body {
            add(
                body.statements, named: label(node.name.text, node.signature.parameterClause), returning: result,
                effects: node.signature.effectSpecifiers?.trimmedDescription ?? "",
                parameters: node.signature.parameterClause)
        }
        return .skipChildren
    }

    override func visit(_ node: InitializerDeclSyntax) -> SyntaxVisitorContinueKind {
        addDefaults(node.signature.parameterClause, of: "init")
        if let body = node.body {
            var scope = Scope(parameters: Self.parameters(node.signature.parameterClause))
            scope.isInitializer = true
            append(.statements, body.statements, named: label("init", node.signature.parameterClause), scope)
        }
        return .skipChildren
    }

    override func visit(_ node: DeinitializerDeclSyntax) -> SyntaxVisitorContinueKind {
        if let body = node.body { append(.statements, body.statements, named: "deinit", Scope()) }
        return .skipChildren
    }

    override func visit(_ node: SubscriptDeclSyntax) -> SyntaxVisitorContinueKind {
        addAccessors(node.accessorBlock, of: "subscript", type: node.returnClause.type.trimmedDescription)
        return .skipChildren
    }

    // MARK: Properties

    override func visit(_ node: PatternBindingSyntax) -> SyntaxVisitorContinueKind {
        let name = node.pattern.trimmedDescription
        addAccessors(node.accessorBlock, of: name, type: node.typeAnnotation?.type.trimmedDescription)
        if let value = node.initializer?.value { appendExpression(value, named: name) }
        return .skipChildren
    }

    private func addAccessors(_ block: AccessorBlockSyntax?, of name: String, type: String?) {
        switch block?.accessors {
        case .getter(let statements):
            add(statements, named: name, returning: type, effects: "", parameters: nil)
        case .accessors(let accessors):
            for accessor in accessors {
                guard let statements = accessor.body?.statements else { continue }
                if accessor.accessorSpecifier.text == "get" {
                    add(
                        statements, named: name, returning: type,
                        effects: accessor.effectSpecifiers?.trimmedDescription ?? "", parameters: nil)
                } else {
                    append(.statements, statements, named: "\(name).\(accessor.accessorSpecifier.text)", Scope())
                }
            }
        case nil: break
        }
    }

    // MARK: Sites

    private func addDefaults(_ clause: FunctionParameterClauseSyntax, of function: String) {
        for parameter in clause.parameters {
            guard let value = parameter.defaultValue?.value else { continue }
            appendExpression(value, named: "\(label(function, clause)).\(parameter.firstName.text)")
        }
    }

    private func add(
        _ statements: CodeBlockItemListSyntax, named name: String, returning result: String?, effects: String,
        parameters: FunctionParameterClauseSyntax?
    ) {
        // What makes an error tells people about it.
        guard result != "StoreError" else { return }
        var scope = Scope()
        scope.returnType = result == "Void" ? nil : result
        scope.parameters = parameters.map(Self.parameters) ?? []
        append(
            .function(
                effects: effects, result: scope.returnType ?? "Void",
                needsReturn: scope.returnType != nil && statements.isValue),
            statements, named: name, scope)
    }

    private func append(_ form: Site.Form, _ statements: CodeBlockItemListSyntax, named name: String, _ scope: Scope) {
        guard !statements.isEmpty else { return }
        sites.append(
            Site(
                form: form, range: statements.range, declaration: (names + [name]).joined(separator: "."), scope: scope,
                node: Syntax(statements)))
    }

    private func appendExpression(_ value: ExprSyntax, named name: String) {
        sites.append(
            Site(
                form: .expression, range: value.range, declaration: (names + [name]).joined(separator: "."),
                scope: Scope(), node: Syntax(value)))
    }

    private func label(_ name: String, _ clause: FunctionParameterClauseSyntax) -> String {
        "\(name)(\(clause.parameters.map { "\($0.firstName.text):" }.joined()))"
    }

    private static func parameters(_ clause: FunctionParameterClauseSyntax) -> [Scope.Parameter] {
        clause.parameters.map {
            Scope.Parameter(name: ($0.secondName ?? $0.firstName).text, type: $0.type.trimmedDescription)
        }
    }
}

extension CodeBlockItemListSyntax {
    /// Whether the only statement is the value of its body.
    fileprivate var isValue: Bool {
        guard count == 1, let item = first?.item else { return false }
        switch item {
        case .decl: return false
        case .expr: return true
        case .stmt(let statement):
            guard let expression = statement.as(ExpressionStmtSyntax.self)?.expression else { return false }
            return !ReturnFinder.contains(expression)
        }
    }
}

/// Looks for a `return` of the function itself.
private final class ReturnFinder: SyntaxVisitor {
    private var isFound = false

    static func contains(_ node: some SyntaxProtocol) -> Bool {
        let finder = ReturnFinder(viewMode: .sourceAccurate)
        finder.walk(node)
        return finder.isFound
    }

    override func visit(_ node: ReturnStmtSyntax) -> SyntaxVisitorContinueKind {
        isFound = true
        return .skipChildren
    }
    override func visit(_ node: ClosureExprSyntax) -> SyntaxVisitorContinueKind { .skipChildren }
    override func visit(_ node: FunctionDeclSyntax) -> SyntaxVisitorContinueKind { .skipChildren }
}
