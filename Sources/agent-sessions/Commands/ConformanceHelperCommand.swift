import AgentSessions
import AgentSessionsBackends
import AgentSessionsConformance
import ArgumentParser

/// `conformance-helper`: what `conformance` runs as a second process. It is not shown in help.
struct ConformanceHelperCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance-helper", abstract: "Does a part of a conformance scenario in a process of its own.",
        shouldDisplay: false)

    @OptionGroup var global: GlobalOptions

    @Option(help: "The name of the scratch location.")
    var place: String

    @Option(help: "The folder of the scratch location.")
    var folder: String

    @Option(help: "What to do.")
    var task: String

    func run(in context: ToolContext) async throws(StoreError) {
        // The process that started this one has reported the warnings of the configuration.
        let configuration = try StoreConfiguration.load(
            store: global.store, file: global.config, environment: context.environment, registry: context.registry)
        let stores = ConfiguredStores(configuration: configuration, options: global)
        let status = await HelperProcess.main(
            task: task, factory: stores, place: StorePlace(name: place, folder: folder))
        guard status == 0 else {
            throw StoreError(.invalidArgument, "The task \(quoted(task)) was not done. Tasks come from `conformance`.")
        }
    }
}
