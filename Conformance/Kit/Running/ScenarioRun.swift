import AgentSessions
import Synchronization

/// One scenario on its way through its layers.
final class ScenarioRun: Sendable {
    /// Threads enough that tasks of a scenario run at the same time.
    private static let threads = 3

    private let scenario: Scenario
    private let factory: any StoreFactory
    private let options: ConformanceRunner.Options
    private let stage: Stage
    private let hung = Atomic<Bool>(false)

    /// What came of one layer.
    private struct Finding: Sendable {
        var outcome: Outcome
        var messages: [String] = []
    }

    init(_ scenario: Scenario, factory: any StoreFactory, options: ConformanceRunner.Options, stage: Stage) {
        self.scenario = scenario
        self.factory = factory
        self.options = options
        self.stage = stage
    }

    /// Whether the store gave no answer in time.
    var didHang: Bool { hung.load(ordering: .relaxed) }

    /// Runs the scenario through its layers, the bare one first. The worst outcome counts.
    func result() async -> ScenarioResult {
        let start = ContinuousClock.now
        var outcome = Outcome.passed
        var lines: [String] = []
        for layer in scenario.layers {
            let finding = await run(through: layer)
            if finding.outcome.badness > outcome.badness { outcome = finding.outcome }
            for message in finding.messages {
                let line = layer == .service && scenario.layers.count > 1 ? "through the service: \(message)" : message
                if !lines.contains(message) { lines.append(line) }
            }
            // The second layer of a store that does not answer would only take its time.
            if didHang { break }
        }
        return ScenarioResult(
            scenario, outcome, duration: .now - start, message: lines.joined(separator: "\n"))
    }

    private func run(through layer: Layer) async -> Finding {
        let place: StorePlace
        let threads: ScenarioThreads
        do {
            place = try stage.makePlace()
            threads = try ScenarioThreads(count: Self.threads)
        } catch {
            return Finding(outcome: .notRun, messages: ["\(error)"])
        }
        defer {
            threads.finish()
            stage.remove(place)
        }
        let opened = OpenedStores(place: place, factory: factory) { [stage] () throws(StoreError) in
            try stage.makePlace()
        }
        let start = ContinuousClock.now
        let limit = options.limit(of: scenario)
        let closingLimit = options.closingLimit
        let found = await within(limit, on: threads, watch: stage.watch) { [self] in
            await play(through: layer, at: place, opened: opened)
        }
        let elapsed = ContinuousClock.now - start
        let closed = await within(closingLimit, on: threads, watch: stage.watch) { () -> String? in
            await opened.closeAll()
        }
        var finding = found ?? unanswered(within: limit, after: elapsed, opened.failures)
        if found == nil { hung.store(true, ordering: .relaxed) }
        switch closed {
        case nil where found != nil:
            hung.store(true, ordering: .relaxed)
            if finding.outcome.badness < Outcome.timedOut.badness { finding.outcome = .timedOut }
            finding.messages.append("the store could not be closed within \(closingLimit)")
        case .some(.some(let problem)) where found != nil:
            finding.outcome = .failed
            finding.messages.append(problem)
        default: break
        }
        return finding
    }

    /// What comes of a layer whose time is over: a wrong answer that was given before is one all the same.
    private func unanswered(
        within limit: Duration, after elapsed: Duration, _ failures: [String]
    ) -> Finding {
        var message = "no answer within \(limit)"
        if elapsed > limit * 1.2 {
            let elapsed = Duration.milliseconds(Int64(elapsed / .milliseconds(100)) * 100)
            message += " of a quiet machine, stretched to \(elapsed) on this busy one"
        }
        return Finding(outcome: failures.isEmpty ? .timedOut : .failed, messages: failures + [message])
    }

    private func play(through layer: Layer, at place: StorePlace, opened: OpenedStores) async -> Finding {
        let test: ScenarioContext
        do throws(StoreError) {
            let store = try await opened.open(place)
            test = ScenarioContext(
                scenario.id, layer: layer, opened: opened, store: store, seed: options.seed,
                historyFolder: options.historyFolder)
        } catch {
            return Finding(outcome: .failed, messages: ["the store cannot be opened: \(error)"])
        }
        if let missing = scenario.requirements.first(where: { !$0.isMet(by: test.store.capabilities) }) {
            return await absence(of: missing, test)
        }
        do {
            try await scenario.body(test)
        } catch is ScenarioStopped {
            // What stopped it was noted.
        } catch let stop as EnvironmentMissing {
            if test.failures.isEmpty { return Finding(outcome: .notRun, messages: [stop.what]) }
        } catch {
            test.fail("unexpected error: \(shown(error))")
        }
        let failures = test.failures
        return Finding(outcome: failures.isEmpty ? .passed : .failed, messages: failures)
    }

    /// Checks that what the store does not declare is not there.
    private func absence(of requirement: Requirement, _ test: ScenarioContext) async -> Finding {
        do {
            let isAbsent = try await requirement.isAbsent(in: test)
            return isAbsent
                ? Finding(outcome: .unsupported, messages: ["not declared: \(requirement)"])
                : Finding(
                    outcome: .unexpectedPass,
                    messages: ["the store does what it does not declare (\(requirement)): declare it"])
        } catch {
            return Finding(
                outcome: .failed,
                messages: ["checking that \(requirement) is absent: unexpected error: \(shown(error))"])
        }
    }
}

extension Outcome {
    fileprivate var badness: Int {
        switch self {
        case .passed: 0
        case .unsupported: 1
        case .notRun: 2
        case .waived: 3
        case .unexpectedPass: 4
        case .timedOut: 5
        case .failed: 6
        case .crashed: 7
        }
    }
}
