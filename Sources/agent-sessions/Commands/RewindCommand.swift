import AgentSessions
import ArgumentParser

/// `rewind`: takes back the end of a session.
struct RewindCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewind", abstract: "Remove every message after a sequence; 0 removes all.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The session.")
    var id: String

    @Option(parsing: .unconditional, help: ArgumentHelp("The last sequence that stays.", valueName: "sequence"))
    var to: Int

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The last sequence that the session must have now.", valueName: "n"))
    var expectSequence: Int?

    func run(in context: ToolContext) async throws(StoreError) {
        let id = try ULID(parsing: id)
        let session = try await context.withExistingStore(global) { (store) throws(StoreError) in
            try await store.service.rewind(
                id, to: to, expectedRevision: nil, expectedSequence: expectSequence)
        }
        try context.show(session, global)
    }
}
