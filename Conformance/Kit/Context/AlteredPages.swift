import AgentSessions

/// A store whose pages come out otherwise than its base has them: it shows whether who reads them looks.
struct AlteredPages: ForwardingSessionStore {
    /// What becomes of the messages of a page.
    typealias Alteration = @Sendable ([SessionMessage]) -> [SessionMessage]

    let base: any SessionStore
    private let alter: Alteration

    init(_ base: any SessionStore, _ alter: @escaping Alteration) {
        self.base = base
        self.alter = alter
    }

    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try await base.messages(request).map { MessagePage(session: $0.session, messages: alter($0.messages)) }
    }

    func close() async {}
}
