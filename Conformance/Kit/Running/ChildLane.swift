import AgentSessions
import Synchronization

/// Scenarios in a process of their own, which is replaced when a scenario has ended it or hangs in it.
///
/// A lane is used by one task at a time.
final class ChildLane: ScenarioLane {
    /// How long a process may take to start and to answer, beside the time of the scenario.
    private static let grace = Duration.seconds(5)
    /// A process that a scenario's leftovers end before the next one began is replaced so many times.
    private static let maximumStarts = 3

    private let factory: any StoreFactory
    private let options: ConformanceRunner.Options
    private let stage: Stage
    private let child = Mutex<ScenarioChild?>(nil)

    init(_ factory: any StoreFactory, options: ConformanceRunner.Options, stage: Stage) {
        self.factory = factory
        self.options = options
        self.stage = stage
    }

    func play(_ scenario: Scenario) async -> PlayedScenario {
        let start = ContinuousClock.now
        let bound = (options.limit(of: scenario) + options.closingLimit) * scenario.layers.count
        func result(_ outcome: Outcome, _ message: String) -> ScenarioResult {
            ScenarioResult(scenario, outcome, duration: .now - start, message: message)
        }
        switch await ask(scenario.id, within: bound) {
        case .answer(.played(let outcome, let duration, let message, let didHang)):
            // What hangs in it would go on beside the scenarios that follow.
            if didHang { await replaceChild() }
            return PlayedScenario(
                result: ScenarioResult(scenario, outcome, duration: duration, message: message), didHang: didHang)
        case .answer:
            return PlayedScenario(result: result(.notRun, "the helper's program gave an answer of another kind"))
        case .none(let problem): return PlayedScenario(result: result(.notRun, problem))
        case .ended(let end): return PlayedScenario(result: result(.crashed, "the process of the store \(end)"))
        case .silent:
            return PlayedScenario(
                result: result(.timedOut, "the process of the store said nothing within \(bound), and was ended"),
                didHang: true)
        }
    }

    func describe() async -> StoreDescription {
        switch await ask(ScenarioOrders.describe, within: .seconds(40)) {
        case .answer(.described(let description)): description
        // The scenarios tell what ends the process.
        case .ended: StoreDescription()
        case .silent: StoreDescription(problem: "the process of the store says nothing when it is to open one")
        case .none(let problem): StoreDescription(problem: problem)
        case .answer: StoreDescription(problem: "the helper's program gave an answer of another kind")
        }
    }

    func finish() async {
        await replaceChild()
    }

    /// What a request led to.
    private enum Reply {
        case answer(ScenarioAnswer)
        /// The process ended before it answered.
        case ended(String)
        /// It had to be ended.
        case silent
        /// No process could be started, or each ended before it began.
        case none(String)
    }

    private func ask(_ request: String, within bound: Duration) async -> Reply {
        var end = ""
        for _ in 0..<Self.maximumStarts {
            let child: ScenarioChild
            do {
                child = try self.child.withLock { child in
                    let running = try child ?? ScenarioChild(factory, options: options, stage: stage)
                    child = running
                    return running
                }
            } catch {
                return .none("\(error)")
            }
            switch await child.answer(to: request, within: bound + Self.grace) {
            case .answer(let answer): return .answer(answer)
            case .ended(let how, let hadBegun):
                await replaceChild()
                if hadBegun { return .ended(how) }
                end = how
            case .silent:
                await replaceChild()
                return .silent
            }
        }
        return .none("no process that runs scenarios begins: the last one \(end)")
    }

    /// Ends the process, and removes what it left behind. The next scenario starts another.
    private func replaceChild() async {
        let old = child.withLock { child in
            defer { child = nil }
            return child
        }
        await old?.end()
    }
}

/// A process that runs scenarios.
private final class ScenarioChild: Sendable {
    enum Reply {
        case answer(ScenarioAnswer)
        case ended(String, hadBegun: Bool)
        case silent
    }

    private let process: HelperProcess
    private let factory: any StoreFactory
    private let stage: Stage
    private let place: StorePlace
    private struct State {
        var read = 0
        var places: [StorePlace] = []
    }
    private let state = Mutex(State())

    init(_ factory: any StoreFactory, options: ConformanceRunner.Options, stage: Stage) throws {
        self.factory = factory
        self.stage = stage
        place = try stage.makePlace()
        guard let command = factory.helperCommand(try ScenarioOrders(options).task, at: place) else {
            throw EnvironmentMissing(what: "the factory names no command that runs a helper process")
        }
        process = try HelperProcess(command, keepsErrors: true)
    }

    /// Sends a request and waits for what comes of it.
    func answer(to request: String, within bound: Duration) async -> Reply {
        let isSilent = Atomic<Bool>(false)
        let alarm = stage.watch.ring(after: bound) { [process] in
            isSilent.store(true, ordering: .relaxed)
            process.kill()
        }
        defer { stage.watch.stop(alarm) }
        process.send(request)
        var hasBegun = false
        while true {
            let read = state.withLock { $0.read }
            let lines = await process.output(lines: read + 1)
            guard lines.count > read else {
                if isSilent.load(ordering: .relaxed) { return .silent }
                return .ended(process.end ?? "closed its output", hadBegun: hasBegun)
            }
            state.withLock { $0.read += 1 }
            switch ScenarioAnswer(lines[read]) {
            case .began?: hasBegun = true
            case .place(let place)?: state.withLock { $0.places.append(place) }
            case let answer?:
                // It has removed the places of what it did to the end.
                state.withLock { $0.places = [] }
                return .answer(answer)
            case nil: break
            }
        }
    }

    /// Ends the process and removes what it left behind.
    func end() async {
        process.kill()
        _ = await process.output()
        let places = state.withLock { $0.places }
        if !places.isEmpty, let threads = try? ScenarioThreads(count: 1) {
            _ = await within(.seconds(10), on: threads, watch: stage.watch) { [factory] in
                for place in places { try? await factory.destroy(place) }
            }
            threads.finish()
        }
        stage.remove(place)
    }
}
