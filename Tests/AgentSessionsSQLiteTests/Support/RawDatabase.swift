#if SQLite
import CAgentSessionsSQLite

/// A connection of the test, which sees the file as it is and can change it as the store never would.
final class RawDatabase: @unchecked Sendable {
    struct Failure: Error, CustomStringConvertible {
        let code: Int32
        let description: String
    }

    private let handle: OpaquePointer

    init(_ path: String) throws {
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nil)
        guard code == SQLITE_OK, let handle else { throw Failure(code: code, description: "cannot open \(path)") }
        self.handle = handle
    }

    deinit {
        sqlite3_close_v2(handle)
    }

    func execute(_ sql: String) throws {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw Failure(code: code, description: String(cString: sqlite3_errmsg(handle))) }
    }

    /// Every row, each column as text.
    func rows(_ sql: String) throws -> [[String?]] {
        var statement: OpaquePointer?
        var code = sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
        defer { sqlite3_finalize(statement) }
        var rows: [[String?]] = []
        while code == SQLITE_OK || code == SQLITE_ROW {
            code = sqlite3_step(statement)
            guard code == SQLITE_ROW else { break }
            rows.append(
                (0..<sqlite3_column_count(statement)).map { column in
                    sqlite3_column_text(statement, column).map { String(cString: $0) }
                })
        }
        guard code == SQLITE_DONE else {
            throw Failure(code: code, description: String(cString: sqlite3_errmsg(handle)))
        }
        return rows
    }

    /// The first column of the first row.
    func value(_ sql: String) throws -> String? { try rows(sql).first?.first ?? nil }
}
#endif
