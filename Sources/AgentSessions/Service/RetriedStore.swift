import Logging

/// The calls of a store that copying and checking make, under a retry policy.
struct RetriedStore: Sendable {
    private let store: any SessionStore
    private let caller: RetryingCaller

    init(_ store: any SessionStore, policy: RetryPolicy, logger: Logger) {
        self.store = store
        caller = RetryingCaller(policy: policy, backend: store.backendName, logger: logger, tracer: nil)
    }

    var limits: StoreLimits { store.capabilities.limits }

    func identity() async throws(StoreError) -> StoreIdentity? { try await store.identity() }

    func engineChecks() async throws(StoreError) -> [VerificationCheck] { try await store.engineChecks() }

    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        try await caller.read(.list) { () throws(StoreError) in try await store.list(request) }
    }

    func get(_ id: ULID) async throws(StoreError) -> Session? {
        try await caller.read(.get) { () throws(StoreError) in try await store.get(id) }
    }

    /// A page as the store gives it, with whatever may be missing in it.
    func page(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try await caller.read(.messages) { () throws(StoreError) in try await store.messages(request) }
    }

    /// Reads a session page by page, in which nothing may be missing.
    ///
    /// - Parameter byteLimit: Bytes of a page.
    func pages(of id: ULID, byteLimit: Int) -> MessageStream.Page {
        { (range, limit) throws(StoreError) in
            let request = MessageRequest(sessionID: id, range: range, limit: limit, byteLimit: byteLimit)
            guard let page = try await page(request) else { throw .sessionNotFound(id) }
            try page.check(against: request)
            return page
        }
    }

    /// Stores a session with its messages, and finds out by its id whether it was stored where that is not known.
    func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        try await caller.call(.restore) { () throws(StoreError) in
            try await store.restore(session, messages: messages)
        } settle: { () throws(StoreError) -> Settlement<Void> in
            try await store.get(session.id) == nil ? .notStored : .stored(())
        }
    }

    func delete(_ id: ULID) async throws(StoreError) {
        _ = try await caller.call(.delete) { () throws(StoreError) in
            try await store.delete(id)
        } settle: { () throws(StoreError) -> Settlement<Bool> in
            try await store.get(id) == nil ? .stored(true) : .notStored
        }
    }
}
