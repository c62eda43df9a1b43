import ArgumentParser
import Foundation
import Mutation

/// `make mutation`: how many mistakes the conformance kit finds.
@main
struct Mutate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mutate",
        abstract: "Make small mistakes in the stores, one at a time, and see which the kit finds.",
        discussion: """
            Every mutant of the sources that Areas.swift names is built into one copy of the package, each behind a \
            switch, and the kit is run on each until its first failure. A survivor is a scenario that is missing, or the \
            same program as before: then it belongs in \(EqualMutants.path), with the reason.
            """)

    @Option(help: "The folder of the package.")
    var root = FileManager.default.currentDirectoryPath

    @Option(name: .customLong("area"), help: "Only these of \(Area.all.map(\.name).joined(separator: ", ")).")
    var areas: [String] = []

    @Option(help: "Only mutants whose file, declaration, kind or change has this in it.")
    var only: String?

    @Option(help: "Only mutants that survived in the run of this report.")
    var survivorsOf: String?

    @Option(help: "Only so many, drawn by the seed.")
    var sample: Int?

    @Option(help: "What a sample is drawn with.")
    var seed: UInt64 = 1

    @Option(help: "The seed of the kit.")
    var kitSeed: UInt64 = 1

    @Option(help: "How many mutants are run at a time.")
    var jobs = 2

    @Option(help: "How long a scenario may take, in milliseconds.")
    var limit = 5000

    @Option(help: "Where the mutated copy is built; it is kept for the next run.")
    var folder = ".build-mutation"

    @Option(help: "Write the report, as JSON.")
    var report: String?

    @Flag(help: "Fail below the share that each store asks for.")
    var check = false

    @Flag(help: "Print the mutants, as the list of equals names them, and build nothing.")
    var list = false

    func run() throws {
        var options = MutationRun.Options()
        if !areas.isEmpty {
            options.areas = Area.all.filter { areas.contains($0.name) }
            guard options.areas.count == Set(areas).count else {
                throw ValidationError("The areas are \(Area.all.map(\.name).joined(separator: ", ")).")
            }
        }
        options.pattern = only
        options.survivorsOf = survivorsOf
        options.sample = sample
        options.sampleSeed = seed
        options.kitSeed = kitSeed
        options.width = max(1, jobs)
        options.limit = limit
        options.folder = folder
        let start = Date()
        let run = try MutationRun(root: root, options: options) { line in
            let seconds = Int(Date().timeIntervalSince(start))
            FileHandle.standardError.write(Data("[\(seconds) s] \(line)\n".utf8))
        }
        let stale = try run.staleEquals()
        for key in stale { print("no such mutant any more: \(key.line)") }
        if list {
            for (_, files) in try run.files() {
                for mutant in files.flatMap(\.mutants) where only.map(mutant.key.line.contains) ?? true {
                    print(mutant.key.line)
                }
            }
            return
        }
        let results = try run.results()
        for result in results { print(result.text) }
        if let report { try MutationReport(results, seed: kitSeed).write(to: report) }
        var isLow = false
        for (store, minimum) in Area.minimums {
            let own = results.filter { $0.area.store == store && !$0.findings.isEmpty }
            guard !own.isEmpty else { continue }
            print("on the \(store) store: \(String(format: "%.1f", own.score)) % killed, \(minimum) % are wanted")
            isLow = isLow || own.score < minimum
        }
        let wrong = results.flatMap(\.wrongEquals)
        for finding in wrong { print("listed as the same program, but the kit finds it: \(finding.mutant.key.line)") }
        if !stale.isEmpty || !wrong.isEmpty || check && isLow { throw ExitCode.failure }
    }
}
