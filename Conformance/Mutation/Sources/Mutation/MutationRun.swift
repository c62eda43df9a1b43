import Foundation

/// A run: finds mutants, builds them, and asks the kit about each.
public struct MutationRun: Sendable {
    /// What to do.
    public struct Options: Sendable {
        /// Which areas.
        public var areas = Area.all
        /// Only mutants whose line of the list of equals has this in it.
        public var pattern: String?
        /// Only those that survived in an earlier run, whose report is at this path.
        public var survivorsOf: String?
        /// Only so many, drawn with ``sampleSeed``.
        public var sample: Int?
        /// What they are drawn with.
        public var sampleSeed: UInt64 = 1
        /// The seed of the kit.
        public var kitSeed: UInt64 = 1
        /// How many processes at a time.
        public var width = 2
        /// How long a scenario may take, in milliseconds.
        public var limit = 5000
        /// Where the copy and what is built go.
        public var folder = ".build-mutation"

        /// The whole run.
        public init() {}
    }

    private let root: String
    private let options: Options
    private let log: @Sendable (String) -> Void
    private let equals: EqualMutants

    /// A run on the package at `root`; `log` is told what goes on.
    public init(root: String, options: Options, log: @escaping @Sendable (String) -> Void) throws {
        self.root = root
        self.options = options
        self.log = log
        equals = try EqualMutants(try String(contentsOfFile: "\(root)/\(EqualMutants.path)", encoding: .utf8))
    }

    /// The files of each area that is wanted.
    public func files() throws -> [(area: Area, files: [MutatedFile])] {
        try allFiles().filter { pair in options.areas.contains { $0.name == pair.area.name } }
    }

    /// The files of every area, all mutants numbered through: a number does not depend on which areas are wanted.
    private func allFiles() throws -> [(area: Area, files: [MutatedFile])] {
        try Area.checkWholeFolders(in: root)
        var next = 1
        return try Area.all.map { area in
            let files = try area.files(in: root, from: next)
            next += files.reduce(0) { $0 + $1.mutants.count }
            return (area, files)
        }
    }

    /// The lines of the list of equals that no mutant has any more.
    public func staleEquals() throws -> [Mutant.Key] {
        let files = try files().flatMap(\.files)
        return equals.stale(
            among: Set(files.flatMap(\.mutants).map(\.key)),
            of: Set(files.map { String($0.path.split(separator: "/").last ?? "") }))
    }

    /// Runs.
    public func results() throws -> [AreaResult] {
        let areas = try files()
        let chosen = try choice(of: areas.flatMap(\.files).flatMap(\.mutants))
        log("\(chosen.count) mutants in \(areas.flatMap(\.files).count) files")
        let folder = options.folder.absolute(in: root)
        let memory = try RefusedMutants(
            path: "\(folder)/refused.json", root: root, mutants: try allFiles().flatMap(\.files).flatMap(\.mutants))
        let build = MutatedBuild(root: root, folder: folder, memory: memory, log: log)
        let refused = try build.build(areas.flatMap(\.files), only: chosen)
        return try areas.map { area, files in
            let mutants = files.flatMap(\.mutants).filter { chosen.contains($0.number) }
            return try result(area, files, mutants, refused: refused, program: build.program)
        }
    }

    private func result(
        _ area: Area, _ files: [MutatedFile], _ mutants: [Mutant], refused: Set<Int>, program: String
    ) throws -> AreaResult {
        let start = Date()
        let living = mutants.filter { !refused.contains($0.number) }
        var findings = mutants.filter { refused.contains($0.number) }.map {
            Finding(mutant: $0, verdict: .refused, reachedBy: 0)
        }
        if !living.isEmpty {
            let runner = KitRunner(
                program: program, store: area.store, seed: options.kitSeed, limit: options.limit, scratch: Self.scratch)
            let coverage = try runner.coverage(last: mutants.map(\.number).max() ?? 0)
            log("\(area.name): \(coverage.count) scenarios pass on the right store")
            // A site is known by the first of its mutants that is in the build.
            let firsts = Dictionary(grouping: living) { "\($0.path) \($0.site)" }.mapValues {
                $0.map(\.number).min() ?? 0
            }
            let sites = living.map { ($0.number, firsts["\($0.path) \($0.site)"] ?? 0) }
            let judging = Judging(
                runner: runner, coverage: coverage, equals: equals,
                sites: Dictionary(uniqueKeysWithValues: sites),
                constants: Set(
                    files.flatMap { file in file.mutants.filter { file.isConstant($0) } }.compactMap {
                        firsts["\($0.path) \($0.site)"]
                    }
                ),
                width: options.width,
                seconds: 60 + Double(coverage.reduce(0) { $0 + $1.milliseconds }) / 1000 * 4)
            let counter = Counter(of: living.count, area: area.name, log: log)
            findings += try judging.findings(of: living) { _ in counter.count() }
        }
        findings.sort { $0.mutant.number < $1.mutant.number }
        return AreaResult(area: area, findings: findings, seconds: Date().timeIntervalSince(start))
    }

    /// The numbers of the mutants that the options ask for.
    private func choice(of mutants: [Mutant]) throws -> Set<Int> {
        let survivors = try options.survivorsOf.map { try MutationReport(path: $0).survivors }
        var numbers = mutants.filter { mutant in
            (options.pattern.map { mutant.key.line.contains($0) } ?? true) && (survivors?.contains(mutant.key) ?? true)
        }.map(\.number)
        if let sample = options.sample {
            var random = SplitMix(state: options.sampleSeed)
            numbers.shuffle(using: &random)
            numbers = Array(numbers.prefix(sample))
        }
        return Set(numbers)
    }

    /// In memory where the system has a folder there, so that stores wait for no disk.
    private static var scratch: String {
        FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    }
}

extension String {
    fileprivate func absolute(in root: String) -> String { hasPrefix("/") ? self : "\(root)/\(self)" }
}

/// The same numbers for the same seed: SplitMix64.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
