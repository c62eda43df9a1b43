public import AgentSessions
import Synchronization

/// An open store as a scenario calls it: the same calls through the repositories or through a service.
///
/// What a service fills in (ids, times), this does for the repositories, by the scenario's clock and random numbers.
public struct StoreAccess: Sendable {
    /// The store.
    public let store: any SessionStore
    /// Through which layer the calls go.
    public let layer: Layer
    /// A service over the store. It tries nothing again where the layer is the repositories.
    public let service: any SessionService
    /// What times the changes.
    public let clock: ScenarioClock

    private let random: RandomSource

    init(_ store: any SessionStore, layer: Layer, clock: ScenarioClock, random: SeededRandom) {
        self.store = store
        self.layer = layer
        self.clock = clock
        self.random = RandomSource(random)
        service = Self.makeService(store, retryPolicy: layer == .repository ? .never : .standard, clock: clock)
    }

    private static func makeService(
        _ store: some SessionStore, retryPolicy: RetryPolicy, clock: ScenarioClock
    ) -> any SessionService {
        PersistentSessionService(store, retryPolicy: retryPolicy, now: { clock.next() })
    }

    /// An id that does not tell when it was made.
    public func newID() -> ULID {
        random.newID()
    }

    // MARK: Sessions

    /// Creates a session.
    public func create(
        _ actorName: String = "local/orchestrator", metadata: JSONObject = JSONObject(), id: ULID? = nil
    ) async throws(StoreError) -> Session {
        switch layer {
        case .repository:
            try await store.create(
                NewSession(id: id ?? newID(), actorName: actorName, metadata: metadata, createdAt: clock.next()))
        case .service:
            try await service.create(actorName: actorName, metadata: metadata, id: id ?? newID())
        }
    }

    /// The session, or `nil` where there is none.
    public func get(_ id: ULID) async throws(StoreError) -> Session? {
        switch layer {
        case .repository: return try await store.get(id)
        case .service:
            do throws(StoreError) {
                return try await service.get(id)
            } catch {
                guard error.code == .notFound else { throw error }
                return nil
            }
        }
    }

    /// A run of the list of sessions.
    public func list(
        _ filter: SessionFilter = SessionFilter(), after: SessionPosition? = nil, offset: Int = 0, limit: Int = 1000
    ) async throws(StoreError) -> [Session] {
        switch layer {
        case .repository:
            try await store.list(SessionListRequest(filter: filter, after: after, offset: offset, limit: limit))
        case .service:
            try await service.list(
                filter, limit: limit, offset: offset, after: after.map { SessionCursor($0, filter: filter) }
            ).sessions
        }
    }

    /// Changes a session.
    public func update(
        _ id: ULID, actorName: String? = nil, metadata: JSONObject? = nil, expectedRevision: Timestamp? = nil
    ) async throws(StoreError) -> Session {
        switch layer {
        case .repository:
            try await store.update(
                id,
                SessionChange(
                    actorName: actorName, metadata: metadata, expectedRevision: expectedRevision, time: clock.next()))
        case .service:
            try await service.update(
                id, actorName: actorName, metadata: metadata, expectedRevision: expectedRevision)
        }
    }

    /// Adds usage to a session.
    public func addUsage(_ usage: TokenUsage, to id: ULID) async throws(StoreError) -> Session {
        switch layer {
        case .repository: try await store.update(id, SessionChange(usage: usage, time: clock.next()))
        case .service: try await service.updateTokenUsage(id, adding: usage)
        }
    }

    /// Deletes a session. `false` where there was none.
    public func delete(_ id: ULID) async throws(StoreError) -> Bool {
        switch layer {
        case .repository: return try await store.delete(id)
        case .service:
            do throws(StoreError) {
                try await service.delete(id)
                return true
            } catch {
                guard error.code == .notFound else { throw error }
                return false
            }
        }
    }

    // MARK: Messages

