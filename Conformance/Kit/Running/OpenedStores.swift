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
    }

    private let state = Mutex(State())

    init(place: StorePlace, factory: any StoreFactory) {
        self.place = place
        self.factory = factory
    }

    /// Opens a store at the place.
    func open() async throws(StoreError) -> any SessionStore {
        let store = try await factory.open(place)
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
        let (stores, helpers) = state.withLock { ($0.stores, $0.helpers) }
        for helper in helpers { helper.kill() }
        for store in stores { await store.close() }
        do throws(StoreError) {
            try await factory.destroy(place)
            return nil
        } catch {
            return "the store could not be removed: \(error)"
        }
    }
}
