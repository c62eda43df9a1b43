public import AgentSessions
import Synchronization

/// What a scenario has to work with: a fresh store, a clock, random numbers, and a place to say what it expects.
///
/// It may be used from several tasks at once. ``expect(_:_:)`` and its like note a failure and go on;
/// ``require(_:_:)`` and its like end the scenario.
public final class ScenarioContext: Sendable {
    /// Through which layer the scenario is run.
    public let layer: Layer
    /// The seed of the run.
    public let seed: UInt64
    /// The clock that the scenario's changes are timed by.
    public let clock: ScenarioClock

    private struct State {
        var random: SeededRandom
        var access: StoreAccess
    }

    private let opened: OpenedStores
    private let state: Mutex<State>

    /// Where histories are written as `SCENARIO-LAYER-SEED.edn`.
    private let historyPath: String?

    init(
        _ scenario: String, layer: Layer, opened: OpenedStores, store: any SessionStore, seed: UInt64,
        historyFolder: String? = nil
    ) {
        historyPath = historyFolder.map { "\($0)/\(scenario)-\(layer.rawValue)-\(seed).edn" }
        self.layer = layer
        self.seed = seed
        self.opened = opened
        var random = SeededRandom(seed: seed, part: scenario)
        // Some time in the years 2024 and 2025, to the microsecond.
        let start = 1_704_067_200_000_000 + Int64.random(in: 0..<63_072_000_000_000, using: &random)
        clock = ScenarioClock(start: Timestamp(microseconds: start) ?? .earliest)
        let access = StoreAccess(store, layer: layer, clock: clock, random: SeededRandom(seed: random.next()))
        state = Mutex(State(random: random, access: access))
    }

    /// The store, through the layer of this run.
    public var access: StoreAccess { state.withLock { $0.access } }

    /// The repositories of the store themselves. What it declares for its limits is kept within what can be counted with.
    public var store: any SessionStore { access.store }

    /// The store as the factory opened it, for scenarios that look at the backend's own type or at what it declares.
    public var openedStore: any SessionStore { (store as? UsableLimits)?.base ?? store }

    /// A service over the store. It tries nothing again where the run is bare.
    public var service: any SessionService { access.service }

    // MARK: Instances

    /// Closes the store and opens it again.
    public func reopen() async throws(StoreError) {
        await store.close()
        let opened = try await secondInstance()
        state.withLock { $0.access = opened }
    }

    /// Opens the store a second time while it is open.
    public func secondInstance() async throws(StoreError) -> StoreAccess {
        try await open(place)
    }

    /// Opens a store at a place of its own, which has nothing to do with that of the scenario.
    public func openElsewhere() async throws -> StoreAccess {
        try await open(freshPlace())
    }

    /// The place of the scenario. The runner has opened its store before the scenario begins.
    public var place: StorePlace { opened.place }

    /// A place that nobody has opened, which the kit removes with the rest.
    public func freshPlace() throws(StoreError) -> StorePlace {
        try opened.freshPlace()
    }

    /// Opens the store of a place: the scenario's, or a fresh one.
    public func open(_ place: StorePlace) async throws(StoreError) -> StoreAccess {
        let store = try await opened.open(place)
        return StoreAccess(store, layer: layer, clock: clock, random: SeededRandom(seed: randomNumber()))
    }

    /// Starts a process that opens the same store, or that of a fresh place.
    public func startHelper(_ task: HelperTask, at place: StorePlace? = nil) async throws -> HelperProcess {
        guard let helper = try await startHelperIfPossible(task, at: place ?? self.place) else {
            throw EnvironmentMissing(what: "the factory names no command that runs a helper process")
        }
        return helper
    }

    func startHelperIfPossible(
        _ task: HelperTask, at place: StorePlace
    ) async throws(StoreError) -> HelperProcess? {
        guard let command = opened.factory.helperCommand(task.description, at: place) else { return nil }
        let helper = try HelperProcess(command)
        opened.add(helper)
        return helper
    }

    // MARK: Random numbers

    /// The next random number of the scenario.
    public func randomNumber() -> UInt64 {
        state.withLock { $0.random.next() }
    }

    /// A random number within bounds.
    public func random(in range: ClosedRange<Int>) -> Int {
        state.withLock { Int.random(in: range, using: &$0.random) }
    }

    /// An id that does not tell when it was made, so that an order by id is never the order of making.
    public func newID() -> ULID {
        access.newID()
    }

    // MARK: Histories

    /// Writes a history where the options of the run ask for it.
    func write(_ history: History) throws {
        if let historyPath { try writeFile(history.edn, to: historyPath) }
    }

    // MARK: Failures

    /// Notes a failure.
    public func fail(_ message: String) {
        opened.fail(message)
    }

    /// What was noted.
    var failures: [String] { opened.failures }
}
