import AgentSessions
import ArgumentParser

/// `append`: one message, or a batch.
struct AppendCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "append", abstract: "Append a message, or a batch of messages in one transaction.",
        discussion: """
            Without --content the content is read from standard input, unchanged and to its end. A batch is a file with \
            a JSON object on each line: role and content, and optionally id, tool_call_id and metadata; - reads it from \
            standard input.

            Appending is safe to repeat if the messages have ids: a message that is stored already is returned as it is.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The session.")
    var id: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The role: system, developer, user, assistant, tool, or one of your own.", valueName: "role"))
    var role: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("The text.", valueName: "text"))
    var content: String?

    @Option(
        name: .customLong("message-id"), parsing: .unconditional,
        help: ArgumentHelp("The message's id; a fresh one by default.", valueName: "ulid"))
    var messageID: String?

    @Option(
        name: .customLong("tool-call-id"), parsing: .unconditional,
        help: ArgumentHelp("The tool call that the message answers.", valueName: "id"))
    var toolCallID: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("A JSON object to keep with the message.", valueName: "json"))
    var metadata: String?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("A file of messages, or - for standard input.", valueName: "file"))
    var batch: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The last sequence that the session must have now.", valueName: "n"))
    var expectSequence: Int?

    func validate() throws {
        try requireValues([("--batch", batch)])
        if batch == nil {
            guard role != nil else { throw ValidationError("Give --role, or --batch FILE.") }
        } else {
            let ofOneMessage = [role, content, messageID, toolCallID, metadata]
            guard ofOneMessage.allSatisfy({ $0 == nil }) else {
                throw ValidationError("--batch takes its messages from the file: leave out what describes one message.")
            }
        }
    }

    func run(in context: ToolContext) async throws(StoreError) {
        let id = try ULID(parsing: id)
        // Arguments are checked before the store is opened.
        let role = try role.map { (name) throws(StoreError) in try MessageRole(name) }
        let messageID = try messageID.map { (text) throws(StoreError) in try ULID(parsing: text) }
        try await context.withExistingStore(global) { (store) throws(StoreError) in
            let messages = try self.messages(role, id: messageID, within: store.limits, console: context.console)
            let stored = try await store.service.append(messages, to: id, usage: nil, expectedSequence: expectSequence)
            // Reported as soon as it is stored: if the process is ended after this line, nothing is lost.
            try report(stored, on: context.console)
            try context.console.output.flush()
        }
    }

    /// The one message, or those of the batch.
    private func messages(
        _ role: MessageRole?, id: ULID?, within limits: StoreLimits, console: Console
    ) throws(StoreError) -> [NewMessage] {
        guard let role else { return try BatchFile(limits: limits).messages(batch ?? "-", console: console) }
        let metadata = try metadata.metadataObject(within: limits) ?? JSONObject()
        let text: String
        if let content {
            text = content
        } else {
            text = try console.input.readText(limit: limits.contentBytes, what: "The content")
        }
        return [NewMessage(role, text, toolCallID: toolCallID, metadata: metadata, id: id)]
    }

    private func report(_ stored: [SessionMessage], on console: Console) throws(StoreError) {
        guard let first = stored.first, let last = stored.last else { return }
        if global.json {
            try console.print(batch == nil ? first.json : .array(stored.map(\.json)))
        } else if stored.count == 1 {
            try console.output.print("Stored message \(first.id) as sequence \(first.sequence) of \(first.sessionID).")
        } else {
            try console.output.print(
                "Stored \(counted(stored.count, "message")) as sequences \(first.sequence) to \(last.sequence) of "
                    + "\(first.sessionID).")
        }
    }
}
