import Foundation
import Synchronization

/// Finds the verdict on each mutant, several at a time.
struct Judging {
    let runner: KitRunner
    let coverage: [KitRunner.Coverage]
    let equals: EqualMutants
    /// The first number of the site of each mutant.
    let sites: [Int: Int]
    /// Those of them that are values, and no bodies.
    let constants: Set<Int>
    /// How many at a time.
    let width: Int
    /// A bound on the time of one process, in seconds.
    let seconds: Double

    /// How often each scenario killed, by where.
    private struct Kills {
        var bySite: [Int: [String: Int]] = [:]
        var byFile: [String: [String: Int]] = [:]

        mutating func add(_ scenario: String, at site: Int, in file: String) {
            bySite[site, default: [:]][scenario, default: 0] += 1
            byFile[file, default: [:]][scenario, default: 0] += 1
        }
    }

    /// What the threads share.
    private final class Shared: Sendable {
        let kills = Mutex(Kills())
        let findings = Mutex<[Finding]>([])
        let failure = Mutex<(any Error)?>(nil)
        let next = Atomic<Int>(0)
    }

    /// The findings in the order of `mutants`.
    func findings(of mutants: [Mutant], progress: @escaping @Sendable (Finding) -> Void) throws -> [Finding] {
        let shared = Shared()
        let judging = self
        let done = DispatchGroup()
        for _ in 0..<width {
            done.enter()
            // Threads, as each waits for processes.
            Thread.detachNewThread {
                defer { done.leave() }
                while shared.failure.withLock({ $0 == nil }) {
                    let index = shared.next.add(1, ordering: .relaxed).oldValue
                    guard index < mutants.count else { return }
                    do {
                        let finding = try judging.finding(of: mutants[index], shared)
                        shared.findings.withLock { $0.append(finding) }
                        progress(finding)
                    } catch {
                        shared.failure.withLock { $0 = error }
                    }
                }
            }
        }
        done.wait()
        if let error = shared.failure.withLock({ $0 }) { throw error }
        return shared.findings.withLock { $0 }.sorted { $0.mutant.number < $1.mutant.number }
    }

    private func finding(of mutant: Mutant, _ shared: Shared) throws -> Finding {
        let site = sites[mutant.number] ?? 0
        var reaching = coverage.filter { $0.sites.contains(site) }
        // A constant is made once in a process: whoever used it after that did not reach it.
        if constants.contains(site), !reaching.isEmpty { reaching = coverage }
        var verdict = Verdict.survived
        if !reaching.isEmpty {
            let order = shared.kills.withLock { Self.order(reaching, $0, site: site, file: mutant.path) }
            verdict = try self.verdict(on: mutant.number, by: order)
        }
        let reason = equals.reason(for: mutant.key)
        if case .killed(_, let scenario, _) = verdict {
            shared.kills.withLock { $0.add(scenario, at: site, in: mutant.path) }
        } else if let reason {
            verdict = .equal(reason: reason)
        }
        return Finding(
            mutant: mutant, verdict: verdict, reachedBy: reaching.count, isListed: reason != nil)
    }

    /// Those first that killed mutants beside this one; of these and of the others, the quick ones.
    private static func order(
        _ reaching: [KitRunner.Coverage], _ kills: Kills, site: Int, file: String
    ) -> [String] {
        func rank(_ one: KitRunner.Coverage) -> (Int, Int, Int) {
            (
                -(kills.bySite[site]?[one.scenario] ?? 0), -(kills.byFile[file]?[one.scenario] ?? 0), one.milliseconds
            )
        }
        return reaching.sorted { rank($0) < rank($1) }.map(\.scenario)
    }

    private func verdict(on mutant: Int, by scenarios: [String]) throws -> Verdict {
        var rest = scenarios
        while !rest.isEmpty {
            switch try runner.run(rest, on: mutant, seconds: seconds) {
            case .survived: return .survived
            case .crashed(let how): return .killed(.crashed, by: rest[0], message: how)
            case .outOfTime:
                // As below: the machine may have been asleep.
                guard try runner.run(rest, on: mutant, seconds: seconds) == .outOfTime else { continue }
                return .killed(.hung, by: rest[0], message: "no end within \(Int(seconds)) s")
            case .failed(let scenario, let message):
                guard Self.isOfTime(message) else { return .killed(.failed, by: scenario, message: message) }
                // A machine that is busy with other things must not be taken for a store that hangs.
                let again = try runner.run([scenario], on: mutant, seconds: seconds)
                if again != .survived { return .killed(.hung, by: scenario, message: message) }
                rest.removeAll { $0 == scenario }
            }
        }
        return .survived
    }

    /// Whether a scenario failed for want of time.
    private static func isOfTime(_ message: String) -> Bool {
        ["no answer within", "could not be closed within", "does not open within"].contains { message.contains($0) }
    }
}
