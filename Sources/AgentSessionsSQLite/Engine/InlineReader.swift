#if SQLite
internal import AgentSessions
import AgentSessionsThreads
internal import CAgentSessionsSQLiteHooks

/// A connection for reads on the caller's thread, which give up rather than wait.
///
/// `@unchecked Sendable`: one caller at a time has a reader. It takes the reader out of the idle ones of
/// ``SQLiteReaders`` under their mutex before it reads, and puts it back under the mutex afterwards.
final class InlineReader: @unchecked Sendable {
    private var connection: SQLiteConnection?
    /// Whether the file system can tell cached pages from others; assumed until a read shows that it cannot.
    private(set) var isSupported = true
    /// Whether the caller of the last read should yield.
    private(set) var isTurnOver = false
    private var turn = InlineTurn()

    init(_ connection: SQLiteConnection) {
        self.connection = connection
    }

    func close() {
        connection = nil
    }

    /// The outcome of `body`, or `nil` where it would have had to wait. It may have read a part by then, which changes
    /// nothing.
    func readInline<Success>(
        _ body: (inout SQLiteTransaction) throws(StoreError) -> Success
    ) -> Result<Success, StoreError>? {
        guard let connection else { return nil }
        let start = MonotonicTime.now()
        agent_sessions_inline_begin()
        let outcome = Result { () throws(StoreError) in try SQLiteTransaction(on: connection).snapshot(body) }
        let hindrance = agent_sessions_inline_end()
        isTurnOver = turn.isOver(after: MonotonicTime.now() &- start)
        if hindrance & AGENT_SESSIONS_INLINE_UNSUPPORTED != 0 { isSupported = false }
        return hindrance == 0 ? outcome : nil
    }
}

extension SQLiteTransaction {
    /// Runs `body` in a read transaction, so that all it sees is of one moment.
    func snapshot<Success>(
        _ body: (inout SQLiteTransaction) throws(StoreError) -> Success
    ) throws(StoreError) -> Success {
        var transaction = self
        do throws(StoreError) {
            try connection.statement("BEGIN").run()
            let result = try body(&transaction)
            try connection.statement("COMMIT").run()
            return result
        } catch {
            if connection.isInTransaction { try? connection.statement("ROLLBACK").run() }
            throw error
        }
    }
}
#endif
