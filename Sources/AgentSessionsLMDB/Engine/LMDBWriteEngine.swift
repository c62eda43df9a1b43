#if LMDB
internal import AgentSessions
internal import AgentSessionsGroupCommit
internal import CAgentSessionsLMDB

/// The transaction that writes, as the group commit uses it. LMDB wants it to begin and end on one thread.
final class LMDBWriteEngine: CommitEngine {
    var writer: LMDBTransaction
    private let use: EnvironmentUse
    private let state: TransactionState
    private let lock: WriterLock
    private var transactions = 0

    /// After so many transactions, about once a second under load, the places of readers that died are freed.
    private static let transactionsPerCheck = 1000

    /// Opens the store: the environment is there, is this package's and not newer than the build, and is up to date.
    init(_ configuration: LMDBConfiguration) throws(StoreError) {
        (use, state, lock) = try EnvironmentRegistry.acquire(configuration) { (use) throws(StoreError) in
            let lock = try WriterLock(path: configuration.path, timeout: configuration.busyTimeout)
            try use.environment.requireWholeFile(lock)
            let migrator = LMDBMigrator(
                environment: use.environment, lock: lock,
                chain: try LMDBMigrations.chain(followedBy: configuration.migrations))
            if try migrator.isBehind(configuration.migrationPolicy, mustExist: configuration.mustExist) {
                try migrator.applyPending(configuration.migrationPolicy)
            }
            return (use, TransactionState(use.environment, try migrator.openDatabases(), isReader: false), lock)
        }
        writer = LMDBTransaction(state)
    }

    var environment: LMDBEnvironment { use.environment }
    var databases: Databases { state.databases }
    var changeCount: Int { writer.changeCount }

    func begin() throws(StoreError) {
        try lock.acquire()
        writer.kind = []
        transactions &+= 1
        if transactions % Self.transactionsPerCheck == 0 { environment.clearStaleReaders() }
        do throws(StoreError) {
            try environment.files.requireInPlace()
            try environment.beginWrite(state)
        } catch {
            lock.release()
            throw error
        }
    }

    func commit() throws(StoreError) {
        let code = state.commit()
        // Before the transaction leaves the gate the map cannot change.
        let size = environment.info.me_mapsize
        environment.gate.leave()
        defer { lock.release() }
        guard code == MDB_SUCCESS else { throw failure(ofCommit: code, mapSize: size) }
        try environment.files.requireCommitInPlace()
    }

    /// The error of a commit that failed. Grows the map, or stops the store, where that is called for.
    func failure(ofCommit code: Int32, mapSize: Int) -> StoreError {
        if code == MDB_MAP_FULL {
            let error = environment.mapFull(at: mapSize, isRemoval: writer.isRemoval)
            environment.grow(isRemoval: writer.isRemoval)
            return error
        }
        let error = environment.error(meaning(ofCommit: code), while: .committing)
        if error.code == .outcomeUnknown { environment.gate.fail(.stopped(after: error)) }
        return error
    }

    private func meaning(ofCommit code: Int32) -> Int32 {
        isPanicking ? MDB_PANIC : environment.meaning(ofCommit: code)
    }

    /// Whether LMDB itself refuses to go on: it could not write the page that makes a commit valid, nor undo that.
    private var isPanicking: Bool {
        guard (try? environment.gate.enter()) != nil else { return false }
        defer { environment.gate.leave() }
        let code = state.begin()
        state.abort()
        return code == MDB_PANIC
    }

    func rollback() {
        guard state.isOpen else { return }
        state.abort()
        environment.gate.leave()
        if writer.foundMapFull {
            writer.foundMapFull = false
            environment.grow(isRemoval: writer.isRemoval)
        }
        lock.release()
    }

    func close() {
        rollback()
        EnvironmentRegistry.release(use)
    }
}
#endif
