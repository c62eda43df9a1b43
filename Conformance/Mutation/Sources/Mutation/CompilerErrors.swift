/// The errors of a build, by the mutants that they are about.
struct CompilerErrors {
    /// The mutants that the compiler refuses.
    private(set) var mutants: Set<Int> = []
    /// The errors that are about none, each once; where there are none either, the end of what was written.
    private(set) var others: [String] = []

    /// Reads what a build wrote.
    ///
    /// - Parameter schemata: The mutated files, by their paths in the copy.
    init(_ output: String, in schemata: [String: Schemata]) {
        let lines = output.split(separator: "\n")
        for line in Set(lines.filter { $0.contains("error: ") }).sorted() {
            if let place = Self.place(line), let file = schemata.first(where: { place.path.hasSuffix("/\($0.key)") }),
                let mutant = file.value.mutant(at: place.line)
            {
                mutants.insert(mutant)
            } else {
                others.append(String(line))
            }
        }
        if mutants.isEmpty, others.isEmpty { others = lines.suffix(30).map(String.init) }
    }

    /// The path and the line of `/…/package/Sources/File.swift:12:3: error: …`.
    private static func place(_ line: Substring) -> (path: Substring, line: Int)? {
        let parts = line.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[3].hasPrefix(" error: "), let number = Int(parts[1]) else { return nil }
        return (parts[0], number)
    }
}
