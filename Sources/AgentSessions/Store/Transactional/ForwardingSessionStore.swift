/// A store that hands every call on to another one, and says only what it does differently.
///
/// ```swift
/// struct CountingStore: ForwardingSessionStore {
///     let base: any SessionStore
///     let appends = Counter()
///
///     func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
///         appends.increment()
///         return try await base.append(request)
///     }
/// }
/// ```
///
/// What concerns every read or every change alike is said once, in ``forwardRead(_:)`` or ``forwardChange(_:)``.
public protocol ForwardingSessionStore: SessionStore {
    /// The store that the calls go to.
    var base: any SessionStore { get }

    /// Makes a call of the repositories that changes nothing. By default it goes straight to ``base``.
    func forwardRead<Result: Sendable>(
        _ call: @escaping @Sendable (any SessionStore) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result

    /// Makes a call of the repositories that changes the store. By default it goes straight to ``base``.
    func forwardChange<Result: Sendable>(
        _ call: @escaping @Sendable (any SessionStore) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result
}

extension ForwardingSessionStore {
    public func forwardRead<Result: Sendable>(
        _ call: @escaping @Sendable (any SessionStore) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await call(base)
    }

    public func forwardChange<Result: Sendable>(
        _ call: @escaping @Sendable (any SessionStore) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await call(base)
    }
}

// MARK: - SessionRepository

extension ForwardingSessionStore {
    public func create(_ session: NewSession) async throws(StoreError) -> Session {
        try await forwardChange { (base) throws(StoreError) in try await base.create(session) }
    }

    public func get(_ id: ULID) async throws(StoreError) -> Session? {
        try await forwardRead { (base) throws(StoreError) in try await base.get(id) }
    }

    public func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        try await forwardRead { (base) throws(StoreError) in try await base.list(request) }
    }

    public func update(_ id: ULID, _ change: SessionChange) async throws(StoreError) -> Session {
        try await forwardChange { (base) throws(StoreError) in try await base.update(id, change) }
    }

    public func delete(_ id: ULID, createdAt: Timestamp?) async throws(StoreError) -> Bool {
        try await forwardChange { (base) throws(StoreError) in try await base.delete(id, createdAt: createdAt) }
    }

    public func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        try await forwardChange { (base) throws(StoreError) in try await base.restore(session, messages: messages) }
    }

    public func replace(
        _ session: Session, messages: any MessageSource, expectedRevision: Timestamp
    ) async throws(StoreError) {
        try await forwardChange { (base) throws(StoreError) in
            try await base.replace(session, messages: messages, expectedRevision: expectedRevision)
        }
    }
}

// MARK: - SessionMessageRepository

extension ForwardingSessionStore {
    public func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
        try await forwardChange { (base) throws(StoreError) in try await base.append(request) }
    }

    public func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try await forwardRead { (base) throws(StoreError) in try await base.messages(request) }
    }

    public func rewind(_ id: ULID, _ request: RewindRequest) async throws(StoreError) -> Session {
        try await forwardChange { (base) throws(StoreError) in try await base.rewind(id, request) }
    }
}

// MARK: - SessionStore

extension ForwardingSessionStore {
    public var backendName: String { base.backendName }

    public var capabilities: StoreCapabilities { base.capabilities }

    public func effectiveSettings() async throws(StoreError) -> [StoreSetting] { try await base.effectiveSettings() }

    public func migrations() async throws(StoreError) -> [MigrationStatus] { try await base.migrations() }

    public func identity() async throws(StoreError) -> StoreIdentity? { try await base.identity() }

    public func storeID() async throws(StoreError) -> ULID? { try await base.storeID() }

    public func keepCopyRecords() async throws(StoreError) -> Bool { try await base.keepCopyRecords() }

    public func copyRecord(of id: ULID) async throws(StoreError) -> CopyRecord? {
        try await forwardRead { (base) throws(StoreError) in try await base.copyRecord(of: id) }
    }

    public func engineChecks() async throws(StoreError) -> [VerificationCheck] { try await base.engineChecks() }

    public func awaitDurability() async throws(StoreError) { try await base.awaitDurability() }

    public func close() async { await base.close() }
}
