import AgentSessions
import ArgumentParser

/// A verb of the tool.
protocol ToolCommand: ParsableCommand {
    /// The options that every verb has.
    var global: GlobalOptions { get }

    /// Does the verb's work. It prints on the context's console and nowhere else.
    func run(in context: ToolContext) async throws(StoreError)
}
