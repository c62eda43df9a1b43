#if SQLite
internal import AgentSessions
internal import AgentSessionsThreads
internal import CAgentSessionsSQLite
internal import CAgentSessionsSQLiteHooks

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A connection to a database file, with the statements that were prepared on it.
///
/// A connection is used by one thread at a time: that is up to its owner.
final class SQLiteConnection {
    let path: String
    let handle: OpaquePointer
    /// The files of the store, where they are known.
    var files: OpenFiles?
    private var longReads = ScanTracker()
    private let busyWait: UnsafeMutablePointer<agent_sessions_busy_wait>
    /// By the address of a literal or of a ``ComposedSQL``, which lives for as long as the process.
    private var fixed: [UInt: SQLiteStatement] = [:]
    private var statements: [String: SQLiteStatement] = [:]
    /// What the connection is doing, which decides what an error means.
    var activity = EngineActivity.opening

    /// Opens a connection.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where the file cannot be opened for reading and writing.
    init(path: String, busyTimeout: Duration) throws(StoreError) {
        agent_sessions_hooks_install()
        var handle: OpaquePointer?
        // Never makes the file: `DatabaseFile` has, with the rights that it should have.
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(DatabaseFile.name(of: path), &handle, flags, nil)
        guard code == SQLITE_OK, let handle else {
            let detail = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(handle)
            throw StoreError(sqlite: code, detail, while: .opening, path: path)
        }
        self.path = path
        self.handle = handle
        busyWait = .allocate(capacity: 1)
        busyWait.initialize(
            to: agent_sessions_busy_wait(timeout_us: busyTimeout.wholeNanoseconds / 1000, started_us: 0))
        agent_sessions_install_busy_wait(handle, busyWait)
        try check(agent_sessions_sqlite_distrust_schema(handle))
        guard sqlite3_db_readonly(handle, "main") == 0 else {
            throw StoreError(sqlite: SQLITE_READONLY, "", while: .opening, path: path)
        }
    }

    deinit {
        for statement in fixed.values { statement.finalize() }
        for statement in statements.values { statement.finalize() }
        leaveOthersLog()
        // No statement is left, so this closes at once; the busy handler is not called after it.
        sqlite3_close_v2(handle)
        busyWait.deallocate()
    }

    /// Makes long statements give up on a thread that must not wait.
    func boundInlineWork() {
        agent_sessions_inline_bound(handle, 50_000)
    }

    /// A run of messages of so many bytes was read; see ``ScanTracker``.
    func didRead(run bytes: Int) {
        if longReads.add(run: bytes), longReads.areMany { emptyCache() }
    }

    /// Lets go of the pages that the cache keeps.
    func emptyCache() {
        longReads = ScanTracker()
        sqlite3_db_release_memory(handle)
    }

    /// The statement of that literal, prepared on first use and kept. A literal is known by its address, which costs
    /// less to look up than its text.
    func statement(_ sql: StaticString) throws(StoreError) -> SQLiteStatement {
        try statement(at: UInt(bitPattern: sql.utf8Start), sql.description)
    }

    /// The statement of SQL that is put together once for the whole process, prepared on first use and kept.
    func statement(_ sql: ComposedSQL) throws(StoreError) -> SQLiteStatement {
        try statement(at: UInt(bitPattern: ObjectIdentifier(sql)), sql.text)
    }

    private func statement(
        at address: UInt, _ sql: @autoclosure () -> String
    ) throws(StoreError) -> SQLiteStatement {
        if let statement = fixed[address] { return statement }
        let statement = try prepare(sql())
        fixed[address] = statement
        return statement
    }

    /// The statement of that text, prepared on first use and kept.
    func statement(text sql: String) throws(StoreError) -> SQLiteStatement {
        if let statement = statements[sql] { return statement }
        let statement = try prepare(sql)
        statements[sql] = statement
        return statement
    }

    private func prepare(_ sql: String) throws(StoreError) -> SQLiteStatement {
        var prepared: OpaquePointer?
        try check(sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil))
        guard let prepared else {
            throw StoreError(
                .internalFailure, "SQLite was given an empty statement.", backend: SQLiteBackend.name)
        }
        return SQLiteStatement(prepared, on: self)
    }

    /// Runs statements that give no rows.
    func execute(_ sql: String) throws(StoreError) {
        try check(sqlite3_exec(handle, sql, nil, nil, nil))
    }

    /// The first column of the first row, written as text whatever it is; `nil` where there is no row.
    func text(of sql: String) throws(StoreError) -> String? {
        let statement = try statement(text: sql)
        defer { statement.reset() }
        return try statement.step() ? statement.shown(0) : nil
    }

    /// Runs `body` with another bound on the wait for locks.
    func withBusyTimeout<Result>(nanoseconds: UInt64, _ body: () -> Result) -> Result {
        let usual = busyWait.pointee.timeout_us
        busyWait.pointee.timeout_us = Int64(clamping: nanoseconds / 1000)
        defer { busyWait.pointee.timeout_us = usual }
        return body()
    }

    /// Whether a transaction is open.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// - Throws: What `code` says, unless it is `SQLITE_OK`.
    func check(_ code: Int32) throws(StoreError) {
        guard code != SQLITE_OK else { return }
        let (code, detail) = (sqlite3_extended_errcode(handle), String(cString: sqlite3_errmsg(handle)))
        let readError = agent_sessions_take_read_error()
        guard code & 0xFF == SQLITE_CORRUPT, readError != 0 else {
            throw StoreError(sqlite: code, detail, while: activity, path: path)
        }
        // SQLite takes a disk that cannot read for a file that is damaged.
        throw StoreError(
            sqlite: SQLiteCode.readFailed, String(cString: strerror(readError)), while: activity, path: path)
    }
}
#endif
