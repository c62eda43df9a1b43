import Logging

/// The calls of a store that copying and checking make, under a retry policy.
struct RetriedStore: Sendable {
    private let store: any SessionStore
    private let caller: RetryingCaller

    init(_ store: any SessionStore, policy: RetryPolicy, logger: Logger) {
        self.store = store
        caller = RetryingCaller(store, policy: policy, logger: logger, tracer: nil)
    }

    var limits: StoreLimits { store.capabilities.limits }

    func storeID() async throws(StoreError) -> ULID? {
        try await caller.read(.get) { () throws(StoreError) in try await store.storeID() }
    }

    /// Whether the store keeps records of copies. To make room for them twice does no harm, so that an unknown outcome
    /// needs no look.
    func keepCopyRecords() async throws(StoreError) -> Bool {
        try await caller.read(.get) { () throws(StoreError) in try await store.keepCopyRecords() }
    }

    func copyRecord(of id: ULID) async throws(StoreError) -> CopyRecord? {
        try await caller.read(.get) { () throws(StoreError) in try await store.copyRecord(of: id) }
    }

    func identity() async throws(StoreError) -> StoreIdentity? { try await store.identity() }

    func engineChecks() async throws(StoreError) -> [VerificationCheck] { try await store.engineChecks() }

    func awaitDurability() async throws(StoreError) { try await store.awaitDurability() }

    /// A page of the list, of no more than the store's own limit.
    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        var request = request
        request.limit = limits.page(request.limit)
        return try await caller.read(.list) { [request] () throws(StoreError) in try await store.list(request) }
    }

    func get(_ id: ULID) async throws(StoreError) -> Session? {
        try await caller.read(.get) { () throws(StoreError) in try await store.get(id) }
    }

    /// A page as the store gives it, with whatever may be missing in it.
    func page(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try await caller.read(.messages) { () throws(StoreError) in try await store.messages(request) }
    }

    /// Reads a session page by page, in which nothing may be missing, each of no more than the store's own limit.
    ///
    /// - Parameter byteLimit: Bytes of a page.
    func pages(of id: ULID, byteLimit: Int) -> MessageStream.Page {
        { (range, limit) throws(StoreError) in
            let request = MessageRequest(
                sessionID: id, range: range, limit: limits.page(limit), byteLimit: byteLimit)
            guard let page = try await page(request) else { throw .sessionNotFound(id) }
            try page.check(against: request)
            return page
        }
    }

    /// - Throws: ``StoreError/Code/alreadyExists`` where another session has the id.
    func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        try await caller.restore(session, messages: messages, in: store)
    }

    /// Puts a session with its messages in the place of the one that has the expected revision, and finds out by the
    /// revision whether it was stored where that is not known.
    ///
    /// - Throws: ``StoreError/Code/conflict`` where the session in its place has another revision.
    func replace(
        _ session: Session, messages: any MessageSource, expectedRevision: Timestamp
    ) async throws(StoreError) {
        try await caller.call(.replace) { () throws(StoreError) in
            try await store.replace(session, messages: messages, expectedRevision: expectedRevision)
        } settle: { () throws(StoreError) -> Settlement<Void> in
            guard let found = try await store.get(session.id) else { return .unknown }
            if found == session { return .stored(()) }
            if found.revision == expectedRevision { return .notStoredAt(expectedRevision) }
            // Up to the replacement's revision it is another's change that came in its place. Beyond that, the change may
            // have come after it.
            if found.revision <= session.revision { try found.requireRevision(expectedRevision) }
            return .unknown
        }
    }
}

extension RetryingCaller {
    /// Stores a session with its messages, and finds out by its id whether it was stored where that is not known.
    ///
    /// - Throws: ``StoreError/Code/alreadyExists`` where another session has the id.
    func restore(
        _ session: Session, messages: any MessageSource, in store: some SessionStore
    ) async throws(StoreError) {
        try await call(.restore) { () throws(StoreError) in
            try await store.restore(session, messages: messages)
        } settle: { () throws(StoreError) -> Settlement<Void> in
            guard let found = try await store.get(session.id) else { return .notStored }
            // It may have been changed since it was stored, and then has a later revision.
            guard found.createdAt == session.createdAt, found.revision >= session.revision else {
                throw .sessionExists(session.id)
            }
            return .stored(())
        }
    }
}
