#if SQLite
import AgentSessions
import AgentSessionsMemory
import Synchronization

/// A store that accepts as many sessions as its URL says, such as `filling:2`, and no more.
enum FillingBackend: StoreBackend {
    static let name = "filling"
    static let summary = "a backend for tests"
    static let exampleURL = "filling:2"
    static let capabilities = StoreCapabilities(durability: .memory, scope: .one)
    static let settings: [SettingDefinition] = []

    static func open(
        _ url: StoreURL, settings: SettingValues, context: StoreContext
    ) async throws(StoreError) -> FillingStore {
        FillingStore(room: Int(url.location) ?? 0)
    }
}

final class FillingStore: ForwardingSessionStore {
    let base: any SessionStore = MemorySessionStore()
    private let room: Mutex<Int>
    let backendName = FillingBackend.name
    let capabilities = FillingBackend.capabilities

    init(room: Int) { self.room = Mutex(room) }

    func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        let isThere = room.withLock { room in
            room -= 1
            return room >= 0
        }
        guard isThere else {
            throw StoreError(
                .limitExceeded, "There is no room. Nothing was written. Make some.", backend: backendName)
        }
        try await base.restore(session, messages: messages)
    }
}
#endif
