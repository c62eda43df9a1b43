import AgentSessions
import ArgumentParser

/// `copy`: every session of a store into another.
struct CopyCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copy every session of a store into another, of any engine, and verify it.",
        discussion: """
            Ids, revisions, times and usage stay as they are. Each session is copied whole or not at all, and read back. \
            Run a copy that was interrupted again: what is in the target already is compared and left as it is.

            Settings other than the URLs come from the environment and the file of --config, for both stores.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(parsing: .unconditional, help: ArgumentHelp("The store to read. It must exist.", valueName: "url"))
    var from: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The store to write. It is made if it does not exist.", valueName: "url"))
    var to: String

    func validate() throws {
        guard global.store == nil else {
            throw ValidationError("copy has its stores in --from and --to: leave --store out.")
        }
        try requireValues([("--from", from), ("--to", to)])
    }

    func run(in context: ToolContext) async throws(StoreError) {
        let source = global.naming(store: from)
        let target = global.naming(store: to)
        // Both are checked before either is opened, and so before the target is made.
        _ = try context.configuration(target)
        let result = try await context.withExistingStore(source, migrations: .require) { (source) throws(StoreError) in
            try await context.withStore(target) { (target) throws(StoreError) in
                let progress = ProgressBar("Copying", on: context.console)
                defer { progress.clear() }
                return try await StoreCopy(from: source.store, to: target.store).run {
                    progress.show(count: $0.sessions, of: "session")
                }
            }
        }
        if global.json {
            try context.console.print([
                "sessions": .integer(Int64(result.sessions)), "messages": .integer(Int64(result.messages)),
                "verified": true, "copied": .integer(Int64(result.copied)),
            ])
        } else {
            let rest = result.sessions - result.copied
            try context.console.output.print(
                "Copied \(counted(result.copied, "session")), found \(counted(rest, "session")) there already. "
                    + "Verified \(counted(result.messages, "message")) in the target: counts, revisions and checksums "
                    + "agree.")
        }
    }
}
