#if Postgres
internal import AgentSessions

extension PostgresConnection {
    /// Runs `body` in a transaction that changes the store.
    ///
    /// - Throws: What `body` throws, with nothing changed; ``StoreError/Code/outcomeUnknown`` where the connection is
    ///   lost while the transaction is committed.
    func transaction<Success>(_ body: () throws(StoreError) -> Success) throws(StoreError) -> Success {
        // Not READ WRITE: who has made the database or its users read only by default means all of this, too.
        try transaction("BEGIN ISOLATION LEVEL READ COMMITTED", isWrite: true, body)
    }

    /// Runs `body` in a transaction that reads, all of one moment.
    func snapshot<Success>(_ body: () throws(StoreError) -> Success) throws(StoreError) -> Success {
        try transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", isWrite: false, body)
    }

    private func transaction<Success>(
        _ begin: String, isWrite: Bool, _ body: () throws(StoreError) -> Success
    ) throws(StoreError) -> Success {
        do throws(PipelineError) {
            try self.begin(begin)
        } catch {
            throw error.readError
        }
        let success: Success
        do throws(StoreError) {
            success = try body()
        } catch {
            // Where this fails, the connection is not clean, is closed, and the server undoes the transaction.
            if !isBroken { _ = try? run(Command(Statement("ROLLBACK"))) }
            throw error
        }
        try commit(isWrite: isWrite)
        return success
    }

    private func commit(isWrite: Bool) throws(StoreError) {
        let tag: String
        do throws(PipelineError) {
            tag = try commit()
        } catch {
            throw isWrite ? error.writeError : error.readError
        }
        // A transaction in which a statement failed is undone, and the server says so here alone.
        guard tag == "COMMIT" else {
            throw StoreError(
                .internalFailure, "A transaction went on after a statement of it had failed. Nothing was written.",
                backend: PostgresBackend.name)
        }
    }
}
#endif
