import AgentSessions
import AgentSessionsBackends
import AgentSessionsConformance

/// The steps of `demo`.
struct Demo {
    let store: OpenStore
    let context: ToolContext
    /// Whether to print nothing on the way.
    let isQuiet: Bool

    private var service: any SessionService { store.service }

    /// Does every step, and gives a summary.
    func run() async throws(StoreError) -> JSONValue {
        let imported = try await importSample()
        try await list()
        guard let id = imported.ids.first else {
            throw StoreError(.internalFailure, "The sample holds no conversation.")
        }
        try await show(id)
        let grown = try await append(to: id)
        let copy = try await exportAndImport(id)
        let location = store.configuration.url.description
        try say(
            """

            Done. The data is in \(visible(location)), named by \(store.configuration.source).
            Try: agent-sessions list, agent-sessions show \(copy) --last 4
            """)
        return [
            "store": .string(location), "sessions": .integer(Int64(imported.ids.count)),
            "messages": .integer(Int64(imported.messages)), "session": grown.json,
            "copy": .string(copy.description), "identical": true,
        ]
    }

    private func importSample() async throws(StoreError) -> ImportResult {
        try say("==> Importing the sample conversations")
        let result = try await service.importSessions(
            .bytes(PackageResources.sample_conversations_jsonl), format: .openai, options: ImportOptions())
        try say("\(counted(result.ids.count, "session")) with \(counted(result.messages, "message")).")
        return result
    }

    private func list() async throws(StoreError) {
        try say("\n==> Listing the newest sessions")
        var table = Table(Session.listColumns)
        table.rows = try await service.list(limit: store.limits.page(6)).sessions.map(\.listRow)
        try say(table.text)
    }

    private func show(_ id: ULID) async throws(StoreError) {
        try say("\n==> Showing how one of them begins")
        let page = try await service.messages(in: id, limit: store.limits.page(4))
        try say(([page.session.block] + page.messages.map(\.block)).joined(separator: "\n\n"))
    }

    private func append(to id: ULID) async throws(StoreError) -> Session {
        try say("\n==> Appending a turn with what it used, in one transaction")
        let turn = [
            NewMessage(.user, "Merci beaucoup ! Vous pouvez m'envoyer un récapitulatif ? 🙏"),
            NewMessage(.assistant, "Bien sûr : il est en route.", metadata: ["finish_reason": "stop"]),
        ]
        let stored = try await service.append(
            turn, to: id, usage: TokenUsage(inputTokens: 1_234, outputTokens: 12, estimatedCost: 4_321),
            expectedSequence: nil)
        try say(stored.map(\.block).joined(separator: "\n\n"))
        let session = try await service.get(id)
        try say(
            "\nThe session has \(counted(session.messageCount, "message")) now and cost "
                + "\(dollars(microdollars: session.usage.estimatedCost)).")
        return session
    }

    /// - Returns: The session that the import made.
    private func exportAndImport(_ id: ULID) async throws(StoreError) -> ULID {
        try say("\n==> Exporting it, and importing the export under a fresh id")
        var document: [UInt8] = []
        for try await chunk in service.exportSession(id) { document += chunk }
        let copy = try await service.importSession(.bytes(document))
        let count = try await requireSameMessages(id, copy)
        try say("Session \(copy) has the same \(counted(count, "message")): roles, contents, tool calls, metadata.")
        return copy
    }

    /// Compares two sessions message by message, and says how many there are.
    private func requireSameMessages(_ left: ULID, _ right: ULID) async throws(StoreError) -> Int {
        var others = service.messageStream(in: right).makeAsyncIterator()
        var messages = service.messageStream(in: left).makeAsyncIterator()
        var count = 0
        while true {
            let message = try await messages.next()
            let other = try await others.next()
            guard let message, let other else {
                if message == nil, other == nil { return count }
                throw .corrupt(
                    "Session \(right)", "it has fewer or more messages than the session that it was made from")
            }
            guard try jsonText(message.payload) == jsonText(other.payload) else {
                throw .corrupt(
                    "Session \(right)", "message \(other.sequence) differs from the one that it was made from")
            }
            count += 1
        }
    }

    private func say(_ text: String) throws(StoreError) {
        guard !isQuiet else { return }
        try context.console.output.print(text)
        try context.console.output.flush()
    }
}

extension SessionMessage {
    /// What an export keeps of a message.
    fileprivate var payload: JSONValue {
        [
            "role": .string(role.name), "content": .string(content), "tool_call_id": toolCallID.json,
            "metadata": .object(metadata),
        ]
    }
}
