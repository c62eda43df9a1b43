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
        let head = try await store.service.messages(in: id, limit: 1, offset: offset)
        try output.begin(head.session)
        // What comes after this moment is left out, so that the session and its messages belong together.
        if offset < head.session.messageCount {
            var messages = store.service.messageStream(in: id, after: offset).makeAsyncIterator()
            while let message = try await messages.next() {
                try output.write(message)
                if message.sequence == head.session.messageCount { break }
            }
        }
        try output.end()
    }
}
