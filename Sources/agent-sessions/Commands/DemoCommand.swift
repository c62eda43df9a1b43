import AgentSessions
import ArgumentParser

/// `demo`: the main job on sample conversations.
struct DemoCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Do the main job on sample conversations, in the configured store.",
        discussion: "Imports the sample, lists it, shows a conversation, appends a turn, exports, imports the export.")

    @OptionGroup var global: GlobalOptions

    func run(in context: ToolContext) async throws(StoreError) {
        try await context.withStore(global) { (store) throws(StoreError) in
            let summary = try await Demo(store: store, context: context, isQuiet: global.json).run()
            if global.json { try context.console.print(summary) }
        }
    }
}
