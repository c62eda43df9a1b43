import AgentSessions
import Synchronization

/// What a scenario has opened at its place, so that all of it is closed whatever happens.
final class OpenedStores: Sendable {
    let place: StorePlace
    let factory: any StoreFactory

    private struct State {
        var stores: [any SessionStore] = []
        var helpers: [HelperProcess] = []
        var failures: [String] = []
        var otherPlaces: [StorePlace] = []
    }

    private let state = Mutex(State())

    private let makePlace: @Sendable () throws(StoreError) -> StorePlace

    init(
        place: StorePlace, factory: any StoreFactory, makePlace: @escaping @Sendable () throws(StoreError) -> StorePlace
    ) {
        self.place = place
        self.makePlace = makePlace
        self.factory = factory
    }

    /// A place that nobody has opened.
    func freshPlace() throws(StoreError) -> StorePlace {
        let other = try makePlace()
        state.withLock { $0.otherPlaces.append(other) }
        return other
    }

    /// Opens a store at the scenario's place or at a fresh one.
    func open(_ place: StorePlace) async throws(StoreError) -> any SessionStore {
        let store = UsableLimits(base: try await factory.open(place))
        state.withLock { $0.stores.append(store) }
        return store
    }

    /// Keeps a process that has the place open.
    func add(_ helper: HelperProcess) {
        state.withLock { $0.helpers.append(helper) }
    }

    /// Notes a failure, which is known even where the scenario never ends.
    func fail(_ message: String) {
        state.withLock { $0.failures.append(message) }
    }

    var failures: [String] { state.withLock { $0.failures } }

    /// Ends the processes, closes the stores and removes what they left.
    ///
    /// - Returns: What went wrong.
    func closeAll() async -> String? {
        let (stores, helpers, others) = state.withLock { ($0.stores, $0.helpers, $0.otherPlaces) }
        for helper in helpers { helper.kill() }
        for store in stores { await store.close() }
        do throws(StoreError) {
            for place in [place] + others { try await factory.destroy(place) }
            return nil
        } catch {
            return "the store could not be removed: \(error)"
        }
    }
}
