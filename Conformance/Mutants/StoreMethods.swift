import AgentSessions
import AgentSessionsMemory
import Synchronization

/// The calls of a store as values, so that a mutant replaces the one that it gets wrong and leaves the rest.
struct StoreMethods: Sendable {
    /// Where the data is. Its own calls do what they should.
    let data: MemorySessionStore
    var backendName = MutantStore.name
    var capabilities: StoreCapabilities
    /// What becomes of the capabilities later, each time that they are asked for.
    var alterCapabilities: @Sendable (inout StoreCapabilities) -> Void = { _ in }
    var create: @Sendable (NewSession) async throws -> Session
    var get: @Sendable (ULID) async throws -> Session?
    var list: @Sendable (SessionListRequest) async throws -> [Session]
    var update: @Sendable (ULID, SessionChange) async throws -> Session
    var delete: @Sendable (ULID, Timestamp?) async throws -> Bool
    var restore: @Sendable (Session, any MessageSource) async throws -> Void
    var replace: @Sendable (Session, any MessageSource, Timestamp) async throws -> Void
    var append: @Sendable (AppendRequest) async throws -> AppendResult
    var messages: @Sendable (MessageRequest) async throws -> MessagePage?
    var rewind: @Sendable (ULID, RewindRequest) async throws -> Session
    var copyRecord: @Sendable (ULID) async throws -> CopyRecord?
    var storeID: @Sendable () async throws -> ULID?
    var effectiveSettings: @Sendable () async throws -> [StoreSetting]
    var migrations: @Sendable () async throws -> [MigrationStatus]
    var identity: @Sendable () async throws -> StoreIdentity?
    var engineChecks: @Sendable () async throws -> [VerificationCheck]
    /// What opening does besides, before the caller has the store.
    var open: @Sendable () async throws -> Void = {}
    var close: @Sendable () async -> Void = {}
    /// What a call throws after the store was closed; where it is `nil`, the call goes through.
    var errorWhenClosed: StoreError? = .storeClosed(backend: MutantStore.name)

    /// The calls of a store that does everything right.
    init(_ data: MemorySessionStore) {
        self.data = data
        capabilities = StoreCapabilities(durability: .memory, scope: .one, abilities: [.reopen, .multipleInstances])
        create = { try await data.create($0) }
        get = { try await data.get($0) }
        list = { try await data.list($0) }
        update = { try await data.update($0, $1) }
        delete = { try await data.delete($0, createdAt: $1) }
        restore = { try await data.restore($0, messages: $1) }
        replace = { try await data.replace($0, messages: $1, expectedRevision: $2) }
        append = { try await data.append($0) }
        messages = { try await data.messages($0) }
        rewind = { try await data.rewind($0, $1) }
        copyRecord = { try await data.copyRecord(of: $0) }
        storeID = { try await data.storeID() }
        effectiveSettings = { try await data.effectiveSettings() }
        migrations = { try await data.migrations() }
        identity = { try await data.identity() }
        engineChecks = { try await data.engineChecks() }
    }
}

// MARK: - Mistakes in what is stored or read

extension StoreMethods {
    /// Sessions come back from every read as `alter` makes them.
    mutating func alterSessions(_ alter: @escaping @Sendable (Session) -> Session) {
        get = { [get] in try await get($0).map(alter) }
        list = { [list] in try await list($0).map(alter) }
        messages = { [messages] in
            try await messages($0).map { MessagePage(session: alter($0.session), messages: $0.messages) }
        }
    }

    /// Messages come back from every page as `alter` makes them.
    mutating func alterMessages(_ alter: @escaping @Sendable (SessionMessage) -> SessionMessage) {
        messages = { [messages] in
            try await messages($0).map { MessagePage(session: $0.session, messages: $0.messages.map(alter)) }
        }
    }

    /// Texts that a caller sent come back from every read as `alter` makes them.
    mutating func alterTexts(_ alter: @escaping @Sendable (String) -> String) {
        alterMessages { $0.with(content: alter($0.content)) }
    }

