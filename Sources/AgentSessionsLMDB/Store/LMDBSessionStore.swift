#if LMDB
public import AgentSessions
internal import AgentSessionsGroupCommit
internal import AgentSessionsThreads
internal import CAgentSessionsLMDB
public import Logging

/// Sessions in an LMDB environment: a folder with a file that is mapped into memory.
///
/// ```swift
/// let store = try await LMDBSessionStore.open(LMDBConfiguration(path: "sessions"))
/// let service = PersistentSessionService(store)
/// ```
///
/// One transaction writes, on a thread of its own, with group commit; others read, most of them on the caller's
/// thread. Several processes may have the folder open at once. It must be on a disk of this machine.
public final class LMDBSessionStore: TransactionalSessionStore {
    /// `lmdb`.
    public let backendName = LMDBBackend.name
    /// What this store, as it is configured, promises.
    public let capabilities: StoreCapabilities

    let configuration: LMDBConfiguration
    private let environment: LMDBEnvironment
    private let writer: CommitQueue<LMDBWriteEngine>
    private let readers: LMDBReaders

    /// Opens the store, making it where there is none unless ``LMDBConfiguration/mustExist``.
    ///
    /// - Parameters:
    ///   - configuration: Where the store is, and how it is opened.
    ///   - retryPolicy: How to try again where another process holds a lock.
    ///   - logger: Where the store logs.
    /// - Throws: ``StoreError/Code/unavailable`` where the folder cannot be opened or made, or is not a store's,
    ///   ``StoreError/Code/notFound`` where it must exist and does not, ``StoreError/Code/corrupt`` where its file is not
    ///   LMDB's, ``StoreError/Code/newerStore``,
    ///   ``StoreError/Code/migrationRequired``, ``StoreError/Code/invalidArgument`` where it is open in this process
    ///   with another ``LMDBConfiguration/sync``, and ``StoreError/Code/busy`` where another process holds a lock for
    ///   longer than ``LMDBConfiguration/busyTimeout``.
    public static func open(
        _ configuration: LMDBConfiguration, retryPolicy: RetryPolicy = .standard,
        logger: Logger = Logger(label: "agent-sessions", factory: { _ in SwiftLogNoOpLogHandler() })
    ) async throws(StoreError) -> LMDBSessionStore {
        let store = try await retryPolicy.opening(logger: logger) { () throws(StoreError) in
            try await openOnce(configuration)
        }
        logger.debug(
            "store opened", metadata: ["backend": "\(LMDBBackend.name)", "path": "\(configuration.path)"])
        return store
    }

    private static func openOnce(_ configuration: LMDBConfiguration) async throws(StoreError) -> LMDBSessionStore {
        let (writer, (environment, databases)) = try await CommitQueue.start(
            backend: LMDBBackend.name, timeout: configuration.busyTimeout
        ) { () throws(StoreError) in
            let engine = try LMDBWriteEngine(configuration)
            return (engine, (engine.environment, engine.databases))
        }
        let readers: LMDBReaders
        do throws(StoreError) {
            readers = try LMDBReaders(environment, databases)
        } catch {
            await writer.close()
            throw error
        }
        return LMDBSessionStore(configuration, environment, writer: writer, readers: readers)
    }

    private init(
        _ configuration: LMDBConfiguration, _ environment: LMDBEnvironment, writer: CommitQueue<LMDBWriteEngine>,
        readers: LMDBReaders
    ) {
        self.configuration = configuration
        self.environment = environment
        self.writer = writer
        self.readers = readers
        capabilities = configuration.capabilities
    }

    /// Runs `body` in a read transaction.
    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (inout LMDBTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await readers.read(body)
    }

    /// Runs `body` in a read transaction on a thread that may take its time.
    func readOnThread<Result: Sendable>(
        _ body: @escaping @Sendable (inout LMDBTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await readers.readOnThread(body)
    }

    /// Runs `body` in a write transaction, which it may share with others that wait at the same moment.
    public func write<Result: Sendable>(
        _ body: @escaping @Sendable (inout LMDBTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await write(isExclusive: false, body)
    }

    /// Runs `body` in a write transaction of its own, after those before it were committed.
    public func writeExclusively<Result: Sendable>(
        _ body: @escaping @Sendable (inout LMDBTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await write(isExclusive: true, body)
    }

    private func write<Result: Sendable>(
        isExclusive: Bool, _ body: @escaping @Sendable (inout LMDBTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try environment.requireSameProcess()
        // Each round has a map twice as large, so there are few.
        for _ in 0..<64 {
            do throws(StoreError) {
                return try await writer.write(isExclusive: isExclusive, body)
            } catch  where error.isGrowingMap {
                continue
            }
        }
        throw .mapGrows
    }

    /// The settings in force, as LMDB reports them: its version, `sync`, `max_readers`, the size of a page, of the map and
    /// of what is used of it in bytes; and the `map_size` that the map may grow to.
    public func effectiveSettings() async throws(StoreError) -> [StoreSetting] {
        // The limit of growth is this process's; the rest is what LMDB says of the environment.
        let limit = environment.sizeLimit
        return try await read { (transaction) throws(StoreError) in
            try transaction.state.environment.settings() + [StoreSetting("map_size", "\(limit)")]
        }
    }

    /// The chain of migrations, and which of its steps this store has.
    public func migrations() async throws(StoreError) -> [MigrationStatus] {
        let chain = try LMDBMigrations.chain(followedBy: configuration.migrations)
        return try await readers.readOnThread { (transaction) throws(StoreError) in
            chain.status(applied: try transaction.state.migrationTarget().applied())
        }
    }

    /// The id in the store's own record.
    public func storeID() async throws(StoreError) -> ULID? {
        try await readers.readOnThread { (transaction) throws(StoreError) in
            let target = try transaction.state.migrationTarget()
            return try target.value(for: StoreRecord.key, in: LMDBMigrations.Name.registry)
                .map { (record) throws(StoreError) in try StoreRecord(record).storeID }
        }
    }

    /// Records of copies stand beside the store's own record, where there is room in every store.
    public func keepCopyRecords() async throws(StoreError) -> Bool {
        try await read { _ throws(StoreError) in true }
    }

    /// Refuses new calls, waits for those under way, and closes the environment where no other store of this process
    /// uses it.
    public func close() async {
        // In a child of the process that opened the store its threads do not exist, and a wait for them would not end.
        guard !environment.isForked else { return }
        await readers.close()
        await writer.close()
    }
}

// MARK: - Reads without a closure that is kept

// The same as the defaults of TransactionalSessionStore, save that a read that stays on the caller's thread makes
// nothing on the heap but its result.
extension LMDBSessionStore {
    /// The session of that id, or `nil` where there is none.
    public func get(_ id: ULID) async throws(StoreError) -> Session? {
        let found = try await readers.readInline { (transaction) throws(StoreError) in try transaction.session(id) }
        if let found { return found }
        return try await readers.readOnThread { (reader) throws(StoreError) in try reader.session(id) }
    }

    /// Sessions, newest first by `(createdAt, id)`, without reading a message.
    public func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        let found = try await readers.readInline { (transaction) throws(StoreError) in try transaction.sessions(request)
        }
        if let found { return found }
        return try await readers.readOnThread { (reader) throws(StoreError) in try reader.sessions(request) }
    }

    /// A run of a session's messages with the session, both of one moment; `nil` where the session is absent.
    public func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        let found = try await readers.readInline { (transaction) throws(StoreError) in try transaction.page(request) }
        if let found { return found }
        return try await readers.readOnThread { (reader) throws(StoreError) in try reader.page(request) }
    }
}
#endif
