#if SQLite
internal import AgentSessions
internal import CAgentSessionsSQLite

/// A prepared statement. Parameters are counted from 1 and columns from 0, as in SQLite.
struct SQLiteStatement {
    private let handle: OpaquePointer
    // A connection owns its statements and finalizes them before it goes, so it outlives each use of one.
    private unowned let connection: SQLiteConnection

    init(_ handle: OpaquePointer, on connection: SQLiteConnection) {
        self.handle = handle
        self.connection = connection
    }

    func finalize() { sqlite3_finalize(handle) }

    /// Goes on to the next row.
    ///
    /// - Returns: Whether there is one.
    func step() throws(StoreError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            try connection.check(code)
            return false
        }
    }

    /// Ends the statement, so that its transaction can end and it can be run again.
    func reset() { sqlite3_reset(handle) }

    /// Lets go of the values of the parameters, which may be large.
    func clearBindings() { sqlite3_clear_bindings(handle) }

    /// Runs a statement that gives no rows.
    func run() throws(StoreError) {
        defer { reset() }
        _ = try step()
    }

    // MARK: Parameters

    func bind(_ value: Int64, at index: Int32) throws(StoreError) {
        try connection.check(sqlite3_bind_int64(handle, index, value))
    }

    func bind(_ value: Int, at index: Int32) throws(StoreError) {
        try bind(Int64(value), at: index)
    }

    func bind(_ value: Timestamp, at index: Int32) throws(StoreError) {
        try bind(value.microseconds, at: index)
    }

    func bind(_ id: ULID, at index: Int32) throws(StoreError) {
        try id.withText { (text) throws(StoreError) in try bind(text, at: index) }
    }

    func bind(_ text: String?, at index: Int32) throws(StoreError) {
        guard let text else {
            try connection.check(sqlite3_bind_null(handle, index))
            return
        }
        try text.withBytes { (bytes) throws(StoreError) in try bind(bytes, at: index) }
    }

    /// Binds text; SQLite copies it.
    func bind(_ text: UnsafeBufferPointer<UInt8>, at index: Int32) throws(StoreError) {
        // A null pointer would bind NULL, where this is an empty text.
        let code = text.withMemoryRebound(to: CChar.self) { text in
            withUnsafePointer(to: 0 as CChar) { empty in
                sqlite3_bind_text64(
                    handle, index, text.baseAddress ?? empty, UInt64(text.count), agent_sessions_sqlite_transient(),
                    UInt8(SQLITE_UTF8))
            }
        }
        try connection.check(code)
    }

    // MARK: Columns

    /// The column as an integer, or `nil` where it is none: SQLite would make a zero of what a damaged file has there.
    func integer(_ column: Int32) -> Int64? {
        sqlite3_column_type(handle, column) == SQLITE_INTEGER ? sqlite3_column_int64(handle, column) : nil
    }

    func timestamp(_ column: Int32) -> Timestamp? {
        integer(column).flatMap { Timestamp(microseconds: $0) }
    }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    /// The column as text, or `nil` where it is not valid UTF-8 or not text.
    func text(_ column: Int32) -> String? {
        withText(column) { String(stored: $0) }
    }

    /// The column written as text, whatever it is; `nil` for NULL.
    func shown(_ column: Int32) -> String? {
        sqlite3_column_text(handle, column).map { String(cString: $0) }
    }

    /// What `body` makes of the bytes of a text column, which are valid while it runs; `nil` where the column is not text,
    /// or there is no memory for it.
    func withText<Success>(_ column: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> Success?) -> Success? {
        // In this order, as SQLite says: the text first, then its length. It is valid until the next step or reset.
        guard sqlite3_column_type(handle, column) == SQLITE_TEXT, let start = sqlite3_column_text(handle, column)
        else { return nil }
        return body(UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }
}
#endif
