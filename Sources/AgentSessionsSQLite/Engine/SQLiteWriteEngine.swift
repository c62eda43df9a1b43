#if SQLite
internal import AgentSessions
internal import AgentSessionsGroupCommit

/// The connection that writes, as the group commit uses it.
final class SQLiteWriteEngine: CommitEngine {
    var writer: SQLiteTransaction
    let files: OpenFiles
    private let connection: SQLiteConnection
    private var log: LogBound
    private var failure: StoreError?
    private var changesBefore = 0

    /// A transaction of more changes loads a store, as an import does; what it left in the cache is of no use to the
    /// small ones that follow.
    private static let load = 10_000

    init(_ configuration: SQLiteConfiguration) throws(StoreError) {
        connection = try .writer(configuration)
        files = try connection.findFiles()
        log = try connection.boundLog(configuration)
        writer = SQLiteTransaction(on: connection)
    }

    /// SQLite undoes the whole transaction on some failures (of the disk, of memory), even where a statement only
    /// reads. Then the changes of others are gone too, which has to count as a change: the group must not go on.
    var changeCount: Int { connection.isInTransaction ? writer.changeCount : writer.changeCount + 1 }

    func begin() throws(StoreError) {
        if let failure { throw failure }
        rollback()
        // At once for writing: a transaction that reads first may find that it cannot write any more.
        try connection.statement("BEGIN IMMEDIATE").run()
        changesBefore = writer.changeCount
        do throws(StoreError) {
            try files.requireInPlace()
        } catch {
            rollback()
            connection.rescueLog()
            throw error
        }
    }

    func commit() throws(StoreError) {
        connection.activity = .committing
        defer { connection.activity = .writing }
        do throws(StoreError) {
            try connection.statement("COMMIT").run()
        } catch {
            rollback()
            if error.code == .outcomeUnknown {
                // After a sync that failed, the system may have dropped what it could not write and say so only once.
                failure = StoreError(
                    .unavailable, "The store stopped after its disk failed. Open it again to see what was stored.",
                    backend: SQLiteBackend.name, nativeCode: error.nativeCode, cause: error)
            }
            throw error
        }
        let logBytes = try files.requireCommitInPlace()
        // What fails here does not concern the commit.
        if let patience = log.patience(with: logBytes) {
            log.waited(patience, isEmpty: connection.emptyLog(within: patience))
        }
        if writer.changeCount - changesBefore > Self.load { connection.emptyCache() }
    }

    func rollback() {
        guard connection.isInTransaction else { return }
        // Where this fails, SQLite has undone the transaction already, or undoes it when the file is opened again.
        try? connection.statement("ROLLBACK").run()
    }

    func close() {}
}
#endif
