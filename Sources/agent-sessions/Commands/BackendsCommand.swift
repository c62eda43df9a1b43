import AgentSessions
import AgentSessionsBackends
import ArgumentParser

/// `backends`: what each backend promises, and its settings.
struct BackendsCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "backends", abstract: "Show each backend, what it promises, and its settings.",
        discussion: "The settings in force of the configured store are read back from the engine.")

    @OptionGroup var global: GlobalOptions

    func run(in context: ToolContext) async throws(StoreError) {
        let configured = await configuredStore(context)
        let reports = context.registry.backends.map { backend in
            BackendReport(backend: backend, store: configured?.backend == backend.name ? configured : nil)
        }
        if global.json {
            try context.console.print(.array(reports.map(\.json)))
        } else {
            try context.console.output.print(reports.map(\.text).joined(separator: "\n\n"))
        }
    }

    /// The settings of the configured store. If it cannot be opened, the reason is reported and the backends are shown all
    /// the same, as they may help.
    private func configuredStore(_ context: ToolContext) async -> BackendReport.ConfiguredStore? {
        do {
            return try await context.withExistingStore(global, migrations: .inspect) { (store) throws(StoreError) in
                BackendReport.ConfiguredStore(
                    backend: store.store.backendName, url: store.configuration.url.description,
                    capabilities: store.store.capabilities, settings: try await store.store.effectiveSettings())
            }
        } catch {
            context.console.report("note: the configured store cannot be opened: \(error)")
            return nil
        }
    }
}
