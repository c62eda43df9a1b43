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

    /// After a transaction of more changes, such as an import, the cache is emptied: what it holds is of no use to the
    /// small transactions that follow.
    private static let manyChanges = 10_000

    init(_ configuration: SQLiteConfiguration) throws(StoreError) {
        connection = try .writer(configuration)
        files = try connection.findFiles()
        log = try connection.boundLog(configuration)
        writer = SQLiteTransaction(on: connection)
    }

    /// SQLite rolls the whole transaction back on some failures (of the disk, of memory), even where a statement only
    /// reads. Then the other changes of the group are gone too, so this counts as a change: the group must not go on.
    var changeCount: Int { connection.isInTransaction ? writer.changeCount : writer.changeCount + 1 }

    func begin() throws(StoreError) {
        if let failure { throw failure }
        rollback()
        // IMMEDIATE: a transaction that reads first may find that it can no longer write.
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
            if error.code == .outcomeUnknown { failure = .stopped(after: error) }
            throw error
        }
        let logBytes = try files.requireCommitInPlace()
        // A failure here does not concern the commit.
        if let patience = log.patience(with: logBytes) {
            log.waited(patience, isEmpty: connection.emptyLog(within: patience))
        }
        if writer.changeCount - changesBefore > Self.manyChanges { connection.emptyCache() }
    }

    func rollback() {
        guard connection.isInTransaction else { return }
        // Where this fails, SQLite has rolled back already, or does when the file is opened again.
        try? connection.statement("ROLLBACK").run()
    }

    func close() {}
}
#endif
