#if SQLite
internal import AgentSessions
internal import CSQLiteHooks

/// A connection for reads on the caller's thread, which give up rather than wait.
///
/// `@unchecked Sendable`: ``SQLiteReaders`` hands a reader to one caller at a time, under its mutex, which takes it out
/// of the idle ones first and puts it back last.
final class InlineReader: @unchecked Sendable {
    private let connection: SQLiteConnection

    init(_ connection: SQLiteConnection) {
        self.connection = connection
    }

    /// The outcome of `body`, or `nil` where it would have waited. It does not matter then how far it came: a read
    /// changes nothing.
    func readInline<Success>(
        _ body: (inout SQLiteTransaction) throws(StoreError) -> Success
    ) -> Result<Success, StoreError>? {
        agent_sessions_inline_begin()
        let outcome = Result { () throws(StoreError) in try SQLiteTransaction(on: connection).snapshot(body) }
        let gaveUp = agent_sessions_inline_end() != 0
        return gaveUp ? nil : outcome
    }
}

extension SQLiteTransaction {
    /// Runs `body` in a read transaction, so that all it sees is of one moment.
    func snapshot<Success>(
        _ body: (inout SQLiteTransaction) throws(StoreError) -> Success
    ) throws(StoreError) -> Success {
        var transaction = self
        try connection.statement("BEGIN").run()
        do throws(StoreError) {
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
