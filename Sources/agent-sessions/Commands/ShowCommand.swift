import AgentSessions
import ArgumentParser

/// `show`: a session and its messages.
struct ShowCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a session and its messages: all of them, the last ones, or a run.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The session.")
    var id: String

    @Option(parsing: .unconditional, help: ArgumentHelp("Only the last messages, this many.", valueName: "n"))
    var last: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("Only this many messages.", valueName: "n"))
    var limit: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("How many messages to leave out first.", valueName: "n"))
    var offset: Int?

    func validate() throws {
        guard last == nil || (limit == nil && offset == nil) else {
            throw ValidationError(
                "--last shows the end of the session, --limit and --offset a run of it: give one or the other.")
        }
    }

    func run(in context: ToolContext) async throws(StoreError) {
        let id = try ULID(parsing: id)
        try await context.withExistingStore(global) { (store) throws(StoreError) in
            let output = ConversationOutput(context.console, asJSON: global.json)
            if let last {
                try output.write(try await store.service.lastMessages(last, in: id))
            } else if let limit {
                try output.write(try await store.service.messages(in: id, limit: limit, offset: offset ?? 0))
            } else {
                try await writeAll(of: id, from: store, to: output)
            }
        }
    }

    /// Writes every message as it is read, so that a session of any length is shown in constant memory.
    private func writeAll(of id: ULID, from store: OpenStore, to output: ConversationOutput) async throws(StoreError) {
        let offset = offset ?? 0
        try store.limits.check(offset: offset)
        let end = try await store.service.lastMessages(1, in: id)
        try output.begin(end.session)
        if let last = end.messages.last, offset < last.sequence {
            var messages = store.service.messageStream(in: id, after: offset).makeAsyncIterator()
            // Later messages are left out, so that the session and its messages are of one moment. They are if its last
            // message is still there when the stream reaches it.
            while let message = try await messages.next(), message.sequence < last.sequence || message == last {
                try output.write(message)
                if message.sequence == last.sequence { return try output.end() }
            }
            throw StoreError(.conflict, "Session \(id) was rewound while it was shown. Show it again.")
        }
        try output.end()
    }
}
