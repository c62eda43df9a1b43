import AgentSessions
import ArgumentParser

/// `verify`: looks for damage in the whole store.
struct VerifyCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check the whole store: gaps, counts, orphans, indexes, checksums.",
        discussion: """
            Reads everything and changes nothing; the store may be in use meanwhile. The exit status is 1 if \
            something is wrong.
            """)

    @OptionGroup var global: GlobalOptions

    func run(in context: ToolContext) async throws(StoreError) {
        let report = try await context.withExistingStore(global, migrations: .require) { (store) throws(StoreError) in
            let progress = ProgressBar("Verifying", on: context.console)
            defer { progress.clear() }
            return try await StoreVerification(of: store.store).run {
                progress.show(count: $0.sessions, of: "session")
            }
        }
        if global.json {
            try context.console.print(report.json)
        } else {
            try context.console.output.print(report.text)
        }
        guard report.isSound else {
            let count = report.problems.count + report.omittedProblems
            throw StoreError(.corrupt, "The store is damaged: \(counted(count, "problem")), shown above.")
        }
    }
}
