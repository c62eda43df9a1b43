import Testing

@testable import Mutation

@Suite("Mutation operators")
struct OperatorTests {
    /// What becomes of a source by the operators of one kind: the changed lines.
    private func variants(_ kind: String, of source: String) -> [String] {
        MutatedFile(path: "Sources/X/File.swift", source: source).mutants.filter { $0.key.kind == kind }.map { mutant in
            String(mutant.key.change.split(separator: " → ", maxSplits: 1)[1])
        }
    }

    /// What becomes of a statement of a function.
    private func variants(_ kind: String, ofStatement statement: String) -> [String] {
        variants(kind, of: "func f(a: Int, b: Int, c: String) {\n    \(statement)\n    let z = w\n}")
    }

    @Test(
        "An operator makes the mistakes of its kind and no others",
        arguments: [
            ("comparison", "x = a < b", ["x = a <= b", "x = a > b"]),
            ("comparison", "x = a == b", ["x = a != b", "x = a <= b", "x = a >= b"]),
            ("condition", "if ok { g() }", ["if !(ok) { g() }", "if true { g() }", "if false { g() }"]),
            ("condition", "if a < b { g() }", ["if true { g() }", "if false { g() }"]),
            (
                "condition", "guard ok, a < b else { return }",
                [
                    "guard !(ok), a < b else { return }", "guard true, a < b else { return }",
                    "guard ok, true else { return }",
                ]
            ),
            ("condition", "while ok { g() }", ["while !(ok) { g() }", "while false { g() }"]),
            ("condition", "x = ok ? a : b", ["x = !(ok) ? a : b", "x = (a)", "x = (b)"]),
            ("logic", "x = ok && no", ["x = ok || no", "x = ok", "x = no"]),
            ("logic", "x = !ok", ["x = ok"]),
            ("logic", "x = some ?? none", ["x = none"]),
            ("arithmetic", "x = n + m", ["x = n - m", "x = n", "x = m"]),
            ("arithmetic", "x += n", ["x -= n", "x = n"]),
            ("range", "x = list[..<n]", ["x = list[...n]"]),
            ("range", "x = n..<m", ["x = n...m"]),
            ("constant", "x = 10_000", ["x = 10001", "x = 9999"]),
            ("constant", "x = 0", ["x = 1"]),
            ("constant", "x = true", ["x = false"]),
            ("statement", "x.reset()", ["()"]),
            ("statement", "throw error", ["()"]),
            ("statement", "if let y { h() }", ["()", "if let y { () }"]),
            (
                "loop", "for y in list { h() }",
                [
                    "for y in (list).dropFirst() { h() }", "for y in (list).dropLast() { h() }",
                    "for y in (list).prefix(1) { h() }",
                ]
            ),
            ("call", "x = list.reversed()", ["x = list"]),
            ("call", "list.removeAll()", []),
            ("name", "x = s.createdAt", ["x = s.updatedAt"]),
            ("name", "x = a", ["x = b"]),
            ("argument", "h(a, b)", ["h(b, a)"]),
            ("argument", "x = min(a, b)", []),
            (
                "argument", "x = Session(id: i, usage: u)",
                [
                    "x = Session(id: u, usage: i)", "x = Session(usage: u)", "x = Session(id: i)",
                ]
            ),
            (
                "case", "switch y { case .one: h(); case .two: k() }",
                [
                    "switch y { case .one: k() case .two: k() }", "switch y { case .one: h(); case .two: h(); }",
                ]
            ),
            ("text", #"x = "name""#, [#"x = """#]),
            ("text", #"x = "A text for people.""#, []),
            ("narrowing", "h(m.sequence)", ["h(.init(Int16(truncatingIfNeeded: m.sequence)))"]),
            ("narrowing", "check(m.sequence)", []),
            (
                "error", #"throw StoreError(.conflict, "It is \(a + 1).")"#,
                [
                    #"throw StoreError(.internalFailure, "mutant")"#
                ]
            ),
            ("constant", #"throw StoreError(.conflict, "It is \(a + 1).")"#, []),
        ] as [(String, String, [String])])
    func mistakes(_ kind: String, _ statement: String, _ expected: [String]) {
        #expect(variants(kind, ofStatement: statement) == expected)
    }

    @Test(
        "SQL is changed inside its literal",
        arguments: [
            (
                "SELECT a, b FROM t WHERE id = ?1 AND n > ?2 ORDER BY n DESC",
                [
                    "SELECT a, b FROM t WHERE id <> ?1 AND n > ?2 ORDER BY n DESC",
                    "SELECT a, b FROM t WHERE id <= ?1 AND n > ?2 ORDER BY n DESC",
                    "SELECT a, b FROM t WHERE id >= ?1 AND n > ?2 ORDER BY n DESC",
                    "SELECT a, b FROM t WHERE id = ?1 OR n > ?2 ORDER BY n DESC",
                    "SELECT a, b FROM t WHERE id = ?1 AND n >= ?2 ORDER BY n DESC",
                    "SELECT a, b FROM t WHERE id = ?1 AND n < ?2 ORDER BY n DESC",
                    "SELECT a, b FROM t WHERE (1 OR id = ?1) AND n > ?2 ORDER BY n DESC",
                    "SELECT a, b FROM t WHERE id = ?1 AND (1 OR n > ?2) ORDER BY n DESC",
                    "SELECT a, b FROM t WHERE id = ?1 AND n > ?2 ORDER BY n ASC",
                    "SELECT a, b FROM t WHERE id = ?1 AND n > ?2 ORDER BY NULL",
                    "SELECT b, a FROM t WHERE id = ?1 AND n > ?2 ORDER BY n DESC",
                    "SELECT a, b FROM t WHERE id = ?2 AND n > ?1 ORDER BY n DESC",
                ]
            ),
            (
                "UPDATE t SET a = ?1, b = ?2 WHERE id = ?3",
                [
                    "UPDATE t SET a = ?1, b = ?2 WHERE id <> ?3", "UPDATE t SET a = ?1, b = ?2 WHERE id <= ?3",
                    "UPDATE t SET a = ?1, b = ?2 WHERE id >= ?3", "UPDATE t SET a = ?1, b = ?2 WHERE (1 OR id = ?3)",
                    "UPDATE t SET a = ?2, b = ?1 WHERE id = ?3",
                    "UPDATE t SET a = COALESCE(a, ?1), b = ?2 WHERE id = ?3",
                    "UPDATE t SET a = ?1, b = COALESCE(b, ?2) WHERE id = ?3",
                ]
            ),
            ("INSERT INTO t (a, b) VALUES (?1, ?2)", ["INSERT INTO t (b, a) VALUES (?1, ?2)"]),
            (
                "SELECT a FROM t ORDER BY x, y LIMIT ? OFFSET ?",
                [
                    "SELECT a FROM t ORDER BY x DESC, y LIMIT ? OFFSET ?",
                    "SELECT a FROM t ORDER BY NULL, y LIMIT ? OFFSET ?",
                    "SELECT a FROM t ORDER BY x, y DESC LIMIT ? OFFSET ?",
                    "SELECT a FROM t ORDER BY x, NULL LIMIT ? OFFSET ?",
                    "SELECT a FROM t ORDER BY NULL LIMIT ? OFFSET ?",
                    "SELECT a FROM t ORDER BY x, y LIMIT ? + 1 OFFSET ?",
                    "SELECT a FROM t ORDER BY x, y LIMIT -1 + 0 * ? OFFSET ?",
                    "SELECT a FROM t ORDER BY x, y LIMIT ? OFFSET ? + 1",
                    "SELECT a FROM t ORDER BY x, y LIMIT ? OFFSET 0 * ?",
                ]
            ),
            ("(x, y) < (?, ?)", ["(x, y) <= (?, ?)", "(x, y) > (?, ?)", "(1 OR (x, y) < (?, ?))", "(x, '') < (?, ?)"]),
            (" AND ", [" OR "]),
            ("What is written for people and not for a machine.", []),
        ] as [(String, [String])])
    func sql(_ text: String, _ expected: [String]) {
        #expect(
            variants("sql", ofStatement: "x = \"\(text)\"") == expected.map { "x = \"\($0)\"" })
    }

    @Test("A returned value becomes nothing, its opposite or one more")
    func results() {
        #expect(variants("return", of: "func f() -> Int? { g() }") == ["func f() -> Int? { nil }"])
        #expect(variants("return", of: "func f() -> [Int] { return g() }") == ["func f() -> [Int] { return [] }"])
        #expect(variants("return", of: "var isIt: Bool { g() }") == ["var isIt: Bool { !(g()) }"])
        #expect(variants("return", of: "func f() -> Int { g() }") == ["func f() -> Int { (g()) + 1 }"])
        #expect(variants("return", of: "func f() -> Other { g() }") == [])
    }

    @Test("A mutated initializer leaves no property without a value")
    func initializers() {
        let source = """
            struct S {
                init(a: Int, b: Int) {
                    createdAt = a
                    if a > 1 {
                        self.updatedAt = b
                    } else {
                        self.init()
                    }
                    check(a)
                }
            }
            """
        #expect(variants("statement", of: source) == ["createdAt = nil", "self.updatedAt = nil", "()"])
        #expect(!variants("name", of: source).contains { $0.hasPrefix("updatedAt") || $0.contains("self.createdAt") })
    }

    @Test("Two changes that make the same program are one mutant")
    func same() {
        let changes = MutatedFile(path: "F.swift", source: "func f() -> Bool { return a == b }").mutants.map(
            \.key.change)
        #expect(Set(changes).count == changes.count)
    }

    @Test("Code that makes an error, and code that compares only words, is not mutated")
    func errors() {
        #expect(
            MutatedFile(
                path: "F.swift", source: "func f(n: Int) -> StoreError { StoreError(.conflict, \"\\(n + 1)\") }"
            )
            .mutants.isEmpty)
    }
}
