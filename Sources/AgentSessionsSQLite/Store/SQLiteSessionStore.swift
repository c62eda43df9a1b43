#if SQLite
public import AgentSessions
internal import AgentSessionsGroupCommit
internal import AgentSessionsThreads
public import Logging

/// Sessions in an SQLite database.
///
/// ```swift
/// let store = try await SQLiteSessionStore.open(SQLiteConfiguration(path: "sessions.db"))
/// let service = PersistentSessionService(store)
/// ```
///
/// One connection writes, on a thread of its own, with group commit; others read. Several processes may have the file
/// open at once. The file must be on a disk of this machine: SQLite's write-ahead log needs memory that the processes
/// share.
public final class SQLiteSessionStore: TransactionalSessionStore {
    public let backendName = SQLiteBackend.name
    public let capabilities: StoreCapabilities

    let configuration: SQLiteConfiguration
    /// The files that the store has open.
    let files: OpenFiles
    private let writer: CommitQueue<SQLiteWriteEngine>
    private let readers: SQLiteReaders

    /// Opens the store, making it where there is none unless ``SQLiteConfiguration/mustExist``.
    ///
    /// - Parameters:
    ///   - configuration: Where the store is, and how it is opened.
    ///   - retryPolicy: How to try again where another process holds a lock.
    ///   - logger: Where the store logs.
    /// - Throws: ``StoreError/Code/unavailable`` where the file cannot be opened or made,
    ///   ``StoreError/Code/notFound`` where it must exist and does not, ``StoreError/Code/corrupt`` where it is no
    ///   database, ``StoreError/Code/newerStore``,
    ///   ``StoreError/Code/migrationRequired``, and ``StoreError/Code/busy`` where another process holds a lock for
    ///   longer than ``SQLiteConfiguration/busyTimeout``.
    public static func open(
        _ configuration: SQLiteConfiguration, retryPolicy: RetryPolicy = .standard,
        logger: Logger = Logger(label: "agent-sessions", factory: { _ in SwiftLogNoOpLogHandler() })
    ) async throws(StoreError) -> SQLiteSessionStore {
        let store = try await retryPolicy.opening(logger: logger) { () throws(StoreError) in
            try await openOnce(configuration)
        }
        logger.debug(
            "store opened", metadata: ["backend": "\(SQLiteBackend.name)", "path": "\(configuration.path)"])
        return store
    }

    private static func openOnce(_ configuration: SQLiteConfiguration) async throws(StoreError) -> SQLiteSessionStore {
        let (writer, files) = try await CommitQueue.start(
            backend: SQLiteBackend.name, timeout: configuration.busyTimeout
        ) { () throws(StoreError) in
            let engine = try SQLiteWriteEngine(configuration)
            return (engine, engine.files)
        }
        let readers: SQLiteReaders
        do throws(StoreError) {
            readers = try SQLiteReaders(configuration, of: files)
        } catch {
            await writer.close()
            throw error
        }
        return SQLiteSessionStore(configuration, files, writer: writer, readers: readers)
    }

    private init(
        _ configuration: SQLiteConfiguration, _ files: OpenFiles, writer: CommitQueue<SQLiteWriteEngine>,
        readers: SQLiteReaders
    ) {
        self.configuration = configuration
        self.files = files
        self.writer = writer
        self.readers = readers
        capabilities = configuration.capabilities
    }

    /// Runs `body` in a read transaction.
    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (inout SQLiteTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await readers.read(body)
    }

    /// Runs `body` in a write transaction, which it may share with others that wait at the same moment.
    public func write<Result: Sendable>(
        _ body: @escaping @Sendable (inout SQLiteTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await writer.write(body)
    }

    /// Runs `body` in a write transaction of its own, after those before it were committed.
    public func writeExclusively<Result: Sendable>(
        _ body: @escaping @Sendable (inout SQLiteTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await writer.write(isExclusive: true, body)
    }

    public func effectiveSettings() async throws(StoreError) -> [StoreSetting] {
        // On the writer's connection, as most of these belong to a connection and not to the file.
        try await write { (transaction) throws(StoreError) in
            let pragmas = [
                "journal_mode", "synchronous", "fullfsync", "foreign_keys", "page_size", "cache_size",
                "wal_autocheckpoint", "journal_size_limit",
            ]
            let engine = StoreSetting("engine", "SQLite \(SQLiteVersion.loaded)")
            var settings = [engine]
            for pragma in pragmas {
                // Not every one of these can be selected from as `pragma_…`.
                let value = try transaction.connection.text(of: "PRAGMA \(pragma)")
                settings.append(StoreSetting(pragma, value ?? ""))
            }
            return settings
        }
    }

    public func migrations() async throws(StoreError) -> [MigrationStatus] {
        let chain = try SQLiteMigrations.chain(followedBy: configuration.migrations)
        return try await read { (transaction) throws(StoreError) in
            chain.status(applied: try SQLiteMigrationTarget(connection: transaction.connection).applied())
        }
    }

    public func storeID() async throws(StoreError) -> ULID? {
        try await read { (transaction) throws(StoreError) in
            try transaction.connection.text(of: "SELECT store_id FROM resource_registry").flatMap { ULID($0) }
        }
    }

    public func keepCopyRecords() async throws(StoreError) -> Bool {
        try await write { (transaction) throws(StoreError) in try transaction.makeCopyRecords() }
        return true
    }

    public func close() async {
        // The readers first, so that the writer is the last to let go and moves the log into the database.
        await readers.close()
        await writer.close()
    }
}
#endif
