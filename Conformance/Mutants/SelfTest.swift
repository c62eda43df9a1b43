public import AgentSessionsConformance

/// The proof of the scenarios: what each mutant was caught by.
public struct SelfTest: Sendable {
    /// A mutant, and what the kit found.
    public struct Finding: Sendable {
        /// The mutant.
        public let mutant: Mutant
        /// The ids, without their version, of the scenarios that failed on it.
        public let failing: Set<String>
        /// Whether the kit calls the wrong store conformant.
        public let isConformant: Bool
        /// The scenarios of its rule that did not fail on it, of those that were run.
        public let missedBy: [String]

        /// Whether the scenarios of its rule failed on it, every one.
        public var isCaught: Bool { !isConformant && missedBy.isEmpty && !failing.isDisjoint(with: mutant.caughtBy) }
    }

    /// The scenarios that were run, ids without their version.
    public let scenarios: [String]
    /// A finding for each mutant.
    public let findings: [Finding]

    /// Runs scenarios on the stores of mutants.
    ///
    /// - Parameters:
    ///   - mutants: Which mutants.
    ///   - scenarios: Which scenarios; `nil` runs those that each mutant names, the least that shows that it is caught. A
    ///     mutant that is made of a table is run by those that it names in any case: there are too many of them.
    ///   - seed: The seed of the runs.
    ///   - progress: Told each finding as it comes.
    public init(
        of mutants: [Mutant] = Mutant.all, by scenarios: [Scenario]? = Scenario.all, seed: UInt64 = 1,
        progress: ((Finding) -> Void)? = nil
    ) async {
        self.scenarios = (scenarios ?? Scenario.all).map(\.name)
        let tabled = Set(Mutant.tables.map(\.id))
        var findings: [Finding] = []
        for mutant in mutants {
            let finding =
                if let scenarios, !tabled.contains(mutant.id) {
                    await Self.finding(on: mutant, by: scenarios, seed: seed)
                } else {
                    await Self.finding(on: mutant, seed: seed)
                }
            progress?(finding)
            findings.append(finding)
        }
        self.findings = findings
    }

    /// Runs the scenarios that a mutant names.
    public static func finding(on mutant: Mutant, seed: UInt64 = 1) async -> Finding {
        let names = Set(mutant.caughtBy)
        return await finding(on: mutant, by: Scenario.all.filter { names.contains($0.name) }, seed: seed)
    }

    private static func finding(on mutant: Mutant, by scenarios: [Scenario], seed: UInt64) async -> Finding {
        let options = ConformanceRunner.Options(seed: seed)
        let report = await ConformanceRunner(mutant.stores, options: options).run(scenarios)
        let failing = Set(
            report.results.filter { $0.outcome.isFailure }.map(\.scenario.name))
        return Finding(
            mutant: mutant, failing: failing, isConformant: report.isConformant,
            missedBy: mutant.caughtBy.filter { name in
                !failing.contains(name) && scenarios.contains { $0.name == name }
            })
    }

    /// The scenarios that no mutant failed.
    public var idle: [String] {
        let failing = findings.reduce(into: Set<String>()) { $0.formUnion($1.failing) }
        return scenarios.filter { !failing.contains($0) }
    }
}

extension SelfTest {
    /// Why scenarios may stand although no mutant fails them.
    public static let reasons: [String: String] = {
        let processes = [
            "compare-and-append", "concurrent", "create-race", "killed-alone", "killed-holder", "killed-replacement",
            "killed-writer", "see-each-other", "usage", "written-by-another",
        ].map { ("processes.\($0)", "mutants are in memory, which no second process can open") }
        let service = [
            "append.minted-ids", "batch.empty", "batch.id-twice", "create.mints-ids", "document.export-twice",
            "document.keys", "faults.bounded", "faults.cancelled-before", "limits.actor-above", "limits.batch-above",
            "limits.lowered-each", "limits.metadata-above-in-session", "page.checked", "stream.checked", "errors.cause",
        ].map { ($0, "the rule is kept by the service, before it asks the store") }
        return Dictionary(uniqueKeysWithValues: processes + service)
    }()
}

extension Scenario {
    /// The id without its version.
    var name: String { String(id.prefix { $0 != "@" }) }
}