    /// Metadata comes back from every read with its values as `alter` makes them.
    mutating func alterValues(_ alter: @escaping @Sendable (JSONValue) -> JSONValue?) {
        alterSessions { session in
            var session = session
            session.metadata = session.metadata.altered(alter)
            return session
        }
        alterMessages { $0.with(metadata: $0.metadata.altered(alter)) }
    }

    /// Actor names come back from every read as `alter` makes them.
    mutating func alterActors(_ alter: @escaping @Sendable (String) -> String) {
        alterSessions { session in
            var session = session
            session.actorName = alter(session.actorName)
            return session
        }
    }

    /// Times come back from every read as `alter` makes them.
    mutating func alterTimes(_ alter: @escaping @Sendable (Timestamp) -> Timestamp) {
        alterSessions {
            Session(
                id: $0.id, actorName: $0.actorName, messageCount: $0.messageCount, usage: $0.usage,
                metadata: $0.metadata, createdAt: alter($0.createdAt), updatedAt: alter($0.updatedAt))
        }
        alterMessages { $0.with(createdAt: alter($0.createdAt)) }
    }
}

extension SessionMessage {
    /// The message with other fields.
    func with(
        id: ULID? = nil, sequence: Int? = nil, role: MessageRole? = nil, content: String? = nil,
        toolCallID: String?? = nil, metadata: JSONObject? = nil, createdAt: Timestamp? = nil
    ) -> SessionMessage {
        SessionMessage(
            id: id ?? self.id, sessionID: sessionID, sequence: sequence ?? self.sequence, role: role ?? self.role,
            content: content ?? self.content, toolCallID: toolCallID ?? self.toolCallID,
            metadata: metadata ?? self.metadata, createdAt: createdAt ?? self.createdAt)
    }
}

extension JSONObject {
    /// The object with every value in it, at any depth, as `alter` makes it; `nil` leaves it out.
    func altered(_ alter: (JSONValue) -> JSONValue?) -> JSONObject {
        JSONObject(members: compactMap { member in member.value.altered(alter).map { (member.key, $0) } })
    }
}

extension JSONValue {
    fileprivate func altered(_ alter: (JSONValue) -> JSONValue?) -> JSONValue? {
        switch self {
        case .array(let elements): alter(.array(elements.compactMap { $0.altered(alter) }))
        case .object(let object): alter(.object(object.altered(alter)))
        default: alter(self)
        }
    }
}

// MARK: - What a mistake has to know

extension StoreMethods {
    /// Sessions are kept in `first` as they were when they were created.
    mutating func rememberCreations(in first: Memory<[ULID: Session]>) {
        create = { [create] new in
            let made = try await create(new)
            first { $0[new.id] = made }
            return made
        }
    }
}

// MARK: - Mistakes in transactions

extension MemorySessionStore {
    /// Runs `body` in a write transaction: the copied method of a mutant.
    func change<Result: Sendable>(
        _ body: @escaping @Sendable (inout MemoryTables) throws -> Result
    ) async throws -> Result {
        try await write { (tables) throws(StoreError) in
            do {
                return try body(&tables)
            } catch {
                throw error as? StoreError ?? StoreError(.internalFailure, "Unexpected \(type(of: error)).")
            }
        }
    }

    /// Every session, oldest first.
    func everySession() async throws -> [Session] {
        try await list(SessionListRequest(limit: .max)).reversed()
    }

    /// Every message of a session.
    func everyMessage(of id: ULID) async throws -> [SessionMessage] {
        try await messages(MessageRequest(sessionID: id, range: .after(0), limit: .max))?.messages ?? []
    }
}

/// Gives other tasks the chance to come between, as a round trip to a server does.
func roundTrip() async {
    try? await Task.sleep(for: .milliseconds(1))
    await Task.yield()
}

/// What a mutant remembers for a place.
final class Memory<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    /// Looks at what is remembered, or changes it.
    func callAsFunction<Result: Sendable>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        try value.withLock { value in
            var copy = value
            defer { value = copy }
            return try body(&copy)
        }
    }
}
