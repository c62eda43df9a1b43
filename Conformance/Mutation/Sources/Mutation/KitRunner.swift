import Foundation

/// Runs the kit on the mutated stores, a process a mutant.
struct KitRunner: Sendable {
    /// The program of the mutated copy.
    let program: String
    /// The store that it opens.
    let store: String
    /// The seed of the kit.
    let seed: UInt64
    /// How long a scenario may take, in milliseconds.
    let limit: Int
    /// A folder for what the stores write: in memory, where the system has one there.
    let scratch: String

    /// What a scenario does on the right store.
    struct Coverage: Sendable {
        let scenario: String
        let milliseconds: Int
        /// The first number of each site that it reaches.
        let sites: Set<Int>
    }

    /// How a run of scenarios ended.
    enum Ending: Equatable {
        case failed(scenario: String, message: String)
        case crashed(String)
        case outOfTime
        case survived
    }

    /// Runs each scenario on the right store.
    ///
    /// - Parameter last: The largest number of a mutant.
    func coverage(last: Int) throws -> [Coverage] {
        try inFolder { folder in
            let reached = "\(folder)/reached"
            try Data(count: last + 1).write(to: URL(fileURLWithPath: reached))
            let result = try ChildProcess.run(
                [program, "cover", store, "\(seed)"], environment: environment(folder, ["MUTATION_REACHED": reached]),
                folder: folder, seconds: 1800, isGroup: true)
            guard result.ending == .exited(0) else {
                throw MutationError("The kit did not get through the right store: \(result.ending)\n\(result.errors)")
            }
            return try result.output.split(separator: "\n").map { line in
                let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
                guard words.count == 6, words[0] == "covered", let milliseconds = Int(words[3]) else {
                    throw MutationError("The runner says \(line)")
                }
                guard ["passed", "unsupported"].contains(words[2]) else {
                    throw MutationError(
                        "The kit does not pass on the right store: \(words[1]) \(words[2]): \(words[5])")
                }
                return Coverage(
                    scenario: words[1], milliseconds: milliseconds,
                    sites: Set(words[4].split(separator: ",").compactMap { Int($0) }))
            }
        }
    }

    /// Runs scenarios on a mutant until the first failure.
    func run(_ scenarios: [String], on mutant: Int, seconds: Double) throws -> Ending {
        try inFolder { folder in
            let result = try ChildProcess.run(
                [program, "kill", store, "\(seed)", "\(limit)"] + scenarios,
                environment: environment(folder, ["MUTANT": "\(mutant)"]), folder: folder, seconds: seconds,
                isGroup: true)
            // The first line alone, as several scenarios run at a time.
            let words = (result.output.split(separator: "\n").first ?? "")
                .split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            if words.first == "failed", words.count == 3 { return .failed(scenario: words[1], message: words[2]) }
            switch result.ending {
            case .outOfTime: return .outOfTime
            case .signalled(let signal): return .crashed("signal \(signal)")
            case .exited(0) where words == ["survived"]: return .survived
            case .exited(let status):
                throw MutationError(
                    "The runner ended with \(status) on mutant \(mutant): \(result.output)\(result.errors)")
            }
        }
    }

    private func environment(_ folder: String, _ more: [String: String]) -> [String: String] {
        ["TMPDIR": folder, "SWIFT_BACKTRACE": "enable=no"].merging(more) { $1 }
    }

    /// A folder of its own for each process, removed with all that it left.
    private func inFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = "\(scratch)/mutation-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }
}
