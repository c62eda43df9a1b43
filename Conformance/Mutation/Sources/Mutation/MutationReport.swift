import Foundation

/// What a run found in one area.
public struct AreaResult: Sendable {
    /// The area.
    public let area: Area
    /// Every mutant of the run, with what became of it.
    public let findings: [Finding]
    /// How long the kit ran.
    public let seconds: Double

    /// How many have a verdict of some kind.
    func count(_ isCounted: (Verdict) -> Bool) -> Int { findings.filter { isCounted($0.verdict) }.count }

    /// How many the kit found.
    public var killed: Int { count(\.isKilled) }
    /// Those that the kit did not find.
    public var survivors: [Finding] { findings.filter { $0.verdict == .survived } }
    /// How many are the same program.
    public var equals: Int { count(\.isEqual) - damaged }
    /// How many only a damaged store tells from the original.
    public var damaged: Int {
        count { if case .equal(let reason) = $0 { reason.hasPrefix(EqualMutants.damage) } else { false } }
    }
    /// Those that the list calls the same program, although the kit finds them.
    public var wrongEquals: [Finding] { findings.filter { $0.isListed && $0.verdict.isKilled } }
    /// How many do not compile.
    public var refused: Int { count { $0 == .refused } }

    /// Killed, in percent of what is not the same program and compiles.
    public var score: Double { [self].score }

    /// The text for people: the survivors, then a line of figures.
    public var text: String {
        var text = ""
        for finding in survivors {
            let mutant = finding.mutant
            let reach = finding.reachedBy == 0 ? "no scenario reaches it" : "\(finding.reachedBy) scenarios reach it"
            text += "\(mutant.path):\(mutant.line): \(mutant.key.declaration): \(mutant.key.kind), \(reach)\n"
            text += "    \(mutant.key.change)\n"
        }
        let causes: [Verdict.Cause] = [.failed, .crashed, .hung]
        let killedBy = causes.map { cause in
            "\(count { if case .killed(cause, _, _) = $0 { true } else { false } }) \(cause.rawValue)"
        }
        return text
            + "\(area.name): \(findings.count) mutants, \(refused) do not compile, \(equals) are the same program, "
            + "\(damaged) differ on a damaged store alone, \(killed) killed (\(killedBy.joined(separator: ", "))), "
            + "\(survivors.count) survived: "
            + String(format: "%.1f %%, %.0f s", score, seconds)
    }
}

extension Sequence<AreaResult> {
    /// Killed, in percent of what is not the same program and compiles.
    public var score: Double {
        let killed = reduce(0) { $0 + $1.killed }
        let counted = reduce(killed) { $0 + $1.survivors.count }
        return counted == 0 ? 100 : 100 * Double(killed) / Double(counted)
    }
}

/// A run as JSON.
public struct MutationReport: Codable, Sendable {
    struct Row: Codable, Sendable {
        let path: String
        let line: Int
        let declaration: String
        let kind: String
        let change: String
        let ordinal: Int
        let verdict: String
        /// The scenario that found it, or the reason why it is the same program.
        let by: String?
        let message: String?
        let reachedBy: Int
    }
    struct Totals: Codable, Sendable {
        let name: String
        let mutants: Int
        let refused: Int
        let equal: Int
        let damaged: Int
        let killed: Int
        let survived: Int
        let score: Double
        let seconds: Double
    }

    let seed: UInt64
    let areas: [Totals]
    let mutants: [Row]

    /// The report of a run.
    public init(_ results: [AreaResult], seed: UInt64) {
        self.seed = seed
        areas = results.map { result in
            Totals(
                name: result.area.name, mutants: result.findings.count, refused: result.refused, equal: result.equals,
                damaged: result.damaged, killed: result.killed, survived: result.survivors.count, score: result.score,
                seconds: result.seconds)
        }
        mutants = results.flatMap(\.findings).map { finding in
            let (verdict, by, message): (String, String?, String?) =
                switch finding.verdict {
                case .killed(let cause, let scenario, let message): (cause.rawValue, scenario, message)
                case .survived: ("survived", nil, nil)
                case .equal(let reason): ("equal", reason, nil)
                case .refused: ("refused", nil, nil)
                }
            let key = finding.mutant.key
            return Row(
                path: finding.mutant.path, line: finding.mutant.line, declaration: key.declaration, kind: key.kind,
                change: key.change, ordinal: key.ordinal, verdict: verdict, by: by, message: message,
                reachedBy: finding.reachedBy)
        }
    }

    /// Reads a report.
    init(path: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// The mutants that the kit did not find.
    var survivors: Set<Mutant.Key> {
        Set(
            mutants.filter { $0.verdict == "survived" }.map { row in
                Mutant.Key(
                    file: String(row.path.split(separator: "/").last ?? ""), declaration: row.declaration,
                    kind: row.kind, change: row.change, ordinal: row.ordinal)
            })
    }

    /// Writes the report.
    public func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(self).write(to: URL(fileURLWithPath: path))
    }
}
