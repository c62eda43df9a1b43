import AgentSessions
import Synchronization

/// A store whose next changes fail as engines and networks fail: before anything was done, or after all was done and
/// before the caller was told. It shows what the store under it makes of the attempts that follow.
final class FaultyStore: SessionStore {
    /// How a change fails.
    enum Fault: Sendable {
        /// Nothing is done, and this is thrown.
        case before(StoreError.Code)
        /// It is done, and this is thrown.
        case after(StoreError.Code)
    }

    private let base: any SessionStore
    private let faults: Mutex<[Fault]>

    init(_ base: any SessionStore, _ faults: [Fault]) {
        self.base = base
        self.faults = Mutex(faults)
    }

    /// The faults that no change has met yet.
    var left: Int { faults.withLock { $0.count } }

    private func change<Result: Sendable>(
        _ body: () async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let fault: Fault? = faults.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        switch fault {
        case nil: return try await body()
        case .before(let code): throw StoreError(code, "A fault of the kit, before the change.")
        case .after(let code):
            _ = try await body()
            throw StoreError(code, "A fault of the kit, after the change.")
        }
    }

    var backendName: String { base.backendName }
    var capabilities: StoreCapabilities { base.capabilities }

    func create(_ session: NewSession) async throws(StoreError) -> Session {
        try await change { () throws(StoreError) in try await base.create(session) }
    }

    func update(_ id: ULID, _ change: SessionChange) async throws(StoreError) -> Session {
        try await self.change { () throws(StoreError) in try await base.update(id, change) }
    }

    func delete(_ id: ULID) async throws(StoreError) -> Bool {
        try await change { () throws(StoreError) in try await base.delete(id) }
    }

    func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        try await change { () throws(StoreError) in try await base.restore(session, messages: messages) }
    }

    func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
        try await change { () throws(StoreError) in try await base.append(request) }
    }

    func rewind(_ id: ULID, _ request: RewindRequest) async throws(StoreError) -> Session {
        try await change { () throws(StoreError) in try await base.rewind(id, request) }
    }

    func get(_ id: ULID) async throws(StoreError) -> Session? { try await base.get(id) }
    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] { try await base.list(request) }
    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try await base.messages(request)
    }
    func effectiveSettings() async throws(StoreError) -> [StoreSetting] { try await base.effectiveSettings() }
    func migrations() async throws(StoreError) -> [MigrationStatus] { try await base.migrations() }
    func close() async { await base.close() }
}
