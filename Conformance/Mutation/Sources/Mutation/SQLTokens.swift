/// A word, number, sign or parameter of SQL, as it stands in the source of a string literal.
struct SQLToken: Equatable {
    /// The text, in upper case where it is a keyword.
    let text: String
    /// Where it is: bytes of the file.
    let range: Range<Int>

    /// Whether it is the name of a column or table.
    var isName: Bool { text.first.map { $0.isLetter || $0 == "_" } ?? false && !Self.keywords.contains(text) }

    /// Whether it is a parameter, numbered or not.
    var isParameter: Bool { text.hasPrefix("?") }

    fileprivate static let keywords: Set = [
        "SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "ORDER", "BY", "DESC", "ASC", "LIMIT", "OFFSET", "INSERT",
        "INTO",
        "VALUES", "UPDATE", "SET", "DELETE", "IN", "IS", "NULL", "ON", "CONFLICT", "DO", "RETURNING", "JOIN", "USING",
        "BEGIN", "IMMEDIATE", "COMMIT", "ROLLBACK", "PRAGMA", "AS",
    ]

    /// The tokens of a literal whose source is `literal` and begins at `offset`. What is put in at run time, `\(…)`, is
    /// one token.
    static func tokens(of literal: String, at offset: Int) -> [SQLToken] {
        let bytes = Array(literal.utf8)
        var tokens: [SQLToken] = []
        var index = 0
        func isWord(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
        while index < bytes.count {
            let start = index
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\\"), index < bytes.count {
                guard bytes[index] == UInt8(ascii: "(") else { continue }
                var depth = 0
                repeat {
                    if bytes[index] == UInt8(ascii: "(") { depth += 1 }
                    if bytes[index] == UInt8(ascii: ")") { depth -= 1 }
                    index += 1
                } while depth > 0 && index < bytes.count
            } else if isWord(byte) || byte == UInt8(ascii: "?") {
                while index < bytes.count, isWord(bytes[index]) { index += 1 }
            } else if "<>=!".utf8.contains(byte) {
                while index < bytes.count, "<>=".utf8.contains(bytes[index]) { index += 1 }
            } else if !"(),*+-".utf8.contains(byte) {
                continue
            }
            let text = String(decoding: bytes[start..<index], as: UTF8.self)
            let upper = text.uppercased()
            tokens.append(
                SQLToken(
                    text: keywords.contains(upper) ? upper : text, range: (offset + start)..<(offset + index)))
        }
        return tokens
    }

    /// Whether these are of SQL and not of a text for people.
    static func areSQL(_ tokens: [SQLToken]) -> Bool {
        let texts = tokens.map(\.text)
        guard texts.contains(where: { keywords.contains($0) || $0 == "?" || $0.hasPrefix("?1") }) else { return false }
        let signs = ["=", "<", ">", "<=", ">=", "?", "*", "SELECT", "INSERT", "WHERE", "PRAGMA"]
        return texts.contains(where: signs.contains)
            || texts == ["AND"] || texts == ["OR"]
            || tokens.allSatisfy { keywords.contains($0.text) }
    }
}
