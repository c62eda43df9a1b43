import AgentSessions
import ArgumentParser

/// `create`: a session.
struct CreateCommand: ToolCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Create a session.")

    @OptionGroup var global: GlobalOptions

    @Option(
        name: .customLong("actor"), parsing: .unconditional,
        help: ArgumentHelp("The agent or user, such as local/orchestrator.", valueName: "name"))
    var actorName: String

    @Option(parsing: .unconditional, help: ArgumentHelp("A JSON object to keep with the session.", valueName: "json"))
    var metadata: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("The session's id; a fresh one by default.", valueName: "ulid"))
    var id: String?

    func run(in context: ToolContext) async throws(StoreError) {
        let id = try id.map { (text) throws(StoreError) in try ULID(parsing: text) }
        let session = try await context.withStore(global) { (store) throws(StoreError) in
            let metadata = try metadata.metadataObject(within: store.limits) ?? JSONObject()
            return try await store.service.create(actorName: actorName, metadata: metadata, id: id)
        }
        try context.show(session, global)
    }
}
