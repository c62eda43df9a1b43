#if Postgres
internal import AgentSessions

/// Runs operations in shared transactions: one round trip, and for changes one wait for the disk, however many there
/// are. Nobody is answered here.
///
/// The server commits the statements of a round trip together. A statement that it refuses undoes them all: that one has
/// its error, and the others are run again without it. Where it refuses to commit them, each is run again by itself.
enum OperationGroup {
    /// Runs all operations, and leaves an outcome with each, save those that would have kept the others waiting.
    ///
    /// - Returns: Those whose session somebody else has locked; nothing of them is stored. They are for
    ///   ``runPatiently(_:on:)``.
    static func run(_ operations: [PendingOperation], on connection: PostgresConnection) -> [PendingOperation] {
        var locked: [PendingOperation] = []
        run(operations, on: connection, patience: .brief) { operation, _ in locked.append(operation) }
        return locked
    }

    /// Runs operations that have to wait for a lock, for as long as a lock may be waited for; leaves an outcome with
    /// each.
    static func runPatiently(_ operations: [PendingOperation], on connection: PostgresConnection) {
        run(operations, on: connection, patience: .whole) { operation, failure in operation.fail(failure) }
    }

    private static func run(
        _ operations: [PendingOperation], on connection: PostgresConnection, patience: LockPatience,
        whenLocked: (PendingOperation, UnitFailure) -> Void
    ) {
        var rest = operations
        var patience = patience
        while !rest.isEmpty {
            do throws(UnitFailure) {
                return try connection.run(rest.map(\.command), patience: patience) { position, result in
                    rest[position].receive(result)
                }
            } catch .refused(let position, let error) where rest.indices.contains(position) && !error.isFatal {
                let failure = UnitFailure.refused(position: 0, error)
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
                // Refused alone, or the connection is gone: the same holds for all.
                for operation in rest { operation.fail(error) }
                return
            }
        }
    }
}
#endif
