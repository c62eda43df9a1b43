public import AgentSessions
import Synchronization

/// What a scenario has to work with: a fresh store, a clock, random numbers, and a place to say what it expects.
///
/// It may be used from several tasks at once. ``expect(_:_:)`` and its like note a failure and go on;
/// ``require(_:_:)`` and its like end the scenario.
public final class ScenarioContext: Sendable {
    /// Where the store is.
    public let place: StorePlace
    /// Through which layer the scenario is run.
    public let layer: Layer
    /// The seed of the scenario's random numbers.
    public let seed: UInt64
    /// The clock that the scenario's changes are timed by.
    public let clock: ScenarioClock

    private struct State {
        var random: SeededRandom
        var current: StoreAccess
        var instances: [StoreAccess]
        var failures: [String] = []
    }

    private let factory: any StoreFactory
    private let state: Mutex<State>

    init(
        _ scenario: String, layer: Layer, place: StorePlace, factory: any StoreFactory, store: any SessionStore,
        seed: UInt64
    ) {
        self.place = place
        self.layer = layer
        self.seed = seed
        self.factory = factory
        var random = SeededRandom(seed: seed, part: scenario)
        // Some time in the years after 2024, to the microsecond.
        let start = 1_704_067_200_000_000 + Int64.random(in: 0..<63_072_000_000_000, using: &random)
        clock = ScenarioClock(start: Timestamp.earliest.advanced(by: start - Timestamp.earliest.microseconds))
        let access = StoreAccess(store, layer: layer, clock: clock, random: SeededRandom(seed: random.next()))
        state = Mutex(State(random: random, current: access, instances: [access]))
    }

    /// The store, through the layer of this run.
    public var access: StoreAccess { state.withLock { $0.current } }

    /// The repositories of the store themselves.
    public var store: any SessionStore { access.store }

    /// A service over the store. It tries nothing again where the run is bare.
    public var service: any SessionService { access.service }

    // MARK: Instances

    /// Closes the store and opens it again.
    public func reopen() async throws(StoreError) {
        await access.store.close()
        let opened = try await openAnother()
        state.withLock { $0.current = opened }
    }

    /// Opens the store a second time while it is open.
    public func secondInstance() async throws(StoreError) -> StoreAccess {
        try await openAnother()
    }

    private func openAnother() async throws(StoreError) -> StoreAccess {
        let store = try await factory.open(place)
        let access = StoreAccess(store, layer: layer, clock: clock, random: SeededRandom(seed: randomNumber()))
        state.withLock { $0.instances.append(access) }
        return access
    }

    /// Every instance that was opened, so that the runner closes them.
    var instances: [StoreAccess] { state.withLock { $0.instances } }

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

    // MARK: Failures

    /// Notes a failure.
    public func fail(_ message: String) {
        state.withLock { $0.failures.append(message) }
    }

    /// What was noted.
    var failures: [String] { state.withLock { $0.failures } }
}
