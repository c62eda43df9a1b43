import AgentSessions
import AgentSessionsMemory

@testable import AgentSessionsBenchmarks

/// A memory store that does not do what it says.
struct LyingStore: ForwardingSessionStore {
    enum Lie: CaseIterable, Sendable {
        /// Acknowledges appends that it drops.
        case dropsAppends
        /// Stores another text than it was given.
        case changesContent
        /// Forgets to add usage.
        case losesUsage
        /// Answers reads of the tail with too few messages.
        case shortensTails
        /// Acknowledges sessions that it does not keep.
        case dropsSessions
        /// Lists fewer sessions than there are.
        case shortensLists
        /// Acknowledges imports that it drops.
        case dropsImports
        /// Is never free.
        case busy
        /// Is slow, but tells the truth.
        case slow
        /// Claims to survive the loss of power.
        case tier

        static var allCases: [Lie] {
            [
                .dropsAppends, .changesContent, .losesUsage, .shortensTails, .dropsSessions, .shortensLists,
                .dropsImports,
            ]
        }

        /// Where the lie shows.
        var workloads: [Workload] {
            switch self {
            case .dropsAppends, .changesContent: [.messageAppend]
            case .losesUsage: [.tokenUpdate]
            case .shortensTails: [.messagesTail20]
            case .dropsSessions: [.sessionCreate]
            case .shortensLists: [.sessionList]
            case .dropsImports: [.import]
            case .busy, .slow, .tier: [.sessionGet]
            }
        }
    }

    let base: any SessionStore = MemorySessionStore()
    private let lie: Lie
    private let created = SharedCounter()

    init(_ lie: Lie) { self.lie = lie }

    var backendName: String { "liar" }
    var capabilities: StoreCapabilities {
        StoreCapabilities(durability: lie == .tier ? .powerLoss : .memory, scope: .one)
    }

    func create(_ session: NewSession) async throws(StoreError) -> Session {
        // The loaded data is kept, so that only the workload is lied to.
        if lie == .dropsSessions, created.next() > LoadedStore.sessions { return session.session }
        return try await base.create(session)
    }

    func get(_ id: ULID) async throws(StoreError) -> Session? {
        if lie == .busy { throw StoreError(.busy, "scripted") }
        if lie == .slow { try? await Task.sleep(for: .milliseconds(1)) }
        return try await base.get(id)
    }

    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        let sessions = try await base.list(request)
        return lie == .shortensLists ? Array(sessions.prefix(10)) : sessions
    }

    func update(_ id: ULID, _ change: SessionChange) async throws(StoreError) -> Session {
        guard lie == .losesUsage else { return try await base.update(id, change) }
        guard let session = try await base.get(id) else { throw .sessionNotFound(id) }
        return try change.apply(to: session)
    }

    func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        if lie != .dropsImports { try await base.restore(session, messages: messages) }
    }

    func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
        // Single messages are those of the workload; the loader appends batches.
        guard request.messages.count == 1, let message = request.messages.first else {
            return try await base.append(request)
        }
        switch lie {
        case .dropsAppends:
            let count = created.next()
            return AppendResult(
                messages: [
                    SessionMessage(
                        id: message.id, sessionID: request.sessionID, sequence: count + 1, role: message.role,
                        content: message.content, createdAt: request.time)
                ], isReplay: false)
        case .changesContent:
            let other = PendingMessage(id: message.id, role: message.role, content: message.content.uppercased())
            return try await base.append(
                AppendRequest(sessionID: request.sessionID, messages: [other], time: request.time))
        default: return try await base.append(request)
        }
    }

    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        guard let page = try await base.messages(request), lie == .shortensTails, request.range == .last else {
            return try await base.messages(request)
        }
        return MessagePage(session: page.session, messages: Array(page.messages.suffix(3)))
    }
}
