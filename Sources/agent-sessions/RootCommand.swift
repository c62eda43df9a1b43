import AgentSessions
import ArgumentParser

/// `agent-sessions`: the verbs.
struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent-sessions",
        abstract: "Keeps the sessions and messages of AI agents.",
        usage: "agent-sessions [--store URL] [--config FILE] [--json] VERB …",
        discussion: """
            The store is named by --store, else by AGENT_SESSIONS_STORE, else by the file of --config or \
            AGENT_SESSIONS_CONFIG. By default it is an SQLite file in your data directory. A store is made by create, \
            import, demo, migrate, and copy --to; every other verb needs one that exists.

              --store URL     such as sqlite:sessions.db or memory:
              --config FILE   a YAML or JSON file with store: URL and settings
              --json          JSON on standard output, and nothing else there

            Give these three before or after the verb.
            """,
        version: BuildInfo.version,
        subcommands: [
            CreateCommand.self, ListCommand.self, ShowCommand.self, AppendCommand.self, UsageCommand.self,
            UpdateCommand.self, RewindCommand.self, DeleteCommand.self, ExportCommand.self, ImportCommand.self,
            CopyCommand.self, VerifyCommand.self, MigrateCommand.self, BackendsCommand.self, ConformanceCommand.self,
            ConformanceHelperCommand.self, BenchCommand.self, DemoCommand.self,
        ])

    /// Checks that a command line names a verb that exists, and `help` at most one. After an unknown verb the parser would
    /// look for options of the root and complain about those; `help` with one would show the help of the root.
    ///
    /// - Parameter arguments: The arguments, the verb first.
    static func checkVerb(_ arguments: [String]) throws {
        guard let first = arguments.first, !first.hasPrefix("-") else { return }
        try check(verb: first)
        guard first == "help" else { return }
        let names = arguments.dropFirst().filter { !$0.hasPrefix("-") }
        if let verb = names.first { try check(verb: verb) }
        guard names.count <= 1 else {
            throw ValidationError("`help` takes one verb: give one, or none for all of them.")
        }
    }

    private static func check(verb: String) throws {
        let commands = configuration.subcommands.map { $0.configuration }
        guard verb != "help", !commands.contains(where: { $0.commandName == verb }) else { return }
        let verbs = commands.filter { $0.shouldDisplay }.compactMap { $0.commandName }
        throw ValidationError(
            "There is no verb \(quoted(StoreURL.shown(verb))): the verbs are \(verbs.joined(separator: ", ")).")
    }
}
