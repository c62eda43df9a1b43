import AgentSessions
import ArgumentParser

/// `update`: another actor name, other metadata.
struct UpdateCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change a session's actor name, its metadata, or both.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The session.")
    var id: String

    @Option(
        name: .customLong("actor"), parsing: .unconditional, help: ArgumentHelp("A new actor name.", valueName: "name"))
    var actorName: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("A JSON object, which replaces all of the metadata.", valueName: "json"))
    var metadata: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The updated_at that the session must have now.", valueName: "time"))
    var expectRevision: String?

    func validate() throws {
        guard actorName != nil || metadata != nil else { throw ValidationError("Give --actor, --metadata, or both.") }
    }

    func run(in context: ToolContext) async throws(StoreError) {
        let id = try ULID(parsing: id)
        let revision = try expectRevision.map { (text) throws(StoreError) in try Timestamp(parsing: text) }
        let session = try await context.withExistingStore(global) { (store) throws(StoreError) in
            try await store.service.update(
                id, actorName: actorName, metadata: try metadata.metadataObject(within: store.limits),
                expectedRevision: revision)
        }
        try context.show(session, global)
    }
}
