import AgentSessions
import ArgumentParser

/// `usage`: adds to what a session has used.
struct UsageCommand: ToolCommand {
    static let configuration = CommandConfiguration(commandName: "usage", abstract: "Add token usage to a session.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The session.")
    var id: String

    @Option(parsing: .unconditional, help: ArgumentHelp("Tokens that the model read.", valueName: "n"))
    var input: Int64

    @Option(parsing: .unconditional, help: ArgumentHelp("Tokens that the model wrote.", valueName: "n"))
    var output: Int64

    @Option(parsing: .unconditional, help: ArgumentHelp("What they cost.", valueName: "microdollars"))
    var cost: Int64 = 0

    func run(in context: ToolContext) async throws(StoreError) {
        let id = try ULID(parsing: id)
        let usage = TokenUsage(inputTokens: input, outputTokens: output, estimatedCost: cost)
        try usage.validateIncrement()
        let session = try await context.withExistingStore(global) { (store) throws(StoreError) in
            try await store.service.updateTokenUsage(id, adding: usage)
        }
        try context.show(session, global)
    }
}
