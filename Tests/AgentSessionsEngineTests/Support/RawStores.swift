#if SQLite && LMDB && Postgres
import CAgentSessionsLMDB
import CAgentSessionsSQLite
import Foundation

/// A connection of the test to a database file, without constraints.
final class RawFile {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private var handle: OpaquePointer?

    init(_ path: String) throws {
        guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK else {
            throw Failure(description: path)
        }
    }

    deinit { sqlite3_close_v2(handle) }

    /// Makes a database of another application.
    static func make(_ path: String, _ sql: String) throws {
        try Data().write(to: URL(filePath: path))
        try RawFile(path).execute(sql)
    }

    func execute(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
            throw Failure(description: String(cString: sqlite3_errmsg(handle)))
        }
    }

    func value(_ sql: String) throws -> String? {
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, sqlite3_step(statement) == SQLITE_ROW
        else { throw Failure(description: String(cString: sqlite3_errmsg(handle))) }
        return sqlite3_column_text(statement, 0).map { String(cString: $0) }
    }
}

/// An LMDB environment that no store has open.
struct RawEnvironment {
    enum Change {
        case keep, remove
        case replace([UInt8])
    }

    struct Failure: Error {
        let code: Int32
    }

    private let path: String

    init(_ path: String) throws { self.path = path }

    /// Changes entries of a named database.
    func change(in name: String, _ change: (_ key: [UInt8], _ value: [UInt8]) -> Change) throws {
        try transaction(name) { transaction, database in
            var cursor: OpaquePointer?
            try check(mdb_cursor_open(transaction, database, &cursor))
            defer { mdb_cursor_close(cursor) }
            var changes: [(key: [UInt8], change: Change)] = []
            var (key, value) = (MDB_val(), MDB_val())
            while mdb_cursor_get(cursor, &key, &value, changes.isEmpty ? MDB_FIRST : MDB_NEXT) == MDB_SUCCESS {
                changes.append((bytes(key), change(bytes(key), bytes(value))))
            }
            for (key, change) in changes {
                switch change {
                case .keep: break
                case .remove:
                    try check(withValue(key) { key in mdb_del(transaction, database, &key, nil) })
                case .replace(let value):
                    try check(
                        withValue(key) { key in
                            withValue(value) { value in mdb_put(transaction, database, &key, &value, 0) }
                        })
                }
            }
        }
    }

    func put(_ value: [UInt8], for key: [UInt8], in name: String) throws {
        try transaction(name) { transaction, database in
            try check(
                withValue(key) { key in
                    withValue(value) { value in mdb_put(transaction, database, &key, &value, 0) }
                })
        }
    }

    private func transaction(_ name: String, _ body: (OpaquePointer?, MDB_dbi) throws -> Void) throws {
        var environment: OpaquePointer?
        try check(mdb_env_create(&environment))
        defer { mdb_env_close(environment) }
        mdb_env_set_maxdbs(environment, 64)
        try check(mdb_env_open(environment, path, 0, 0o600))
        var transaction: OpaquePointer?
        var database: MDB_dbi = 0
        try check(mdb_txn_begin(environment, nil, 0, &transaction))
        try check(mdb_dbi_open(transaction, name, 0, &database))
        try body(transaction, database)
        try check(mdb_txn_commit(transaction))
    }

    private func check(_ code: Int32) throws {
        guard code == MDB_SUCCESS else { throw Failure(code: code) }
    }

    private func bytes(_ value: MDB_val) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
    }

    private func withValue<Result>(_ bytes: [UInt8], _ body: (inout MDB_val) -> Result) -> Result {
        bytes.withUnsafeBytes { bytes in
            var value = MDB_val(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            return body(&value)
        }
    }
}
#endif
