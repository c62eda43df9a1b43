public import AgentSessions
public import AgentSessionsConformance
import AgentSessionsMemory
import Synchronization

/// Opens the stores of a mutant. What is at a place stays there until the place is destroyed, so that a store can be
/// opened again and more than once.
public final class MutantStores: StoreFactory {
    private struct Shelf {
        let data: MemorySessionStore
        let mutate: (@Sendable (inout StoreMethods) -> Void)?
    }

    private let mutant: Mutant?
    private let shelves = Mutex<[String: Shelf]>([:])

    /// The stores of `mutant`; without one, stores without a mistake, on which every scenario must pass.
    public init(_ mutant: Mutant?) {
        self.mutant = mutant
    }

    public func open(_ place: StorePlace) async throws(StoreError) -> any SessionStore {
        let shelf = shelves.withLock { shelves -> Shelf in
            if let shelf = shelves[place.name] { return shelf }
            let shelf = Shelf(data: MemorySessionStore(), mutate: mutant?.mutate())
            shelves[place.name] = shelf
            return shelf
        }
        var methods = StoreMethods(shelf.data)
        shelf.mutate?(&methods)
        let store = MutantStore(methods)
        try await store.open()
        return store
    }

    public func destroy(_ place: StorePlace) async throws(StoreError) {
        shelves.withLock { $0[place.name] = nil }
    }
}

/// A store whose calls are values.
final class MutantStore: ForwardingSessionStore {
    static let name = "mutated"

    var base: any SessionStore { methods.data }
    var backendName: String { methods.backendName }
    private let methods: StoreMethods
    private let isClosed = Atomic<Bool>(false)

    init(_ methods: StoreMethods) {
        self.methods = methods
    }

    var capabilities: StoreCapabilities {
        var capabilities = methods.capabilities
        methods.alterCapabilities(&capabilities)
        return capabilities
    }

    private func call<Result>(_ body: () async throws -> Result) async throws(StoreError) -> Result {
        if let error = methods.errorWhenClosed, isClosed.load(ordering: .acquiring) { throw error }
        do {
            return try await body()
        } catch {
            throw error as? StoreError ?? StoreError(.internalFailure, "Unexpected \(type(of: error)).")
        }
    }

    func open() async throws(StoreError) {
        try await call { try await methods.open() }
    }

    func create(_ session: NewSession) async throws(StoreError) -> Session {
        try await call { try await methods.create(session) }
    }

    func get(_ id: ULID) async throws(StoreError) -> Session? {
        try await call { try await methods.get(id) }
    }

    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        try await call { try await methods.list(request) }
    }

    func update(_ id: ULID, _ change: SessionChange) async throws(StoreError) -> Session {
        try await call { try await methods.update(id, change) }
    }

    func delete(_ id: ULID, createdAt: Timestamp?) async throws(StoreError) -> Bool {
        try await call { try await methods.delete(id, createdAt) }
    }

    func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        try await call { try await methods.restore(session, messages) }
    }

    func replace(
        _ session: Session, messages: any MessageSource, expectedRevision: Timestamp
    ) async throws(StoreError) {
        try await call { try await methods.replace(session, messages, expectedRevision) }
    }

    func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
        try await call { try await methods.append(request) }
    }

    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try await call { try await methods.messages(request) }
    }

    func rewind(_ id: ULID, _ request: RewindRequest) async throws(StoreError) -> Session {
        try await call { try await methods.rewind(id, request) }
    }

    func copyRecord(of id: ULID) async throws(StoreError) -> CopyRecord? {
        try await call { try await methods.copyRecord(id) }
    }

    func storeID() async throws(StoreError) -> ULID? {
        try await call { try await methods.storeID() }
    }

    func effectiveSettings() async throws(StoreError) -> [StoreSetting] {
        try await call { try await methods.effectiveSettings() }
    }

    func migrations() async throws(StoreError) -> [MigrationStatus] {
        try await call { try await methods.migrations() }
    }

    func identity() async throws(StoreError) -> StoreIdentity? {
        try await call { try await methods.identity() }
    }

    func engineChecks() async throws(StoreError) -> [VerificationCheck] {
        try await call { try await methods.engineChecks() }
    }

    func close() async {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        await methods.close()
    }
}
