import Testing

@testable import Mutation

@Suite("Mutants and the files that hold them")
struct MutantTests {
    private static let source = """
        public struct Box {
            static let limit = 5
            var items: [Int] = []

            public func find(_ item: Int, from start: Int = 1) throws(E) -> Int? {
                if items.isEmpty { return nil }
                return items.firstIndex { $0 == item }
            }

            var isFull: Bool { items.count >= Self.limit }

            init(_ items: [Int]) {
                self.items = items
                check(items)
            }
        }
        """

    private var file: MutatedFile { MutatedFile(path: "Sources/X/Box.swift", source: Self.source, from: 10) }

    @Test("A mutant is named by file, declaration, kind and change, whatever its line")
    func keys() throws {
        let moved = MutatedFile(path: "Sources/Y/Box.swift", source: "// A line more.\n\n" + Self.source)
        #expect(moved.mutants.map(\.key) == file.mutants.map(\.key))
        #expect(Set(file.mutants.map(\.key)).count == file.mutants.count)
        #expect(
            Set(file.mutants.map(\.key.declaration)) == [
                "Box.limit", "Box.find(_:from:)", "Box.find(_:from:).from", "Box.isFull", "Box.init(_:)",
            ])
        let mutant = try #require(
            file.mutants.first { $0.key.declaration == "Box.isFull" && $0.key.kind == "comparison" })
        #expect(
            mutant.key.line
                == "Box.swift\tBox.isFull\tcomparison\tvar isFull: Bool { items.count >= Self.limit } → "
                + "var isFull: Bool { items.count > Self.limit }\t1")
        #expect(mutant.line == 10)
    }

    @Test("Mutants are numbered on from the first number, and those of one site stay together")
    func numbers() {
        #expect(file.mutants.map(\.number) == Array(10..<(10 + file.mutants.count)))
        #expect(file.mutants.map(\.site) == file.mutants.map(\.site).sorted())
    }

    @Test("Only the wanted declarations are mutated")
    func wanted() {
        let file = MutatedFile(path: "Box.swift", source: Self.source) { $0 == "Box.limit" }
        #expect(
            file.mutants.map(\.key.change) == [
                "static let limit = 5 → static let limit = 6", "static let limit = 5 → static let limit = 4",
            ])
    }

    @Test("Every mutant stands in the file behind the switch, on lines of its own")
    func schemata() throws {
        let numbers = Set(file.mutants.map(\.number))
        let schemata = Schemata(file, only: numbers)
        #expect(Set(schemata.lines.map(\.mutant)) == numbers)
        let lines = schemata.text.split(separator: "\n", omittingEmptySubsequences: false)
        for mutant in file.mutants {
            let range = try #require(schemata.lines.first { $0.mutant == mutant.number }?.lines)
            let text = lines[(range.lowerBound - 1)...(range.upperBound - 1)].joined(separator: "\n")
            #expect(text.contains(mutant.change.replacement), "\(mutant.key)")
            for line in range.dropFirst().dropLast() { #expect(schemata.mutant(at: line) == mutant.number) }
        }
    }

    @Test("A file without mutants keeps its text, apart from the import")
    func untouched() {
        #expect(Schemata(file, only: []).text == "public import MutationSwitch\n" + Self.source)
    }

    @Test("A body becomes a function for each mutant, a value becomes a branch, and an initializer becomes a case")
    func forms() throws {
        let body = try #require(file.mutants.first { $0.key.declaration == "Box.find(_:from:)" })
        let text = Schemata(file, only: [body.number]).text
        #expect(text.contains("func mutant\(body.number)() throws(E) -> Int? {"))
        #expect(text.contains("case \(body.number): return try mutant\(body.number)()"))
        let getter = try #require(file.mutants.first { $0.key.declaration == "Box.isFull" })
        #expect(Schemata(file, only: [getter.number]).text.contains("return items.count >= Self.limit"))
        let value = try #require(file.mutants.first { $0.key.declaration == "Box.limit" })
        #expect(
            Schemata(file, only: [value.number]).text
                .contains(
                    "static let limit = (mutation_switch(\(value.number), \(value.number)) == \(value.number) ? (\n6\n) : (5))"
                ))
        let initializer = try #require(file.mutants.first { $0.key.declaration == "Box.init(_:)" })
        #expect(Schemata(file, only: [initializer.number]).text.contains("case \(initializer.number):\n"))
    }

    @Test("A compiler error is assigned to a mutant by its line, and any other error is kept")
    func compilerErrors() throws {
        let numbers = Set(file.mutants.map(\.number))
        let schemata = Schemata(file, only: numbers)
        let path = "MutatedMemory/Box.swift"
        let (mutant, lines) = try #require(schemata.lines.first { $0.lines.count > 2 })
        let own = "/tmp/package/\(path):\(lines.lowerBound + 1):9: error: cannot convert: a: b"
        let errors = CompilerErrors("warning: x\n\(own)\n\(own)\nfatal error: y\n", in: [path: schemata])
        #expect(errors.mutants == [mutant])
        #expect(errors.others == ["fatal error: y"])
        let elsewhere = CompilerErrors("/tmp/package/Sources/Other.swift:3:1: error: z", in: [path: schemata])
        #expect(elsewhere.mutants.isEmpty && elsewhere.others.count == 1)
        #expect(CompilerErrors("killed", in: [path: schemata]).others == ["killed"])
    }

    @Test("The list of equal mutants has a reason for each line and no line twice")
    func list() throws {
        let key = try #require(file.mutants.first?.key)
        let list = try EqualMutants("# For people.\n\n\(key.line)\tIt is the same.\n")
        #expect(list.reason(for: key) == "It is the same.")
        #expect(throws: MutationError.self) { try EqualMutants(key.line) }
        #expect(throws: MutationError.self) { try EqualMutants("\(key.line)\t") }
        #expect(throws: MutationError.self) { try EqualMutants("\(key.line)\ta\n\(key.line)\tb") }
    }

    @Test("A line of the list that fits no mutant of the files that were read is stale")
    func stale() throws {
        let key = Mutant.Key(file: "Box.swift", declaration: "Box.gone", kind: "text", change: "a → b", ordinal: 1)
        let list = try EqualMutants("\(key.line)\tIt was the same.")
        #expect(list.stale(among: Set(file.mutants.map(\.key)), of: ["Box.swift"]) == [key])
        #expect(list.stale(among: [], of: ["Other.swift"]) == [])
        #expect(list.stale(among: [key], of: ["Box.swift"]) == [])
    }
}
