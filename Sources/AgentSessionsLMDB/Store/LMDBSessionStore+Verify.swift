#if LMDB
public import AgentSessions
internal import CAgentSessionsLMDB

extension LMDBSessionStore {
    /// The folder, however its path is written.
    public func identity() async throws(StoreError) -> StoreIdentity? {
        // Throws where the store was closed.
        _ = try await read { _ throws(StoreError) in true }
        return FileIdentity(at: configuration.path)?.store(of: backendName)
    }

    /// Walks over every named database, and looks for what belongs to each entry in the others.
    ///
    /// An entry and what belongs to it are looked up in one transaction, and after some of them the next one begins: so
    /// old pages are reused and the map can grow while the walk goes on.
    public func engineChecks() async throws(StoreError) -> [VerificationCheck] {
        var checks: [VerificationCheck] = []
        for walk in DatabaseWalk.all {
            var position: [UInt8]?
            var check = VerificationCheck(walk.name, walk.summary)
            repeat {
                guard !Task.isCancelled else {
                    throw StoreError(.cancelled, "The verification was cancelled.", backend: backendName)
                }
                (check, position) = try await readOnThread { [check, position] (transaction) throws(StoreError) in
                    try walk.run(transaction, check, after: position)
                }
            } while position != nil
            checks.append(check)
        }
        return checks
    }
}

/// A walk over one named database.
struct DatabaseWalk: Sendable {
    /// Looks at an entry, and gives what is wrong with it. The bytes are valid until it returns.
    typealias Visit =
        @Sendable (
            _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ transaction: LMDBTransaction
        ) throws(StoreError) -> VerificationProblem?

    /// Entries in one transaction: some milliseconds of work.
    private static let entriesAtOnce = 4096

    let name: String
    let summary: String
    let database: @Sendable (Databases) -> MDB_dbi
    let visit: Visit

    /// Looks at the entries after a key, as many as are looked at in one transaction.
    ///
    /// - Returns: The check so far, and the key to go on after; `nil` at the end.
    func run(
        _ transaction: LMDBTransaction, _ check: VerificationCheck, after position: [UInt8]?
    ) throws(StoreError) -> (VerificationCheck, position: [UInt8]?) {
        var check = check
        do throws(StoreError) {
            let next = try walk(transaction, &check, after: position)
            return (check, next)
        } catch {
            // LMDB's own pages are damaged, so that there is no way on.
            guard error.code == .corrupt else { throw error }
            check.record(VerificationProblem(.engine, error.message))
            return (check, nil)
        }
    }

    private func walk(
        _ transaction: LMDBTransaction, _ check: inout VerificationCheck, after position: [UInt8]?
    ) throws(StoreError) -> [UInt8]? {
        let state = transaction.state
        var opened: OpaquePointer?
        try state.check(mdb_cursor_open(state.transaction, database(state.databases), &opened))
        guard let cursor = opened else { throw state.environment.error(MDB_BAD_TXN, while: .reading) }
        defer { mdb_cursor_close(cursor) }
        var (key, value) = (MDB_val(), MDB_val())
        var code = Self.move(cursor, behind: position, &key, &value)
        var count = 0
        while code == MDB_SUCCESS {
            let name = UnsafeRawBufferPointer(key)
            check.examined += 1
            do throws(StoreError) {
                if let problem = try visit(name, UnsafeRawBufferPointer(value), transaction) { check.record(problem) }
            } catch {
                // A record that the entry leads to cannot be read.
                guard error.code == .corrupt else { throw error }
                check.record(VerificationProblem(.undecodable, error.message))
            }
            count += 1
            if count == Self.entriesAtOnce { return Array(name) }
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
        }
        try state.checkEnd(code)
        return nil
    }

    /// Moves to the first entry after a key, which may be there no more.
    private static func move(
        _ cursor: OpaquePointer, behind position: [UInt8]?, _ key: inout MDB_val, _ value: inout MDB_val
    ) -> Int32 {
        guard let position else { return mdb_cursor_get(cursor, &key, &value, MDB_FIRST) }
        var found = MDB_val()
        let code = position.withMDBValue { start in
            let code = mdb_cursor_get(cursor, &start, &value, MDB_SET_RANGE)
            found = start
            return code
        }
        // What LMDB found lies in the map, and outlives the bytes that were looked for.
        key = found
        guard code == MDB_SUCCESS, UnsafeRawBufferPointer(found).elementsEqual(position) else { return code }
        return mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
    }
}
#endif
