import AgentSessionsConformance
import AgentSessionsSaboteurs

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// The table of saboteur against scenario: `conformance-selftest [--quick] [--all] [ID…]` runs the kit on every wrong store, or on
// those whose id begins with one of the words; `--all` names every scenario that failed on it,
// `--quick` runs those alone that a saboteur names. It fails where one is not caught by the scenarios of its own rule, where a
// store without a mistake is, and where a scenario has failed on no wrong store without a reason.

let arguments = CommandLine.arguments.dropFirst()
let showsAll = arguments.contains("--all")
let isQuick = arguments.contains("--quick")
let words = arguments.filter { !$0.hasPrefix("--") }
let saboteurs = Saboteur.all.filter { saboteur in words.isEmpty || words.contains { saboteur.id.hasPrefix($0) } }
var isProven = true

let honest = await ConformanceRunner(SabotagedStores(nil), options: .init(seed: 1)).run()
print("no mistake: \(honest.isConformant ? "conformant" : "NOT CONFORMANT")")
isProven = honest.isConformant

let width = saboteurs.map(\.id.count).max() ?? 0
let table = await SelfTest(of: saboteurs, by: isQuick ? nil : Scenario.all) { finding in
    let saboteur = finding.saboteur
    let name = saboteur.id + String(repeating: " ", count: width - saboteur.id.count)
    let others = finding.failing.subtracting(saboteur.caughtBy).sorted()
    print("\(finding.isCaught ? "caught" : "MISSED")  \(name)  \(saboteur.mistake)")
    print("        by \(saboteur.caughtBy.filter(finding.failing.contains).joined(separator: " "))")
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
print("\(table.findings.count - missed.count) of \(table.findings.count) saboteurs caught by their own rule")
isProven = isProven && missed.isEmpty
if words.isEmpty, !isQuick {
    print("\(table.scenarios.count - table.idle.count) of \(table.scenarios.count) scenarios failed on a saboteur")
    for name in table.idle {
        print("no saboteur fails \(name)\(SelfTest.reasons[name].map { ": \($0)" } ?? " WITHOUT A REASON")")
    }
    isProven = isProven && table.idle.allSatisfy { SelfTest.reasons[$0] != nil }
}
exit(isProven ? 0 : 1)
