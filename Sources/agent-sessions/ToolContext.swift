import AgentSessions
import AgentSessionsBackends

/// What a command works with.
struct ToolContext: Sendable {
    /// Where the command reads and prints.
    let console: Console
    /// The environment variables.
    let environment: [String: String]
    /// The backends of the tool.
    var registry = BackendRegistry.standard
    /// The warnings that were reported already, as each is reported once.
    private let warnings = ReportedWarnings()

    init(console: Console, environment: [String: String], registry: BackendRegistry = .standard) {
        self.console = console
        self.environment = environment
        self.registry = registry
    }

    /// The configuration of the store that results from the options, the environment and the file. Its warnings are
    /// reported, once.
    func configuration(_ options: GlobalOptions) throws(StoreError) -> StoreConfiguration {
        let configuration = try StoreConfiguration.load(
            store: options.store, file: options.config, environment: environment, registry: registry)
        for warning in warnings.unreported(of: configuration.warnings) { console.report("warning: \(warning)") }
        return configuration
    }

    /// Opens the store, which is made if it does not exist, runs `body` on it, and closes it, whatever happens.
    ///
    /// - Parameter migrations: What to do about migrations; `nil` leaves it to the configuration.
    func withStore<Result>(
        _ options: GlobalOptions, migrations: MigrationPolicy? = nil,
        _ body: (OpenStore) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let configuration = try configuration(options)
        return try await configuration.run(try await configuration.open(migrations: migrations), body)
    }

    /// The same for a store that must exist: it is not made.
    func withExistingStore<Result>(
        _ options: GlobalOptions, migrations: MigrationPolicy? = nil,
        _ body: (OpenStore) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let configuration = try configuration(options)
        return try await configuration.run(try await configuration.openExisting(migrations: migrations), body)
    }
}

extension StoreConfiguration {
    /// Runs `body` on an open store, and closes it, whatever happens.
    fileprivate func run<Result>(
        _ store: any SessionStore, _ body: (OpenStore) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let outcome: Swift.Result<Result, StoreError>
        do throws(StoreError) {
            outcome = .success(
                try await body(OpenStore(configuration: self, store: store, service: store.makeService())))
        } catch {
            outcome = .failure(error)
        }
        await store.close()
        return try outcome.get()
    }
}

/// An open store with its service.
struct OpenStore: Sendable {
    /// What the store was opened with.
    let configuration: StoreConfiguration
    /// The store.
    let store: any SessionStore
    /// The service over the store.
    let service: any SessionService

    /// The largest values that the store takes.
    var limits: StoreLimits { service.capabilities.limits }
}
