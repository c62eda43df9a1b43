#if Postgres
internal import AgentSessions
internal import CAgentSessionsLibPQ

/// What the server answers to a statement: rows in binary form, or an error.
///
/// A result is used on the thread of its connection, and never after it.
final class PostgresResult {
    private let handle: OpaquePointer

    /// Takes over a result of libpq.
    init(_ handle: OpaquePointer) {
        self.handle = handle
    }

    deinit {
        PQclear(handle)
    }

    var status: ExecStatusType { PQresultStatus(handle) }

    /// The number of rows.
    var count: Int { Int(PQntuples(handle)) }

    /// What the server reports to have done, such as `COMMIT`.
    var commandTag: String { PQcmdStatus(handle).map { String(cString: $0) } ?? "" }

    /// Whether the value is null or missing.
    func isNull(_ row: Int, _ column: Int) -> Bool {
        PQgetisnull(handle, Int32(clamping: row), Int32(clamping: column)) != 0
    }

    /// Lends the bytes of a value; `nil` for null. They live as long as the result.
    func withBytes<Success>(_ row: Int, _ column: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Success?) -> Success? {
        guard !isNull(row, column) else { return nil }
        let row = Int32(clamping: row)
        let column = Int32(clamping: column)
        guard let value = PQgetvalue(handle, row, column) else { return nil }
        let length = Int(PQgetlength(handle, row, column))
        return UnsafeRawPointer(value).withMemoryRebound(to: UInt8.self, capacity: length) { bytes in
            body(UnsafeBufferPointer(start: bytes, count: length))
        }
    }

    /// A `bigint`.
    func number(_ row: Int, _ column: Int) -> Int64? {
        withBytes(row, column) { bytes in
            guard bytes.count == 8 else { return nil }
            return bytes.reduce(Int64(0)) { $0 << 8 | Int64($1) }
        }
    }

    /// A `timestamptz`.
    func time(_ row: Int, _ column: Int) -> Timestamp? {
        number(row, column).flatMap(PostgresTime.time)
    }

    /// A `text` that was stored in escaped form.
    func text(_ row: Int, _ column: Int) -> String? {
        withBytes(row, column) { TextEscape.text($0) }
    }

    /// A field of an error.
    func errorField(_ field: Int32) -> String? {
        PQresultErrorField(handle, field).map { String(cString: $0) }
    }

    /// The message of an error that did not come from the server.
    var errorMessage: String { PQresultErrorMessage(handle).map { String(cString: $0) } ?? "" }
}
#endif
