#if Postgres
/// Runs operations in shared transactions: one round trip, and for changes one wait for the disk, however many there
/// are.
enum OperationGroup {
    /// Runs all operations, and leaves an outcome with each. Nobody is answered yet.
    ///
    /// The server commits the statements of a round trip together. A statement that it refuses undoes them all: that
    /// one has its error, and the others are run again without it.
    static func run(_ operations: [PendingOperation], on connection: PostgresConnection) {
        var rest = operations
        while !rest.isEmpty {
            do throws(UnitFailure) {
                return try connection.run(rest.map(\.command)) { position, result in rest[position].receive(result) }
            } catch .refused(let position, let error) where rest.indices.contains(position) && !error.isFatal {
                rest.remove(at: position).fail(.refused(position: 0, error))
            } catch {
                // Refused as a whole, or the connection is gone: the same holds for all.
                for operation in rest { operation.fail(error) }
                return
            }
        }
    }
}
#endif
