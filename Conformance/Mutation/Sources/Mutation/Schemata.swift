/// A file in which each mutant stands beside the original, behind a switch.
struct Schemata {
    /// The text of the file.
    private(set) var text = ""
    /// The lines of each mutant, from 1, so that an error of the compiler can be told to be its own.
    private(set) var lines: [(mutant: Int, lines: ClosedRange<Int>)] = []

    private var line = 1

    /// Writes the file with those of its mutants whose number is in `numbers`.
    init(_ file: MutatedFile, only numbers: Set<Int>) {
        // Public, as default arguments of public functions and bodies that can be inlined name the switch.
        add("public import MutationSwitch\n")
        var end = 0
        for (index, site) in file.sites.enumerated() {
            let mutants = file.mutants.filter { $0.site == index && numbers.contains($0.number) }
            guard !mutants.isEmpty else { continue }
            add(String(decoding: file.source[end..<site.range.lowerBound], as: UTF8.self))
            add(site, mutants, of: file)
            end = site.range.upperBound
        }
        add(String(decoding: file.source[end...], as: UTF8.self))
    }

    private mutating func add(_ site: Site, _ mutants: [Mutant], of file: MutatedFile) {
        guard let first = mutants.first?.number, let last = mutants.last?.number else { return }
        let choice = "mutation_switch(\(first), \(last))"
        switch site.form {
        case .function(let effects, let result, let needsReturn):
            for mutant in mutants {
                add(mutant, "func mutant\(mutant.number)() \(effects) -> \(result) {\n", of: site, in: file, "\n}\n")
            }
            let call = (effects.contains("throws") ? "try " : "") + (effects.contains("async") ? "await " : "")
            add("switch \(choice) {\n")
            for mutant in mutants { add("case \(mutant.number): return \(call)mutant\(mutant.number)()\n") }
            add("default: break\n}\n\(needsReturn ? "return " : "")\(file.text(of: site))")
        case .statements:
            add("switch \(choice) {\n")
            for mutant in mutants { add(mutant, "case \(mutant.number):\n", of: site, in: file, "\n") }
            add("default:\n\(file.text(of: site))\n}")
        case .expression:
            add("(")
            for mutant in mutants { add(mutant, "\(choice) == \(mutant.number) ? (\n", of: site, in: file, "\n) : ") }
            add("(\(file.text(of: site))))")
        }
    }

    private mutating func add(
        _ mutant: Mutant, _ head: String, of site: Site, in file: MutatedFile, _ tail: String
    ) {
        let start = line
        add(head + file.text(of: site, with: mutant.change) + tail)
        lines.append((mutant.number, start...max(start, line - (tail.hasSuffix("\n") ? 1 : 0))))
    }

    private mutating func add(_ text: String) {
        self.text += text
        line += text.utf8.count { $0 == UInt8(ascii: "\n") }
    }

    /// The mutant that stands at a line.
    func mutant(at line: Int) -> Int? {
        lines.first { $0.lines.contains(line) }?.mutant
    }
}
