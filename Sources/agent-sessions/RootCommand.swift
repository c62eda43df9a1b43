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
            AGENT_SESSIONS_CONFIG. Without any it is an SQLite file in your data directory.

              --store URL     such as sqlite:sessions.db or memory:
              --config FILE   a YAML or JSON file with store: URL and settings
              --json          JSON on standard output, and nothing else there

            These three stand before or after the verb.
            """,
        version: BuildInfo.version,
        subcommands: [
            CreateCommand.self, ListCommand.self, ShowCommand.self, AppendCommand.self, UsageCommand.self,
            UpdateCommand.self, RewindCommand.self, DeleteCommand.self, ExportCommand.self, ImportCommand.self,
            CopyCommand.self, VerifyCommand.self, MigrateCommand.self, BackendsCommand.self, ConformanceCommand.self,
            ConformanceHelperCommand.self, BenchCommand.self, DemoCommand.self,
        ])

    /// Checks that a command line names a verb that there is. The parser would look for options of the root in what
    /// stands behind an unknown one, and complain about those.
    static func checkVerb(_ arguments: [String]) throws {
        guard let first = arguments.first, !first.hasPrefix("-"), first != "help" else { return }
        let commands = configuration.subcommands.map { $0.configuration }
        guard !commands.contains(where: { $0.commandName == first }) else { return }
        let verbs = commands.filter { $0.shouldDisplay }.compactMap { $0.commandName }
        throw ValidationError("There is no verb \(quoted(first)): the verbs are \(verbs.joined(separator: ", ")).")
    }
}
