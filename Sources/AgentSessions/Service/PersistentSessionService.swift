public import Logging
import Synchronization
public import Tracing

/// The service over a store: it makes ids, checks values, tries again what failed for a passing reason, and finds out
/// what became of a change whose outcome the store does not know.
///
/// ```swift
/// let service = PersistentSessionService(store)
/// let session = try await service.create(actorName: "local/orchestrator")
/// try await service.appendMessage(NewMessage(.user, "Is my train late?"), to: session.id)
/// let tail = try await service.lastMessages(20, in: session.id)
/// ```
public struct PersistentSessionService<Store: SessionStore>: SessionService {
    /// The store that keeps the data.
    public let store: Store
    /// The largest values that the service takes: the store's, lowered by the application.
    public let limits: StoreLimits

    let generator: ULIDGenerator
    let clock: RevisionClock
    let caller: RetryingCaller

    /// A service over `store`.
    ///
    /// - Parameters:
    ///   - store: An open store. The service does not close it.
    ///   - retryPolicy: How to try again.
    ///   - limits: Limits to lower the store's own to.
    ///   - generator: What makes ids; by default one for the whole process, so that ids grow within it.
    ///   - now: A clock in place of the system's. Services over one store share a clock by being copies of one
    ///     service: outcomes are found out by times, of which a clock gives out none twice.
    ///   - logger: Where retries are logged. No content of a message and no secret is.
    ///   - tracer: What makes a span of each operation; `nil` makes none and costs nothing.
    public init(
        _ store: Store, retryPolicy: RetryPolicy = .standard, limits: StoreLimits = .standard,
        generator: ULIDGenerator = .shared, now: (@Sendable () -> Timestamp)? = nil,
        logger: Logger = Logger(label: "agent-sessions", factory: { _ in SwiftLogNoOpLogHandler() }),
        tracer: (any Tracer)? = nil
    ) {
        self.store = store
        self.limits = store.capabilities.limits.lowered(to: limits)
        self.generator = generator
        clock = now.map { RevisionClock(now: $0) } ?? .system
        caller = RetryingCaller(store, policy: retryPolicy, logger: logger, tracer: tracer)
    }

    public var capabilities: StoreCapabilities {
        var capabilities = store.capabilities
        capabilities.limits = limits
        return capabilities
    }
}

extension PersistentSessionService {
    /// The id that the caller chose, or a fresh one.
    private func newID(_ chosen: ULID?) throws(StoreError) -> ULID {
        if let chosen { return chosen }
        return try generator.next()
    }
}

// MARK: - Sessions

extension PersistentSessionService {
    public func create(actorName: String, metadata: JSONObject, id: ULID?) async throws(StoreError) -> Session {
        try limits.check(actorName: actorName)
        let new = NewSession(
            id: try newID(id), actorName: actorName, metadata: try limits.check(metadata: metadata),
            createdAt: try clock.next())
        return try await caller.call(.create) { () throws(StoreError) in
            try await store.create(new)
        } settle: { () throws(StoreError) -> Settlement<Session> in
            guard let found = try await store.get(new.id) else { return .notStored }
            // No two sessions of this process have the same time of creation. Where the session has not changed since,
            // it must also be the one that was asked for.
            guard found.createdAt == new.createdAt, found.revision != new.createdAt || found == new.session else {
                throw .sessionExists(new.id)
            }
            return .stored(found)
        }
    }

    public func get(_ id: ULID) async throws(StoreError) -> Session {
        let found = try await caller.read(.get) { () throws(StoreError) in try await store.get(id) }
        guard let found else { throw .sessionNotFound(id) }
        return found
    }

    public func list(
        _ filter: SessionFilter, limit: Int, offset: Int, after: SessionCursor?
    ) async throws(StoreError) -> SessionPage {
        try limits.check(limit: limit)
        try limits.check(offset: offset)
        try after?.requireFilter(filter)
        // One more than asked for tells whether there is a next page.
        var request = SessionListRequest(
            filter: filter, after: after?.position, offset: offset,
            limit: limit < limits.pageItems ? limit + 1 : limit)
        var sessions = try await list(request)
        guard sessions.count >= limit, let last = sessions.prefix(limit).last else {
            return SessionPage(sessions: sessions, next: nil)
        }
        if request.limit == limit {
            // The largest page has no room for one more.
            (request.after, request.offset, request.limit) = (last.position, 0, 1)
            sessions += try await list(request)
        }
        guard sessions.count > limit else { return SessionPage(sessions: sessions, next: nil) }
        sessions.removeLast(sessions.count - limit)
        return SessionPage(sessions: sessions, next: SessionCursor(last.position, filter: filter))
    }

