#if SQLite
import AgentSessions
import AgentSessionsMemory
import Synchronization

/// A store that takes as many sessions as its URL says, such as `filling:2`, and no more.
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

final class FillingStore: SessionStore {
    private let memory = MemorySessionStore()
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
        try await memory.restore(session, messages: messages)
    }

    func effectiveSettings() async throws(StoreError) -> [StoreSetting] { [] }
    func migrations() async throws(StoreError) -> [MigrationStatus] { [] }
    func close() async { await memory.close() }
    func create(_ session: NewSession) async throws(StoreError) -> Session { try await memory.create(session) }
    func get(_ id: ULID) async throws(StoreError) -> Session? { try await memory.get(id) }
    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] { try await memory.list(request) }
    func update(_ id: ULID, _ change: SessionChange) async throws(StoreError) -> Session {
        try await memory.update(id, change)
    }
    func delete(_ id: ULID) async throws(StoreError) -> Bool { try await memory.delete(id) }
    func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult { try await memory.append(request) }
    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try await memory.messages(request)
    }
    func rewind(_ id: ULID, _ request: RewindRequest) async throws(StoreError) -> Session {
        try await memory.rewind(id, request)
    }
}
#endif
