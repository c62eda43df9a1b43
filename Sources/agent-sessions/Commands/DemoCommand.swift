import AgentSessions
import ArgumentParser

/// `demo`: the main job on sample conversations.
struct DemoCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Do the main job on sample conversations, in the configured store.")

    @OptionGroup var global: GlobalOptions

    func run(in context: ToolContext) async throws(StoreError) {
        throw StoreError(.unsupported, "being written")
    }
}