    private func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        try await caller.read(.list) { () throws(StoreError) in try await store.list(request) }
    }

    @discardableResult
    public func update(
        _ id: ULID, actorName: String?, metadata: JSONObject?, expectedRevision: Timestamp?
    ) async throws(StoreError) -> Session {
        guard actorName != nil || metadata != nil else {
            throw StoreError(.invalidArgument, "Nothing to update: give an actor name, metadata, or both.")
        }
        if let actorName { try limits.check(actorName: actorName) }
        let change = SessionChange(
            actorName: actorName,
            metadata: try metadata.map { (object) throws(StoreError) -> JSONObject in
                try limits.check(metadata: object)
            },
            expectedRevision: expectedRevision, time: try clock.next())
        return try await apply(change, to: id, as: .update)
    }

    @discardableResult
    public func updateTokenUsage(_ id: ULID, adding usage: TokenUsage) async throws(StoreError) -> Session {
        try usage.validateIncrement()
        return try await apply(SessionChange(usage: usage, time: try clock.next()), to: id, as: .usage)
    }

    private func apply(
        _ change: SessionChange, to id: ULID, as operation: ServiceOperation
    ) async throws(StoreError) -> Session {
        try await caller.call(operation) { (fence) throws(StoreError) in
            var change = change
            change.expectedRevision = change.expectedRevision ?? fence.revision
            return try await store.update(id, change)
        } settle: { () throws(StoreError) -> Settlement<Session> in
            try await settleByRevision(id, time: change.time, expected: change.expectedRevision) { found in
                found.actorName.isIdentical(to: change.actorName ?? found.actorName)
                    && found.metadata == change.metadata ?? found.metadata
            }
        }
    }

    public func delete(_ id: ULID) async throws(StoreError) {
        let aim = DeletionAim()
        let existed = try await caller.call(.delete) { (fence) throws(StoreError) -> Bool in
            guard try await aim.take(id, in: store) else { return false }
            // With a fence the session was there after an attempt of unknown outcome: that it is gone now is the
            // outcome.
            return try await store.delete(id, createdAt: aim.createdAt) || fence != .none
        } settle: { () throws(StoreError) -> Settlement<Bool> in
            guard let found = try await store.get(id), aim.isMet(by: found) else { return .stored(true) }
            return .notStoredAt(found.revision)
        }
        guard existed else { throw .sessionNotFound(id) }
        SessionSignals.shared.sessionChanged(id)
    }
}

/// Which session of an id a deletion is meant for: the one that is there at its first attempt, known by its time of
/// creation. So no later attempt takes a session that another has made under the id since.
private final class DeletionAim: Sendable {
    private enum State {
        case open
        /// The row is damaged, so that nobody knows when the session was created. A store that can remove it may.
        case damaged
        case created(Timestamp)
    }

    private let state = Mutex(State.open)

    /// The time of creation, where it is known.
    var createdAt: Timestamp? {
        state.withLock { if case .created(let time) = $0 { time } else { nil } }
    }

    /// Looks at the session before the first attempt.
    ///
    /// - Returns: Whether there is one.
    func take(_ id: ULID, in store: some SessionStore) async throws(StoreError) -> Bool {
        guard state.withLock({ if case .open = $0 { true } else { false } }) else { return true }
        do throws(StoreError) {
            guard let found = try await store.get(id) else { return false }
            state.withLock { $0 = .created(found.createdAt) }
        } catch {
            guard error.code == .corrupt else { throw error }
            state.withLock { $0 = .damaged }
        }
        return true
    }

    /// Whether the deletion is meant for `session`.
    func isMet(by session: Session) -> Bool { createdAt.map { $0 == session.createdAt } ?? true }
}

// MARK: - Messages

extension PersistentSessionService {
    @discardableResult
    public func append(
        _ messages: [NewMessage], to sessionID: ULID, usage: TokenUsage?, expectedSequence: Int?
    ) async throws(StoreError) -> [SessionMessage] {
        try limits.check(batchCount: messages.count)
        try usage?.validateIncrement()
        var pending: [PendingMessage] = []
        pending.reserveCapacity(messages.count)
        for message in messages {
            pending.append(try limits.check(message, id: try newID(message.id)))
        }
        try requireUniqueIDs(pending)
        let request = AppendRequest(
            sessionID: sessionID, messages: pending, usage: usage, expectedSequence: expectedSequence,
            time: try clock.next())
        let stored = try await caller.call(.append) { (fence) throws(StoreError) in
            var request = request
            request.mayBeStored = fence != .none
            return try await store.append(request).messages
        } settle: { () throws(StoreError) -> Settlement<[SessionMessage]> in
            // The message ids were made before the first attempt, so the same append gives back what is there.
            .repeatable
        }
        SessionSignals.shared.sessionChanged(sessionID)
        return stored
    }

