import SwiftSyntax

extension MutationOperator {
    /// Mistakes in the SQL of string literals.
    static let sql = [
        MutationOperator("sql", on: StringLiteralExprSyntax.self) { node, _ in
            let source = node.trimmedDescription
            let tokens = SQLToken.tokens(of: source, at: node.range.lowerBound)
            guard SQLToken.areSQL(tokens) else { return [] }
            let statement = SQLLiteral(source: source, offset: node.range.lowerBound, tokens: tokens)
            return statement.signs + statement.conditions + statement.order + statement.bounds + statement.columns
        }
    ]

    /// Other texts: one that is gone.
    static let texts = [
        MutationOperator("text", on: StringLiteralExprSyntax.self) { node, _ in
            let source = node.trimmedDescription
            // What is written for people, no rule says how.
            guard source.utf8.count > 2, !ExprSyntax(node).isProse, !SQLToken.areSQL(SQLToken.tokens(of: source, at: 0))
            else { return [] }
            return [node.replaced(by: "\"\"")]
        }
    ]
}

/// A literal that holds SQL.
private struct SQLLiteral {
    let source: String
    let offset: Int
    let tokens: [SQLToken]

    private func text(_ range: Range<Int>) -> String {
        String(decoding: Array(source.utf8)[(range.lowerBound - offset)..<(range.upperBound - offset)], as: UTF8.self)
    }

    /// The tokens after `keywords`, up to one of `ends`.
    private func clause(after keywords: [String], until ends: Set<String>) -> ArraySlice<SQLToken> {
        guard
            let start = tokens.indices.first(where: { index in
                tokens[index...].prefix(keywords.count).map(\.text) == keywords
            })
        else { return [] }
        let rest = tokens[(start + keywords.count)...]
        return rest[..<(rest.firstIndex { ends.contains($0.text) } ?? rest.endIndex)]
    }

    private func replaced(_ token: SQLToken, by text: String) -> Change {
        Change(range: token.range, replacement: text)
    }

    private func swapped(_ first: SQLToken, _ second: SQLToken) -> Change? {
        guard first.text != second.text else { return nil }
        let between = text(first.range.upperBound..<second.range.lowerBound)
        return Change(
            range: first.range.lowerBound..<second.range.upperBound,
            replacement: text(second.range) + between + text(first.range))
    }

    /// Each of a few with the next and the one after that.
    private func swaps(_ tokens: [SQLToken]) -> [Change] {
        tokens.indices.flatMap { index in
            [index + 1, index + 2].filter(tokens.indices.contains).compactMap { swapped(tokens[index], tokens[$0]) }
        }
    }

    /// Comparisons turned and moved by one, AND for OR.
    var signs: [Change] {
        let assigned = clause(after: ["SET"], until: ["WHERE"]).filter { $0.text == "=" }
        let others = [
            "=": ["<>", "<=", ">="], "<": ["<=", ">"], "<=": ["<", ">="], ">": [">=", "<"], ">=": [">", "<="],
            "<>": ["="], "AND": ["OR"], "OR": ["AND"],
        ]
        return tokens.filter { !assigned.contains($0) }.flatMap { token in
            (others[token.text] ?? []).map { replaced(token, by: $0) }
        }
    }

    /// Conditions left out. Their parameters stay, so that those that follow keep their numbers.
    var conditions: [Change] {
        let isFragment = !tokens.contains { ["SELECT", "UPDATE", "DELETE", "INSERT"].contains($0.text) }
        let all = isFragment ? tokens[...] : clause(after: ["WHERE"], until: ["ORDER", "LIMIT", "RETURNING"])
        var changes: [Change] = []
        for condition in all.split(whereSeparator: { ["AND", "OR"].contains($0.text) }) {
            guard condition.contains(where: { "<>=".contains($0.text.prefix(1)) }), let first = condition.first,
                let last = condition.last
            else { continue }
            let range = first.range.lowerBound..<last.range.upperBound
            changes.append(Change(range: range, replacement: "(1 OR \(text(range)))"))
        }
        // The last of several columns that are compared together.
        if let open = all.firstIndex(where: { $0.text == "(" }),
            let close = all[open...].firstIndex(where: { $0.text == ")" }),
            all[open..<close].contains(where: { $0.text == "," })
        {
            changes.append(replaced(all[close - 1], by: "''"))
        }
        return changes
    }

    /// The order turned, and its keys left out.
    var order: [Change] {
        let clause = clause(after: ["ORDER", "BY"], until: ["LIMIT", "RETURNING"])
        guard let first = clause.first, let last = clause.last else { return [] }
        var changes: [Change] = []
        let keys = clause.split { $0.text == "," }
        for key in keys {
            guard let name = key.first, let end = key.last else { continue }
            switch end.text {
            case "DESC": changes.append(replaced(end, by: "ASC"))
            case "ASC": changes.append(replaced(end, by: "DESC"))
            default: changes.append(replaced(end, by: "\(text(name.range)) DESC"))
            }
            if keys.count > 1 {
                changes.append(Change(range: name.range.lowerBound..<end.range.upperBound, replacement: "NULL"))
            }
        }
        return changes + [Change(range: first.range.lowerBound..<last.range.upperBound, replacement: "NULL")]
    }

    /// Bounds one larger, or without effect.
    var bounds: [Change] {
        tokens.indices.dropLast().flatMap { index -> [Change] in
            let bound = tokens[index + 1]
            switch tokens[index].text {
            case "LIMIT": return ["\(bound.text) + 1", "-1 + 0 * \(bound.text)"].map { replaced(bound, by: $0) }
            case "OFFSET": return ["\(bound.text) + 1", "0 * \(bound.text)"].map { replaced(bound, by: $0) }
            default: return []
            }
        }
    }

    /// Columns and parameters that change places, and columns that keep what they had.
    var columns: [Change] {
        let selected = clause(after: ["SELECT"], until: ["FROM"]).filter(\.isName)
        let inserted =
            tokens.contains { $0.text == "INSERT" }
            ? tokens.drop { $0.text != "(" }.prefix { $0.text != ")" }.filter(\.isName) : []
        let set = clause(after: ["SET"], until: ["WHERE"])
        let kept = set.split { $0.text == "," }.compactMap { item -> Change? in
            guard let name = item.first, let value = item.last, item.count == 3 else { return nil }
            return replaced(value, by: "COALESCE(\(text(name.range)), \(value.text))")
        }
        let compared = clause(after: ["WHERE"], until: ["ORDER", "LIMIT"]).filter(\.isParameter)
        return swaps(Array(selected)) + swaps(Array(inserted)) + swaps(set.filter(\.isParameter)) + kept
            + swaps(Array(compared))
    }
}
