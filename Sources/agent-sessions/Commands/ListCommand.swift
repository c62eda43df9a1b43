import AgentSessions
import ArgumentParser

/// `list`: a page of sessions, newest first.
struct ListCommand: ToolCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List sessions, newest first.")

    @OptionGroup var global: GlobalOptions

    @Option(
        name: .customLong("actor"), parsing: .unconditional,
        help: ArgumentHelp("Only sessions of this actor.", valueName: "name"))
    var actorName: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many at most; 50 by default, or max_page if that is less.", valueName: "n"))
    var limit: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("How many to skip first.", valueName: "n"))
    var offset = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The next of the page before, after which this one begins.", valueName: "cursor"))
    var after: String?

    func run(in context: ToolContext) async throws(StoreError) {
        let after = try after.map { (text) throws(StoreError) in try SessionCursor(parsing: text) }
        let page = try await context.withExistingStore(global) { (store) throws(StoreError) in
            try await store.service.list(
                SessionFilter(actorName: actorName), limit: limit ?? store.limits.page(50), offset: offset, after: after
            )
        }
        guard global.json else { return try context.console.output.print(text(of: page)) }
        try context.console.print([
            "sessions": .array(page.sessions.map(\.json)), "next": (page.next?.description).json,
        ])
    }

    private func text(of page: SessionPage) -> String {
        guard !page.sessions.isEmpty else { return "No sessions." }
        var table = Table(Session.listColumns)
        table.rows = page.sessions.map(\.listRow)
        guard let next = page.next else { return table.text }
        return table.text + "\n\nThere are more: --after \(next)"
    }
}
