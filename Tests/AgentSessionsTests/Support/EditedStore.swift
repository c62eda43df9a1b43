import AgentSessionsMemory

@testable import AgentSessions

/// A store that gives other answers than the one in memory behind it, as a damaged engine would.
struct EditedStore: SessionStore {
    typealias List = @Sendable (SessionListRequest, [Session]) throws(StoreError) -> [Session]
    typealias Page = @Sendable (MessageRequest, MessagePage?) throws(StoreError) -> MessagePage?

    let base = MemorySessionStore()
    var list: List = { _, sessions in sessions }
    var page: Page = { _, page in page }

    var backendName: String { "edited" }
    var capabilities: StoreCapabilities { base.capabilities }
    func effectiveSettings() async throws(StoreError) -> [StoreSetting] { [] }
    func migrations() async throws(StoreError) -> [MigrationStatus] { [] }
    func close() async { await base.close() }
    func create(_ session: NewSession) async throws(StoreError) -> Session { try await base.create(session) }
    func get(_ id: ULID) async throws(StoreError) -> Session? { try await base.get(id) }
    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        try list(request, try await base.list(request))
    }
    func update(_ id: ULID, _ change: SessionChange) async throws(StoreError) -> Session {
        try await base.update(id, change)
    }
    func delete(_ id: ULID) async throws(StoreError) -> Bool { try await base.delete(id) }
    func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        try await base.restore(session, messages: messages)
    }
    func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult { try await base.append(request) }
    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try page(request, try await base.messages(request))
    }
    func rewind(_ id: ULID, _ request: RewindRequest) async throws(StoreError) -> Session {
        try await base.rewind(id, request)
    }
}