    private func requireUniqueIDs(_ messages: [PendingMessage]) throws(StoreError) {
        guard messages.count > 1 else { return }
        var seen: Set<ULID> = []
        for message in messages where !seen.insert(message.id).inserted {
            throw StoreError(
                .invalidArgument, "The message id \(message.id) comes twice in the batch: give each message its own.")
        }
    }

    public func messages(in id: ULID, _ range: MessageRange, limit: Int) async throws(StoreError) -> MessagePage {
        try limits.check(limit: limit)
        switch range {
        case .after(let sequence): try limits.check(offset: sequence)
        case .before(let sequence):
            guard sequence > 0 else {
                throw StoreError(.invalidArgument, "Sequences begin at 1: there is nothing before \(sequence).")
            }
        case .last: break
        }
        return try await page(MessageRequest(sessionID: id, range: range, limit: limit))
    }

    func page(_ request: MessageRequest) async throws(StoreError) -> MessagePage {
        let found = try await caller.read(.messages) { () throws(StoreError) in try await store.messages(request) }
        guard let found else { throw .sessionNotFound(request.sessionID) }
        try found.check(against: request)
        return found
    }

    public func messageStream(in id: ULID, after sequence: Int) -> MessageStream {
        MessageStream(after: sequence) { (range, limit) throws(StoreError) in
            try limits.check(offset: sequence)
            return try await streamPage(of: id, range, limit: limit)
        }
    }

    /// A page for a reader that goes on until it has all: of bounded size, whatever it asks for.
    func streamPage(of id: ULID, _ range: MessageRange, limit: Int) async throws(StoreError) -> MessagePage {
        try await page(
            MessageRequest(
                sessionID: id, range: range, limit: limits.page(limit), byteLimit: MessageStream.pageBytes))
    }

    public func follow(_ id: ULID, after sequence: Int, pollInterval: Duration) -> SessionFollower {
        SessionFollower(id, after: sequence, pollInterval: pollInterval) { (range, limit) throws(StoreError) in
            try await streamPage(of: id, range, limit: limit)
        }
    }

    public func context(
        _ id: ULID, budget: Int, cost: @escaping @Sendable (SessionMessage) -> Int
    ) async throws(StoreError) -> ContextWindow {
        try await ContextReading(budget: budget, cost: cost) { (range, limit) throws(StoreError) in
            try await streamPage(of: id, range, limit: limit)
        }.window()
    }

    public func count(_ id: ULID) async throws(StoreError) -> Int {
        try await get(id).messageCount
    }

    @discardableResult
    public func rewind(
        _ id: ULID, to sequence: Int, expectedRevision: Timestamp?, expectedSequence: Int?
    ) async throws(StoreError) -> Session {
        guard sequence >= 0 else {
            throw StoreError(.invalidArgument, "A session cannot be rewound to \(sequence): give 0 or a sequence.")
        }
        let request = RewindRequest(
            to: sequence, expectedRevision: expectedRevision, expectedSequence: expectedSequence,
            time: try clock.next())
        let rewound = try await caller.call(.rewind) { (fence) throws(StoreError) in
            var request = request
            request.expectedRevision = request.expectedRevision ?? fence.revision
            return try await store.rewind(id, request)
        } settle: { () throws(StoreError) -> Settlement<Session> in
            try await settleByRevision(id, time: request.time, expected: expectedRevision) { found in
                found.messageCount == sequence
            }
        }
        SessionSignals.shared.sessionChanged(id)
        return rewound
    }
}

// MARK: - Outcomes

extension PersistentSessionService {
    /// Finds out by the revision whether a change that was to be made at `time` is in the store.
    ///
    /// The change sets the revision to `time`, or to one microsecond after the revision before it where that is later.
    /// No two changes of this process have the same time, and a session's revision only grows.
    ///
    /// - Parameters:
    ///   - id: The session.
    ///   - time: The time of the change.
    ///   - expected: The revision that the change was to be made from, where it named one.
    ///   - isDone: Whether a session is as the change leaves it.
    /// - Throws: ``StoreError/Code/conflict`` where another's change took the place of this one.
    private func settleByRevision(
        _ id: ULID, time: Timestamp, expected: Timestamp?, isDone: @Sendable (Session) -> Bool
    ) async throws(StoreError) -> Settlement<Session> {
        guard let found = try await store.get(id) else { return .unknown }
        if found.revision == expected { return .notStoredAt(found.revision) }
        // The lowest revision that this change can have made.
        let lowest = try expected.map { (expected) throws(StoreError) in max(time, try expected.next()) } ?? time
        if found.revision > lowest { return .unknown }
        if found.revision == lowest, isDone(found) { return .stored(found) }
        // The change is not there, and nothing has come after it.
        try found.requireRevision(expected)
        return .notStoredAt(found.revision)
    }
}
