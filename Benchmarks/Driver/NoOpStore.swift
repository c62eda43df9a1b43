import AgentSessions
import AgentSessionsMemory

/// A store that keeps nothing and answers at once with something of the right shape, so that what is measured on it is
/// the harness, the service and the tasks.
struct NoOpStore: ForwardingSessionStore {
    static let messageCount = 20

    /// What no workload calls.
    let base: any SessionStore = MemorySessionStore()
    let backendName = "noop"
    let capabilities = StoreCapabilities(durability: .memory, scope: .one)
    private let canned: [SessionMessage]

    init() {
        canned = (1...Self.messageCount).map { sequence in
            SessionMessage(
                id: ULID(high: Self.someID.high, low: UInt64(sequence)), sessionID: Self.someID, sequence: sequence,
                role: .assistant,
                content: String(repeating: "It leaves from platform 7. ", count: 20), createdAt: Self.someTime)
        }
    }

    private static let someID = ULID(high: 0x0192_7F32_B115_0000, low: 0)
    private static let someTime = Timestamp.earliest

    private func session(_ id: ULID, actorName: String = "noop") -> Session {
        Session(
            id: id, actorName: actorName, messageCount: Self.messageCount, createdAt: Self.someTime,
            updatedAt: Self.someTime)
    }

    // MARK: Sessions

    func create(_ session: NewSession) async throws(StoreError) -> Session { session.session }
    func get(_ id: ULID) async throws(StoreError) -> Session? { session(id) }
    func update(_ id: ULID, _ change: SessionChange) async throws(StoreError) -> Session { session(id) }
    func delete(_ id: ULID, createdAt: Timestamp?) async throws(StoreError) -> Bool { true }

    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        Array(repeating: session(Self.someID, actorName: request.filter.actorName ?? "noop"), count: request.limit)
    }

    func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        var reader = try messages.makeReader()
        while try reader.next() != nil {}
    }

    // MARK: Messages

    func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
        let messages = request.messages.enumerated().map { index, message in
            SessionMessage(
                id: message.id, sessionID: request.sessionID, sequence: index + 1, role: message.role,
                content: message.content, toolCallID: message.toolCallID, metadata: message.metadata,
                createdAt: request.time)
        }
        return AppendResult(messages: messages, isReplay: false)
    }

    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        let run =
            switch request.range {
            case .after(let sequence): canned.dropFirst(sequence).prefix(request.limit)
            case .before(let sequence): canned.prefix(max(0, sequence - 1)).suffix(request.limit)
            case .last: canned.suffix(request.limit)
            }
        let messages = run.map { message in
            SessionMessage(
                id: message.id, sessionID: request.sessionID, sequence: message.sequence, role: message.role,
                content: message.content, createdAt: message.createdAt)
        }
        return MessagePage(session: session(request.sessionID), messages: messages)
    }

    func rewind(_ id: ULID, _ request: RewindRequest) async throws(StoreError) -> Session { session(id) }

    // MARK: The store

    func effectiveSettings() async throws(StoreError) -> [StoreSetting] { [StoreSetting("engine", "none")] }
}
