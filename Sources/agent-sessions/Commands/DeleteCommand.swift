import AgentSessions
import ArgumentParser

/// `delete`: a session with its messages.
struct DeleteCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a session with its messages.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The session.")
    var id: String

    func run(in context: ToolContext) async throws(StoreError) {
        let id = try ULID(parsing: id)
        try await context.withExistingStore(global) { (store) throws(StoreError) in try await store.service.delete(id) }
        if global.json {
            try context.console.print(["deleted": .string(id.description)])
        } else {
            try context.console.output.print("Deleted session \(id).")
        }
    }
}
