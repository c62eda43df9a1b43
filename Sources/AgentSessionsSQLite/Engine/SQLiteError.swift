#if SQLite
internal import AgentSessions
internal import CAgentSessionsSQLite

/// Extended codes, which are macros that Swift does not import.
enum SQLiteCode {
    /// `SQLITE_CONSTRAINT_PRIMARYKEY`
    static let primaryKeyTaken = SQLITE_CONSTRAINT | 6 << 8
    /// `SQLITE_IOERR_READ`
    static let readFailed = SQLITE_IOERR | 1 << 8
    /// `SQLITE_IOERR_SHORT_READ`
    static let shortRead = SQLITE_IOERR | 2 << 8
    /// `SQLITE_IOERR_WRITE`
    static let writeFailed = SQLITE_IOERR | 3 << 8
}

extension StoreError {
    /// A failure that SQLite reports, as an error of the store.
    ///
    /// - Parameters:
    ///   - code: The extended result code.
    ///   - detail: SQLite's own message. It names tables and files, never values.
    ///   - activity: What was being done.
    ///   - path: The database file.
    init(sqlite code: Int32, _ detail: String, while activity: EngineActivity, path: String) {
        let file = "The database \(quoted(path, limit: 200))"
        let (kind, message): (Code, String) =
            switch code & 0xFF {
            // SQLITE_PROTOCOL: too many others opened or recovered the file at the same moment.
            case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL:
                (
                    .busy,
                    "\(file) is locked by another connection, and did not become free within the busy timeout. "
                        + "Try again, or raise busy_timeout."
                )
            case SQLITE_FULL:
                (.unavailable, "\(file) cannot grow: the disk is full. Nothing was written. Make room and try again.")
            // Where a page could not be written, the one that ends the transaction was not either. After any other
            // failure of a commit (of the sync, or of the index of the log) it may be in the log.
            case SQLITE_IOERR where activity == .committing && code != SQLiteCode.writeFailed,
                SQLITE_NOMEM where activity == .committing:
                (
                    .outcomeUnknown,
                    "\(file) could not be written while a change was committed: \(detail). Open the store again to see "
                        + "whether the change was stored."
                )
            // SQLite fills up with zeros what a file may lack. Where it does not, something was cut off.
            case SQLITE_IOERR where code == SQLiteCode.shortRead:
                (
                    .corrupt,
                    "\(file) is damaged: its file or its log was cut off. Run `verify`, and restore it from an export "
                        + "or a backup."
                )
            case SQLITE_IOERR:
                (
                    .unavailable,
                    "\(file) cannot be read or written: \(detail). Check the disk, the quota and the limit on the "
                        + "size of files. Nothing was written."
                )
            case SQLITE_NOTADB:
                (.corrupt, "\(file) is not an SQLite database, or its header is damaged. It was left untouched.")
            case SQLITE_CORRUPT:
                (.corrupt, "\(file) is damaged: \(detail). Run `verify`, and restore it from an export or a backup.")
            case SQLITE_READONLY:
                (.unavailable, "\(file) is read-only. Give this user write permission for it and for its folder.")
            case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH:
                (
                    .unavailable,
                    "\(file) cannot be opened: \(detail). Its folder must exist, and this user must be allowed to "
                        + "read and write both."
                )
            case SQLITE_TOOBIG:
                (.limitExceeded, "A value is larger than SQLite allows: \(detail). Store a smaller value.")
            case SQLITE_NOMEM:
                (.unavailable, "\(file) cannot be used: SQLite could not allocate memory. Free memory, and try again.")
            case SQLITE_ERROR where detail.hasPrefix("no such table") || detail.hasPrefix("no such column"):
                (
                    .corrupt,
                    "\(file) is damaged: it lacks a table or a column of its schema version (\(detail)). Run `verify`, "
                        + "and restore it from an export or a backup."
                )
            case SQLITE_CONSTRAINT where code == SQLiteCode.primaryKeyTaken:
                (.conflict, "A message id is duplicated in the session. Give each message an id of its own.")
            case SQLITE_CONSTRAINT:
                (
                    .corrupt,
                    "\(file) is damaged: its rows contradict each other (\(detail)). Run `verify`, and restore it "
                        + "from an export or a backup."
                )
            default:
                (.internalFailure, "\(file) caused an unexpected error in SQLite: \(detail).")
            }
        self.init(kind, message, backend: SQLiteBackend.name, nativeCode: Self.sqliteName(of: code))
    }

    private static func sqliteName(of code: Int32) -> String {
        let names: [Int32: String] = [
            SQLITE_BUSY: "SQLITE_BUSY", SQLITE_LOCKED: "SQLITE_LOCKED", SQLITE_FULL: "SQLITE_FULL",
            SQLITE_IOERR: "SQLITE_IOERR", SQLITE_NOTADB: "SQLITE_NOTADB", SQLITE_CORRUPT: "SQLITE_CORRUPT",
            SQLITE_READONLY: "SQLITE_READONLY", SQLITE_CANTOPEN: "SQLITE_CANTOPEN", SQLITE_PERM: "SQLITE_PERM",
            SQLITE_AUTH: "SQLITE_AUTH", SQLITE_TOOBIG: "SQLITE_TOOBIG", SQLITE_NOMEM: "SQLITE_NOMEM",
            SQLITE_CONSTRAINT: "SQLITE_CONSTRAINT", SQLITE_ERROR: "SQLITE_ERROR", SQLITE_MISUSE: "SQLITE_MISUSE",
            SQLITE_INTERRUPT: "SQLITE_INTERRUPT", SQLITE_SCHEMA: "SQLITE_SCHEMA", SQLITE_PROTOCOL: "SQLITE_PROTOCOL",
        ]
        let name = names[code & 0xFF] ?? "SQLITE_\(code & 0xFF)"
        return code > 0xFF ? "\(name) (\(code))" : name
    }
}
#endif
