public import AgentSessions
import Logging

/// Which store to open, and with which settings: put together from the command line, the environment, a file and
/// defaults, and checked as a whole.
///
/// The keys, which are written as they are in a file and in capitals after `AGENT_SESSIONS_` in the environment:
///
/// | key | meaning |
/// | --- | --- |
/// | `store` | the store's URL, such as `sqlite:sessions.db?busy_timeout=10s` |
/// | `config` | in the environment alone: the file |
/// | `migrate`, `max_content`, … | ``AgentSessions/CommonSettings`` |
/// | `synchronous`, `busy_timeout`, … | the settings of the store's backend |
///
/// A parameter of the URL has the precedence of the level that gave the URL, before the same key of that level. A setting
/// of another backend is ignored in the environment and in files, so that one file can serve several stores; in a URL it
/// is an error. A key that no backend knows is an error in URLs and files. In the environment, which other programs
/// share, it is one of the ``warnings``, and the variables of Kubernetes for services are ignored.
///
/// No description of a configuration holds a password or the value of a secret.
public struct StoreConfiguration: Sendable {
    /// The store. Its description leaves passwords out.
    public internal(set) var url: StoreURL
    /// The backend that the URL names.
    public let backend: any StoreBackend.Type
    /// Where the URL comes from, such as `the environment`.
    public let source: String
    /// The settings that were given, in order of their names. The rest have their defaults.
    public let given: [GivenSetting]
    /// What has no effect and may be a mistake: a variable of the environment that is named like a setting, but is not
    /// one. No warning holds a value. Opening the store logs them, once.
    public var warnings: [String] { announcement.warnings }

    let announcement: Announcement
    var settings: SettingValues
    var isDefault: Bool

    /// A setting that was given.
    public struct GivenSetting: Sendable, Hashable {
        /// The setting's name.
        public let name: String
        /// Its value as it may be shown: `***` for a secret.
        public let shownValue: String
        /// Where the value comes from, such as `the store URL`.
        public let source: String
    }
}

extension StoreConfiguration {
    /// Whether there is a store, as far as can be told without opening it. Nothing is made.
    public func storeExists() throws(StoreError) -> Bool { try backend.storeExists(at: url) }

    /// The absolute paths of the files that the store keeps its data in, whether they exist or not; none if it keeps none
    /// on this machine. Write nothing else to them.
    public func storeFiles() throws(StoreError) -> [String] {
        try backend.storeFiles(at: url).map(absolutePath)
    }

    /// Opens the store if it exists, and does not make one.
    ///
    /// - Parameters:
    ///   - context: What the application gives to the backend.
    ///   - migrations: What to do about migrations, in place of what the configuration says.
    /// - Throws: ``AgentSessions/StoreError/Code/notFound`` where there is none; whatever the backend throws on opening.
    public func openExisting(
        context: StoreContext = StoreContext(), migrations: MigrationPolicy? = nil
    ) async throws(StoreError) -> any SessionStore {
        do throws(StoreError) {
            guard try storeExists() else { throw .storeNotFound(try placeLookedAt(), backend: backend.name) }
            var context = context
            context.mustExist = true
            return try await open(context: context, migrations: migrations, makesDirectories: false)
        } catch  where error.code == .notFound {
            throw StoreError(
                error.code, "\(error.message) (It is \(url), from \(source).)", backend: error.backend,
                nativeCode: error.nativeCode, cause: error.cause)
        }
    }

    /// Where a store is looked for, in words.
    private func placeLookedAt() throws(StoreError) -> String {
        try storeFiles().first.map { "in the file \(quoted($0, limit: 1000))" } ?? "at \(url)"
    }

    /// Opens the store. Missing directories of the default store are made.
    ///
    /// - Parameters:
    ///   - context: What the application gives to the backend. The settings that every store has may lower its limits,
    ///     and decide on migration.
    ///   - migrations: What to do about migrations, in place of what the configuration says.
    /// - Throws: Whatever the backend throws on opening.
    public func open(
        context: StoreContext = StoreContext(), migrations: MigrationPolicy? = nil
    ) async throws(StoreError) -> any SessionStore {
        try await open(context: context, migrations: migrations, makesDirectories: isDefault)
    }

    private func open(
        context: StoreContext, migrations: MigrationPolicy?, makesDirectories: Bool
    ) async throws(StoreError) -> any SessionStore {
        announcement.makeOnce { context.logger.warning("\($0)") }
        if makesDirectories { try DefaultStore.makeDirectories(above: try url.filePath()) }
        var configured = try CommonSettings.context(settings, basedOn: context)
        if let migrations { configured.migrationPolicy = migrations }
        return try await open(backend, context: configured)
    }

    private func open<Backend: StoreBackend>(
        _ backend: Backend.Type, context: StoreContext
    ) async throws(StoreError) -> any SessionStore {
        try await backend.open(url, settings: settings, context: context)
    }
}

extension StoreConfiguration {
    /// The same configuration for a store at another URL.
    func relocated(to place: ScratchLocation) throws(StoreError) -> StoreConfiguration {
        var relocated = self
        relocated.url = place.url
        relocated.settings = try settings.replacing(place.settings)
        relocated.isDefault = false
        return relocated
    }
}

extension StoreConfiguration: CustomStringConvertible, CustomDebugStringConvertible {
    /// The URL without its secrets, where it comes from, and the settings that were given.
    public var description: String {
        let settings = given.map { "\($0.name)=\($0.shownValue) from \($0.source)" }
        return (["\(url) from \(source)"] + settings).joined(separator: ", ")
    }

    /// The same as ``description``.
    public var debugDescription: String { description }
}
