#if Postgres
internal import AgentSessions

extension PostgresConnection {
    /// Runs `body` in a transaction that changes the store.
    ///
    /// - Throws: What `body` throws, with nothing changed; ``StoreError/Code/outcomeUnknown`` where the connection is
    ///   lost while the transaction is committed.
    func transaction<Success>(_ body: () throws(StoreError) -> Success) throws(StoreError) -> Success {
        try transaction(.change, body)
    }

    /// Runs `body` in a transaction that reads, all of one moment.
    func snapshot<Success>(_ body: () throws(StoreError) -> Success) throws(StoreError) -> Success {
        try transaction(.snapshot, body)
    }

    /// Sends a statement that changes nothing by itself: it reads, or a transaction is open.
    func read(_ statement: Statement, lockWait: LockWait = .full) throws(StoreError) -> PostgresResult {
        do throws(PipelineError) {
            return try query(statement, lockWait: lockWait)
        } catch {
            throw error.readError
        }
    }

    /// Sends a statement that is not worth preparing and that changes nothing by itself.
    func read(_ sql: String, _ parameters: Parameters = Parameters()) throws(StoreError) -> PostgresResult {
        try read(Statement(sql, parameters))
    }

    private func transaction<Success>(
        _ kind: TransactionFraming.Kind, _ body: () throws(StoreError) -> Success
    ) throws(StoreError) -> Success {
        do throws(PipelineError) {
            try begin(kind)
        } catch {
            throw error.readError
        }
        let success: Success
        do throws(StoreError) {
            success = try body()
        } catch {
            // Where this fails, the connection is not clean, is closed, and the server undoes the transaction.
            if !isBroken { _ = try? query(framing.rollback) }
            throw error
        }
        let isCommitted: Bool
        do throws(PipelineError) {
            isCommitted = try commit()
        } catch {
            throw kind == .change ? error.writeError : error.readError
        }
        guard isCommitted else {
            throw StoreError(
                .internalFailure, "A transaction went on after one of its statements had failed. Nothing was written.",
                backend: PostgresBackend.name)
        }
        return success
    }
}
#endif
