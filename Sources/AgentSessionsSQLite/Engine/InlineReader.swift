#if SQLite
internal import AgentSessions
import AgentSessionsThreads
internal import CAgentSessionsSQLiteHooks

/// A connection for reads on the caller's thread, which give up rather than wait.
///
/// `@unchecked Sendable`: ``SQLiteReaders`` hands a reader to one caller at a time, under its mutex, which takes it out
/// of the idle ones first and puts it back last.
final class InlineReader: @unchecked Sendable {
    private var connection: SQLiteConnection?
    /// Whether the file system can tell cached pages from others. It is taken to, until it says no.
    private(set) var isSupported = true
    /// Whether who made the last read is to give way.
    private(set) var isTurnOver = false
    private var turn = InlineTurn()

    init(_ connection: SQLiteConnection) {
        self.connection = connection
    }

    func close() {
        connection = nil
    }

    /// The outcome of `body`, or `nil` where it would have waited. It does not matter then how far it came: a read
    /// changes nothing.
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
