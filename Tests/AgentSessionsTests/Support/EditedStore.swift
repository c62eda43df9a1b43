import AgentSessionsMemory

@testable import AgentSessions

/// A store that changes the answers of the memory store behind it, as a damaged engine would.
struct EditedStore: ForwardingSessionStore {
    typealias List = @Sendable (SessionListRequest, [Session]) throws(StoreError) -> [Session]
    typealias Page = @Sendable (MessageRequest, MessagePage?) throws(StoreError) -> MessagePage?

    var base: any SessionStore = MemorySessionStore()
    var list: List = { _, sessions in sessions }
    var page: Page = { _, page in page }

    var backendName: String { "edited" }

    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        try list(request, try await base.list(request))
    }

    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try page(request, try await base.messages(request))
    }

    func engineChecks() async throws(StoreError) -> [VerificationCheck] { [] }
}
