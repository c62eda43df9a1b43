#if LMDB
internal import AgentSessions
import AgentSessionsThreads
internal import CAgentSessionsLMDB

/// The named databases of the store, as LMDB numbers them in this process.
struct Databases {
    var sessions: MDB_dbi = 0
    var messages: MDB_dbi = 0
    var byActor: MDB_dbi = 0
    var byCreation: MDB_dbi = 0
    var messageIDs: MDB_dbi = 0
    var registry: MDB_dbi = 0
}

/// A transaction of LMDB with its cursors, used many times: a reader is reset and renewed, a writer begun anew.
///
/// `@unchecked Sendable`: a state is used by one thread at a time. A reader's is handed over by ``MapResizeGate`` under its
/// mutex, and `MDB_NOTLS` lets a read transaction move between threads; the writer's stays on the writer's thread.
final class TransactionState: @unchecked Sendable {
    /// Rows and bytes that a read on a caller's thread may touch; see ``LMDBReaders``.
    static let inlineBudget = 1 << 20
    /// What a row costs besides its bytes.
    static let rowCost = 128

    let environment: LMDBEnvironment
    let databases: Databases
    /// The open transaction; in a reader, the one that is reset between two reads.
    private(set) var transaction: OpaquePointer?
    var key: KeyBuffer

    /// What is left of the work that may be done.
    private var budget = Int.max
    /// Whether the work was more than the budget.
    private(set) var gaveUp = false

    /// When a caller that reads on its own thread should yield.
    var turn = InlineTurn()

    private let keyBytes: UnsafeMutableRawPointer
    private let isReader: Bool
    private var residency = MappedPageReclaimer()
    private var sessionCursor: OpaquePointer?
    private var messageCursor: OpaquePointer?
    private var actorCursor: OpaquePointer?
    private var creationCursor: OpaquePointer?
    private var freshCursors: UInt8 = 0

    init(_ environment: LMDBEnvironment, _ databases: Databases, isReader: Bool) {
        self.environment = environment
        self.databases = databases
        self.isReader = isReader
        keyBytes = .allocate(byteCount: KeyBuffer.capacity, alignment: 8)
        key = KeyBuffer(keyBytes)
    }

    deinit {
        keyBytes.deallocate()
    }

    /// Whether a transaction is open, or kept for reuse.
    var isOpen: Bool { transaction != nil }

    // MARK: Beginning and ending

    /// Begins a transaction, or renews the one that was reset. What LMDB returns.
    func begin(budget: Int = .max) -> Int32 {
        self.budget = budget
        gaveUp = false
        freshCursors = 0
        if let transaction { return mdb_txn_renew(transaction) }
        return mdb_txn_begin(environment.handle, nil, isReader ? UInt32(MDB_RDONLY) : 0, &transaction)
    }

    /// Ends a reader's transaction, keeping it for ``begin(budget:)``. The map is no more touched through it.
    func reset() {
        if let transaction { mdb_txn_reset(transaction) }
        residency.trim(environment.mapNumber)
    }

    /// A run of records was read; see ``MappedPageReclaimer``. What a writer reads may lie beside the map.
    @inline(__always)
    func didRead(_ run: Range<UInt>, bytes: Int) {
        if isReader { residency.read(run, bytes: bytes, in: environment.mapNumber) }
    }

    /// Commits. What LMDB returns; the transaction is over in any case.
    func commit() -> Int32 {
        guard let ending = takeTransaction() else { return MDB_BAD_TXN }
        return mdb_txn_commit(ending)
    }

    /// Ends the transaction for good, without its changes.
    func abort() {
        if let ending = takeTransaction() { mdb_txn_abort(ending) }
    }

    private func takeTransaction() -> OpaquePointer? {
        defer { transaction = nil }
        // A reader's cursors are ours to close; a writer's go with its transaction.
        if isReader {
            let cursors = [sessionCursor, messageCursor, actorCursor, creationCursor]
            for cursor in cursors where cursor != nil { mdb_cursor_close(cursor) }
        }
        (sessionCursor, messageCursor, actorCursor, creationCursor) = (nil, nil, nil, nil)
        return transaction
    }

    /// The transaction as a migration sees it.
    func migrationTarget() throws(StoreError) -> LMDBMigrationTarget {
        guard let transaction else { throw environment.error(MDB_BAD_TXN, while: .reading) }
        return LMDBMigrationTarget(transaction: transaction, environment: environment)
    }

    // MARK: Cursors

    /// A cursor over `session_messages` in this transaction.
    func cursorOverMessages() throws(StoreError) -> OpaquePointer {
        try cursor(&messageCursor, databases.messages, bit: 1)
    }

    /// A cursor over `sessions` in this transaction. It finds what lies near the last one without a search from the top.
    func cursorOverSessions() throws(StoreError) -> OpaquePointer {
        try cursor(&sessionCursor, databases.sessions, bit: 8)
    }

    /// A cursor over an index of the sessions in this transaction.
    func cursorOverSessions(byActor: Bool) throws(StoreError) -> OpaquePointer {
        byActor
            ? try cursor(&actorCursor, databases.byActor, bit: 2)
            : try cursor(&creationCursor, databases.byCreation, bit: 4)
    }

    private func cursor(
        _ kept: inout OpaquePointer?, _ database: MDB_dbi, bit: UInt8
    ) throws(StoreError) -> OpaquePointer {
        if let kept, freshCursors & bit != 0 { return kept }
        if let kept, isReader {
            try check(mdb_cursor_renew(transaction, kept))
        } else {
            try check(mdb_cursor_open(transaction, database, &kept))
        }
        freshCursors |= bit
        guard let kept else { throw environment.error(MDB_BAD_TXN, while: .reading) }
        return kept
    }

    // MARK: Work

    /// Counts work against the budget.
    @inline(__always)
    func spend(_ bytes: Int) throws(StoreError) {
        budget -= bytes + Self.rowCost
        if budget < 0 {
            gaveUp = true
            throw Self.tooMuchWork
        }
    }

    /// No caller sees this: the read is made again on a thread of the pool.
    private static let tooMuchWork = StoreError(
        .busy, "The read is too long for the caller's thread.", backend: LMDBBackend.name)

    /// - Throws: The error that `code` means, where it is one.
    @inline(__always)
    func check(_ code: Int32) throws(StoreError) {
        guard code == MDB_SUCCESS else { throw environment.error(code, while: isReader ? .reading : .writing) }
    }

    /// The value under ``key``, in the map; `nil` where there is none.
    @inline(__always)
    func value(in database: MDB_dbi) throws(StoreError) -> UnsafeRawBufferPointer? {
        var key = key.value
        var value = MDB_val()
        let code = mdb_get(transaction, database, &key, &value)
        guard code != MDB_NOTFOUND else { return nil }
        try check(code)
        return UnsafeRawBufferPointer(value)
    }
}
#endif