    /// Appends a batch.
    public func append(
        _ messages: [NewMessage], to id: ULID, usage: TokenUsage? = nil, expectedSequence: Int? = nil
    ) async throws(StoreError) -> [SessionMessage] {
        switch layer {
        case .repository:
            try await store.append(
                AppendRequest(
                    sessionID: id, messages: messages.map(pending), usage: usage, expectedSequence: expectedSequence,
                    time: clock.next())
            ).messages
        case .service:
            try await service.append(messages, to: id, usage: usage, expectedSequence: expectedSequence)
        }
    }

    /// Appends one message.
    public func append(
        _ message: NewMessage, to id: ULID, usage: TokenUsage? = nil, expectedSequence: Int? = nil
    ) async throws(StoreError) -> SessionMessage {
        let stored = try await append([message], to: id, usage: usage, expectedSequence: expectedSequence)
        guard let first = stored.first else {
            throw StoreError(.internalFailure, "The store gave back no message for an append.")
        }
        return first
    }

    /// A run of a session's messages; `nil` where there is no session.
    public func page(
        _ id: ULID, _ range: MessageRange = .after(0), limit: Int = 1000
    ) async throws(StoreError) -> MessagePage? {
        switch layer {
        case .repository:
            return try await store.messages(MessageRequest(sessionID: id, range: range, limit: limit))
        case .service:
            do throws(StoreError) {
                return try await service.messages(in: id, range, limit: limit)
            } catch {
                guard error.code == .notFound else { throw error }
                return nil
            }
        }
    }

    /// The messages of a run; none where there is no session.
    public func messages(
        _ id: ULID, _ range: MessageRange = .after(0), limit: Int = 1000
    ) async throws(StoreError) -> [SessionMessage] {
        try await page(id, range, limit: limit)?.messages ?? []
    }

    /// Removes every message after a sequence.
    public func rewind(
        _ id: ULID, to sequence: Int, expectedRevision: Timestamp? = nil, expectedSequence: Int? = nil
    ) async throws(StoreError) -> Session {
        switch layer {
        case .repository:
            try await store.rewind(
                id,
                RewindRequest(
                    to: sequence, expectedRevision: expectedRevision, expectedSequence: expectedSequence,
                    time: clock.next()))
        case .service:
            try await service.rewind(
                id, to: sequence, expectedRevision: expectedRevision, expectedSequence: expectedSequence)
        }
    }

    // MARK: Whole sessions

    /// A session with all its messages, `nil` where there is none.
    public func snapshot(of id: ULID) async throws(StoreError) -> SessionSnapshot? {
        guard let first = try await page(id, .after(0)) else { return nil }
        var messages = first.messages
        while messages.count < first.session.messageCount, let last = messages.last {
            let next = try await self.messages(id, .after(last.sequence))
            // A store may lie about its count, and have no end of messages.
            guard let first = next.first, first.sequence > last.sequence, !Task.isCancelled else { break }
            messages += next
        }
        return SessionSnapshot(session: first.session, messages: messages)
    }

    /// `message` with an id, as a repository takes it.
    public func pending(_ message: NewMessage) -> PendingMessage {
        PendingMessage(
            id: message.id ?? newID(), role: message.role, content: message.content, toolCallID: message.toolCallID,
            metadata: message.metadata)
    }
}

/// A session with its messages.
public struct SessionSnapshot: Sendable, Hashable {
    /// The session.
    public let session: Session
    /// Its messages in order.
    public let messages: [SessionMessage]

    /// A session with its messages.
    public init(session: Session, messages: [SessionMessage]) {
        self.session = session
        self.messages = messages
    }
}

/// Random ids that several tasks share.
private final class RandomSource: Sendable {
    private let random: Mutex<SeededRandom>

    init(_ random: SeededRandom) {
        self.random = Mutex(random)
    }

    func newID() -> ULID {
        random.withLock { ULID(high: $0.next() >> 1, low: $0.next()) }
    }
}
