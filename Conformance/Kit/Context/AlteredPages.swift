import AgentSessions

/// A store whose pages come out otherwise than its base has them: it shows whether who reads them looks.
struct AlteredPages: SessionStore {
    /// What becomes of the messages of a page.
    typealias Alteration = @Sendable ([SessionMessage]) -> [SessionMessage]

    private let base: any SessionStore
    private let alter: Alteration

    init(_ base: any SessionStore, _ alter: @escaping Alteration) {
        self.base = base
        self.alter = alter
    }

    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try await base.messages(request).map { MessagePage(session: $0.session, messages: alter($0.messages)) }
    }

    var backendName: String { base.backendName }
    var capabilities: StoreCapabilities { base.capabilities }

    func create(_ session: NewSession) async throws(StoreError) -> Session { try await base.create(session) }
    func get(_ id: ULID) async throws(StoreError) -> Session? { try await base.get(id) }
    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] { try await base.list(request) }
    func update(_ id: ULID, _ change: SessionChange) async throws(StoreError) -> Session {
        try await base.update(id, change)
    }
    func delete(_ id: ULID) async throws(StoreError) -> Bool { try await base.delete(id) }
    func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        try await base.restore(session, messages: messages)
    }
    func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult { try await base.append(request) }
    func rewind(_ id: ULID, _ request: RewindRequest) async throws(StoreError) -> Session {
        try await base.rewind(id, request)
    }
    func effectiveSettings() async throws(StoreError) -> [StoreSetting] { try await base.effectiveSettings() }
    func migrations() async throws(StoreError) -> [MigrationStatus] { try await base.migrations() }
    func close() async {}
}
