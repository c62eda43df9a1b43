#if Postgres
internal import AgentSessions

/// Runs operations in shared transactions: one round trip, and for changes one wait for the disk, however many there
/// are. Nobody is answered here.
///
/// The server commits the statements of a round trip together. A statement that it refuses undoes them all: that one has
/// its error, and the others are run again without it. Where it refuses to commit them, each is run again by itself.
enum StatementBatch {
    /// Runs all operations, and leaves an outcome with each, save those that would have kept the others waiting.
    ///
    /// - Parameter areSent: Whether ``start(_:on:)`` has sent them, so that only their answers are taken in.
    /// - Returns: Those whose session somebody else has locked; nothing of them is stored. They are for
    ///   ``runPatiently(_:on:)``.
    static func run(
        _ operations: [QueuedStatement], on connection: PostgresConnection, areSent: Bool
    ) -> [QueuedStatement] {
        var locked: [QueuedStatement] = []
        run(operations, on: connection, patience: .brief, areSent: areSent) { operation, _ in locked.append(operation) }
        return locked
    }

    /// Sends operations without waiting for anything, if the connection knows their statements.
    ///
    /// - Returns: Whether they were sent.
    static func start(_ operations: [QueuedStatement], on connection: PostgresConnection) -> Bool {
        let commands = operations.map(\.command)
        guard connection.hasPrepared(commands) else { return false }
        do throws(PipelineError) {
            try connection.start(commands, patience: .brief)
            return true
        } catch {
            // The connection is broken, as the next to use it finds.
            return false
        }
    }

    /// Takes in the answer to one operation that was sent, if it comes soon.
    ///
    /// - Returns: Whether the operation has its outcome. Where it does not, ``run(_:on:areSent:)`` is next.
    static func finish(_ operation: QueuedStatement, on connection: PostgresConnection, within bound: Duration) -> Bool
    {
        do throws(PipelineError) {
            return try connection.finish(within: bound) { _, result in operation.receive(result) }
        } catch {
            operation.fail(error)
            return true
        }
    }

    /// Runs operations that have to wait for a lock, for as long as a lock may be waited for; leaves an outcome with
    /// each.
    static func runPatiently(_ operations: [QueuedStatement], on connection: PostgresConnection) {
        run(operations, on: connection, patience: .whole) { operation, failure in operation.fail(failure) }
    }

    private static func run(
        _ operations: [QueuedStatement], on connection: PostgresConnection, patience: LockPatience,
        areSent: Bool = false, whenLocked: (QueuedStatement, PipelineError) -> Void
    ) {
        var rest = operations
        var patience = patience
        var areSent = areSent
        while !rest.isEmpty {
            var unchanged: Set<Int> = []
            do throws(PipelineError) {
                if !areSent { try connection.start(rest.map(\.command), patience: patience) }
                areSent = false
                _ = try connection.finish { position, result in
                    rest[position].receive(result)
                    if result.count == 0 { unchanged.insert(position) }
                }
                return
            } catch .refused(let position, let error) where rest.indices.contains(position) && !error.isFatal {
                let failure = PipelineError.refused(position: 0, error)
                guard error.isLockTimeout else {
                    rest.remove(at: position).fail(failure)
                    continue
                }
                // The time has passed for all of them; and who changes the same session waits for the same lock.
                patience = .brief
                let session = rest[position].session
                for operation in rest where operation.session == session { whenLocked(operation, failure) }
                rest.removeAll { $0.session == session }
            } catch .refused(_, let error) where rest.count > 1 && !error.isFatal {
                for operation in rest {
                    run([operation], on: connection, patience: patience, whenLocked: whenLocked)
                }
                return
            } catch {
                // Refused alone, or the connection is gone.
                let failures = Self.failures(of: rest.map(\.session), unchanged: unchanged, after: error)
                for (operation, failure) in zip(rest, failures) {
                    if let failure { operation.fail(failure) }
                }
                return
            }
        }
    }

    /// What the members of a group hear when it ends in a failure that is nobody's own; `nil` for who keeps the answer
    /// that it has.
    ///
    /// Where the group may be stored, a member whose statement changed nothing has no part in that: it was refused by a
    /// rule. Its answer stands, unless the group has changed the same session before, so that the answer rests on what may
    /// be undone. Then all that is certain is that nothing of it is stored.
    ///
    /// - Parameters:
    ///   - sessions: The session of each member.
    ///   - unchanged: The positions of the members whose answer says that they changed nothing.
    ///   - failure: How the group ended.
    static func failures(of sessions: [ULID?], unchanged: Set<Int>, after failure: PipelineError) -> [PipelineError?] {
        var changed: Set<ULID?> = []
        return sessions.enumerated().map { position, session in
            guard failure.mayBeStored, unchanged.contains(position) else {
                changed.insert(session)
                return failure
            }
            return changed.contains(session) ? failure.withoutChange : nil
        }
    }
}
#endif
