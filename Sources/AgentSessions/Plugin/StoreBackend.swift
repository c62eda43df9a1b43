public import Logging

/// A backend as a plugin: what it is called, how it is configured, and how it opens a store.
///
/// The registry in `AgentSessionsBackends` knows a backend by this alone. Everything that it prints or refuses
/// (unknown keys, values out of range) follows from the declared ``settings``.
public protocol StoreBackend: Sendable {
    /// The store that the backend opens.
    associatedtype Store: SessionStore

    /// The name, which is the scheme of its store URLs, such as `sqlite`: `[a-z][a-z0-9]*`.
    static var name: String { get }

    /// Other schemes that mean this backend, such as `postgresql` for `postgres`. None, where a backend does not say.
    static var aliases: [String] { get }

    /// What the backend is, in one line.
    static var summary: String { get }

    /// A store URL of this backend, to show in help and errors.
    static var exampleURL: String { get }

    /// What a store with the default settings promises.
    static var capabilities: StoreCapabilities { get }

    /// The settings that the backend knows, besides ``CommonSettings``.
    static var settings: [SettingDefinition] { get }

    /// Whether there is a store at `url`, found out without making one. `true` where that shows only when it is opened
    /// with ``StoreContext/mustExist``.
    static func storeExists(at url: StoreURL) throws(StoreError) -> Bool

    /// The files that the store at `url` keeps its data in, the one first that is there where a store is; none, where a
    /// backend does not say. They need not be there yet. Nothing else must be written in their place.
    static func storeFiles(at url: StoreURL) throws(StoreError) -> [String]

    /// Opens the store at `url`, making it where there is none unless ``StoreContext/mustExist``, and brings its tables
    /// up to date. What fails for a passing reason is tried again under ``StoreContext/retryPolicy``:
    /// ``RetryPolicy/opening(logger:isPassing:_:)``.
    ///
    /// - Parameters:
    ///   - url: Where the store is. Its parameters are in `settings` already.
    ///   - settings: A checked value for each of ``settings``.
    ///   - context: What the application gives to every backend.
    /// - Throws: ``StoreError/Code/unavailable`` where it cannot be reached or made, ``StoreError/Code/notFound`` where
    ///   it must exist and does not, ``StoreError/Code/newerStore``, ``StoreError/Code/migrationRequired``,
    ///   ``StoreError/Code/invalidArgument``.
    static func open(
        _ url: StoreURL, settings: SettingValues, context: StoreContext
    ) async throws(StoreError) -> Store

    /// Where a scratch store can be that leaves the one at `url` alone; `nil`, where a backend does not
    /// say, for nowhere.
    ///
    /// - Parameters:
    ///   - url: The user's store.
    ///   - name: A name that nobody else uses, `[a-z][a-z0-9_]*` of at most 40 bytes.
    ///   - folder: An empty folder, which the caller removes.
    static func scratchLocation(
        beside url: StoreURL, named name: String, folder: String
    ) throws(StoreError) -> ScratchLocation?

    /// Removes what a scratch store left outside its folder. The store is closed. Nothing, where a backend does
    /// not say.
    static func removeScratch(_ url: StoreURL, settings: SettingValues) async throws(StoreError)

    /// The bytes that a scratch store takes outside its folder; `nil`, where a backend does not say, for unknown.
    static func scratchBytes(_ url: StoreURL, settings: SettingValues) async throws(StoreError) -> Int?
}

extension StoreBackend {
    public static var aliases: [String] { [] }

    public static func storeExists(at url: StoreURL) throws(StoreError) -> Bool { true }

    public static func storeFiles(at url: StoreURL) throws(StoreError) -> [String] { [] }

    public static func scratchLocation(
        beside url: StoreURL, named name: String, folder: String
    ) throws(StoreError) -> ScratchLocation? { nil }

    public static func removeScratch(_ url: StoreURL, settings: SettingValues) async throws(StoreError) {}

    public static func scratchBytes(_ url: StoreURL, settings: SettingValues) async throws(StoreError) -> Int? { nil }
}

/// What the application gives to a backend that opens a store.
public struct StoreContext: Sendable {
    /// Where the backend logs. It logs no secret and no content of a message.
    public var logger: Logger
    /// Whether to bring an older store up to date.
    public var migrationPolicy: MigrationPolicy
    /// The largest values, which the store lowers its own limits to.
    public var limits: StoreLimits
    /// Whether to open only a store that is there, and make none. With ``MigrationPolicy/inspect``, a server is opened
    /// even where it holds no store.
    public var mustExist: Bool
    /// How to try again where opening fails for a passing reason.
    public var retryPolicy: RetryPolicy

    /// A context; without arguments, one that logs nowhere, makes a store where there is none, migrates, and leaves the
    /// limits as they are.
    public init(
        logger: Logger = Logger(label: "agent-sessions", factory: { _ in SwiftLogNoOpLogHandler() }),
        migrationPolicy: MigrationPolicy = .apply, limits: StoreLimits = .standard, mustExist: Bool = false,
        retryPolicy: RetryPolicy = .standard
    ) {
        self.logger = logger
        self.migrationPolicy = migrationPolicy
        self.limits = limits
        self.mustExist = mustExist
        self.retryPolicy = retryPolicy
    }
}

/// What to do with a store that lacks steps of the migration chain.
public enum MigrationPolicy: String, Sendable, Hashable, CaseIterable {
    /// Apply them when the store is opened.
    case apply = "auto"
    /// Refuse to open it with ``StoreError/Code/migrationRequired``.
    case require
    /// Open it as it is, to ask for its migrations and nothing else.
    case inspect
}
