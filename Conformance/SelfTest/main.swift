import AgentSessionsConformance
import AgentSessionsMutants

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// The table of mutant against scenario: `conformance-selftest [--quick] [--all] [--seed=N] [ID…]` runs the kit on every
// wrong store, or on those whose id begins with one of the words; `--all` names every scenario that failed on it, `--quick`
// runs those alone that a mutant names, as is done for the mutants that are made of tables anyway. It fails where one is not
// caught by the scenarios of its own rule, where a store without a mistake is, and where a scenario has failed on no wrong
// store without a reason.

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "helper" {
    // What the tests of the runner start: `helper HOW NAME FOLDER TASK`, scenarios on a store that ends its process.
    guard arguments.count == 5, let stores = EndingStores(arguments[2]) else { exit(64) }
    let place = StorePlace(name: arguments[3], folder: arguments[4])
    exit(await HelperProcess.main(task: arguments[5], factory: stores, place: place))
}
let showsAll = arguments.contains("--all")
let isQuick = arguments.contains("--quick")
let seed = arguments.compactMap { $0.hasPrefix("--seed=") ? UInt64($0.dropFirst(7)) : nil }.first ?? 1
let words = arguments.filter { !$0.hasPrefix("--") }
let mutants = Mutant.all.filter { mutant in words.isEmpty || words.contains { mutant.id.hasPrefix($0) } }
var isProven = true

let honest = await ConformanceRunner(MutantStores(nil), options: .init(seed: seed)).run()
print("no mistake: \(honest.isConformant ? "conformant" : "NOT CONFORMANT")")
isProven = honest.isConformant

let width = mutants.map(\.id.count).max() ?? 0
let table = await SelfTest(of: mutants, by: isQuick ? nil : Scenario.all, seed: seed) { finding in
    let mutant = finding.mutant
    let name = mutant.id + String(repeating: " ", count: width - mutant.id.count)
    let others = finding.failing.subtracting(mutant.caughtBy).sorted()
    print("\(finding.isCaught ? "caught" : "MISSED")  \(name)  \(mutant.mistake)")
    print("        by \(mutant.caughtBy.filter(finding.failing.contains).joined(separator: " "))")
    if !finding.missedBy.isEmpty { print("        BUT NOT BY \(finding.missedBy.joined(separator: " "))") }
    if !others.isEmpty {
        let shown = others.prefix(showsAll ? others.count : 8)
        print(
            "        and \(others.count) others: \(shown.joined(separator: " "))"
                + (shown.count < others.count ? " …" : ""))
    }
    // A line when it is known, into a file too.
    fflush(nil)
}

let missed = table.findings.filter { !$0.isCaught }
print("\(table.findings.count - missed.count) of \(table.findings.count) mutants caught by their own rule")
isProven = isProven && missed.isEmpty
if words.isEmpty, !isQuick {
    print("\(table.scenarios.count - table.idle.count) of \(table.scenarios.count) scenarios failed on a mutant")
    for name in table.idle {
        print("no mutant fails \(name)\(SelfTest.reasons[name].map { ": \($0)" } ?? " WITHOUT A REASON")")
    }
    isProven = isProven && table.idle.allSatisfy { SelfTest.reasons[$0] != nil }
}
exit(isProven ? 0 : 1)
