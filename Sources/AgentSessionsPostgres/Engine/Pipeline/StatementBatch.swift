#if Postgres
internal import AgentSessions

/// Queued statements that are sent as one pipeline: one round trip, and for changes one commit, however many there are.
///
/// The server commits the statements of a pipeline together. A statement that it refuses undoes the whole pipeline: that
/// statement keeps its error, and the others are sent again. Where the server refuses the commit, each statement is sent
/// again by itself. A batch leaves an outcome with each of its statements, and answers no caller.
struct StatementBatch {
    /// The number by which ``BatchStateMachine`` knows it.
    let number: Int
    let statements: [QueuedStatement]
    /// Bytes of their parameters.
    let bytes: Int

    /// Sends the statements without waiting for anything, where all of them are prepared on the connection.
    ///
    /// - Returns: Whether they were sent.
    func send(on connection: PostgresConnection) -> Bool {
        let statements = statements.map(\.statement)
        guard connection.hasPrepared(statements) else { return false }
        do throws(PipelineError) {
            try connection.send(statements, lockWait: .brief)
            return true
        } catch {
            // The connection is broken, which its next user finds out.
            return false
        }
    }

    /// Receives the answer to a batch of one statement that was sent, if it comes soon.
    ///
    /// - Returns: Whether the statement has its outcome. Where it does not, ``finish(on:isSent:)`` is next.
    func receive(on connection: PostgresConnection, within bound: Duration) -> Bool {
        do throws(PipelineError) {
            return try connection.receive(within: bound) { statements[$0].receive($1) }
        } catch {
            for statement in statements { statement.fail(error) }
            return true
        }
    }

    /// Sends the statements and receives their answers, until each has its outcome or is held up by a lock.
    ///
    /// - Parameter isSent: Whether ``send(on:)`` has sent them, so that only their answers are received.
    /// - Returns: The statements whose session another transaction has locked; nothing of them is stored. They are for
    ///   ``runWaitingForLocks(_:on:)``.
    func finish(on connection: PostgresConnection, isSent: Bool) -> [QueuedStatement] {
        var locked: [QueuedStatement] = []
        Self.settle(statements, on: connection, lockWait: .brief, isSent: isSent) { statement, _ in
            locked.append(statement)
        }
        return locked
    }

    /// Sends statements that have to wait for a lock, and waits for as long as the store allows; leaves an outcome with
    /// each.
    static func runWaitingForLocks(_ statements: [QueuedStatement], on connection: PostgresConnection) {
        settle(statements, on: connection, lockWait: .full) { $0.fail($1) }
    }

    private static func settle(
        _ statements: [QueuedStatement], on connection: PostgresConnection, lockWait: LockWait, isSent: Bool = false,
        whenLocked: (QueuedStatement, PipelineError) -> Void
    ) {
        var rest = statements
        var lockWait = lockWait
        var isSent = isSent
        while !rest.isEmpty {
            var unchanged: Set<Int> = []
            do throws(PipelineError) {
                if !isSent { try connection.send(rest.map(\.statement), lockWait: lockWait) }
                isSent = false
                try connection.receive { position, result in
                    rest[position].receive(result)
                    if result.count == 0 { unchanged.insert(position) }
                }
                return
            } catch .refused(let position, let error) where rest.indices.contains(position) && !error.isFatal {
                let refusal = PipelineError.refused(position: 0, error)
                guard error.isLockTimeout else {
                    rest.remove(at: position).fail(refusal)
                    continue
                }
                // All of them have waited for that time, and what changes the same session waits for the same lock.
                lockWait = .brief
                let session = rest[position].session
                for statement in rest where statement.session == session { whenLocked(statement, refusal) }
                rest.removeAll { $0.session == session }
            } catch .refused(_, let error) where rest.count > 1 && !error.isFatal {
                retryAlone(rest, on: connection, lockWait: lockWait, whenLocked: whenLocked)
                return
            } catch {
                // Refused alone, or the connection is lost.
                let errors = errors(of: rest.map(\.session), unchanged: unchanged, after: error)
                for (statement, error) in zip(rest, errors) {
                    if let error { statement.fail(error) }
                }
                return
            }
        }
    }

    /// Sends each statement in a pipeline of its own.
    private static func retryAlone(
        _ statements: [QueuedStatement], on connection: PostgresConnection, lockWait: LockWait,
        whenLocked: (QueuedStatement, PipelineError) -> Void
    ) {
        for statement in statements {
            settle([statement], on: connection, lockWait: lockWait, whenLocked: whenLocked)
        }
    }

    /// The errors of statements whose batch ends in an error that none of them caused; `nil` for a statement that keeps the
    /// answer that it has.
    ///
    /// Where the batch may be stored, a statement that changed nothing has no part in that: a rule refused it. Its answer
    /// stands, unless the batch has changed the same session before, so that the answer rests on what may be undone. Then
    /// all that is certain is that nothing of it is stored.
    ///
    /// - Parameters:
    ///   - sessions: The session of each statement.
    ///   - unchanged: The positions of the statements whose answer says that they changed nothing.
    ///   - error: How the batch ended.
    static func errors(of sessions: [ULID?], unchanged: Set<Int>, after error: PipelineError) -> [PipelineError?] {
        var changed: Set<ULID?> = []
        return sessions.enumerated().map { position, session in
            guard error.mayBeStored, unchanged.contains(position) else {
                changed.insert(session)
                return error
            }
            return changed.contains(session) ? error.withoutChange : nil
        }
    }
}
#endif
