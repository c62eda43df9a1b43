#if LMDB
package import AgentSessions
internal import CAgentSessionsLMDB

/// Brings an environment up to date.
struct LMDBMigrator: Migrator {
    let environment: LMDBEnvironment
    let lock: WriterLock
    let chain: MigrationChain<LMDBMigrationTarget>

    func read<Result>(_ body: (LMDBMigrationTarget) throws(StoreError) -> Result) throws(StoreError) -> Result {
        try inTransaction(isReader: true, body)
    }

    func write(_ body: (inout LMDBMigrationTarget) throws(StoreError) -> Void) throws(StoreError) {
        try lock.acquire()
        defer { lock.release() }
        // Each round has a map twice as large.
        for _ in 0..<64 {
            var size = 0
            do throws(StoreError) {
                return try inTransaction(isReader: false) { (target) throws(StoreError) in
                    size = environment.info.me_mapsize
                    var target = target
                    try body(&target)
                }
            } catch  where error.nativeCode == "MDB_MAP_FULL" {
                let growing = environment.mapFull(at: size)
                guard growing.isGrowingMap else { throw growing }
                environment.grow()
            }
        }
    }

    func storeNotFound() -> StoreError { EnvironmentFolder.storeNotFound(environment.path) }

    /// Opens the named databases of a store that is up to date.
    func openDatabases() throws(StoreError) -> Databases {
        typealias Name = LMDBMigrations.Name
        return try read { (target) throws(StoreError) in
            Databases(
                sessions: try target.database(Name.sessions, flags: 0),
                messages: try target.database(Name.messages, flags: 0),
                byActor: try target.database(Name.byActor, flags: 0),
                byCreation: try target.database(Name.byCreation, flags: 0),
                messageIDs: try target.database(Name.messageIDs, flags: 0),
                registry: try target.database(Name.registry, flags: 0))
        }
    }

    /// Runs `body` in a transaction, and commits: that also keeps the named databases open that it opened.
    private func inTransaction<Success>(
        isReader: Bool, _ body: (LMDBMigrationTarget) throws(StoreError) -> Success
    ) throws(StoreError) -> Success {
        let state = TransactionState(environment, Databases(), isReader: isReader)
        try environment.begin(state, isInside: false, while: .opening)
        defer {
            state.abort()
            environment.gate.leave()
        }
        let result = try body(try state.migrationTarget())
        let code = state.commit()
        guard code == MDB_SUCCESS else {
            throw environment.error(environment.meaning(ofCommit: code), while: .committing)
        }
        return result
    }
}

extension LMDBMigrationTarget: MigrationTarget {
    package func formatVersion() throws(StoreError) -> Int? {
        guard let record = try entries(in: LMDBMigrations.Name.registry, atMost: 1).first else {
            try requireEmpty()
            return nil
        }
        guard record.key == StoreRecord.key else {
            throw .damaged("The record of the store", "it stands under another key")
        }
        return try StoreRecord(record.value).formatVersion
    }

    private func requireEmpty() throws(StoreError) {
        var stat = MDB_stat()
        mdb_stat(transaction, 1, &stat)
        guard stat.ms_entries == 0 else {
            throw EnvironmentFolder.unusable(
                environment.path,
                "it is an LMDB environment of another application. It was left untouched. Name a folder that is "
                    + "empty or new")
        }
    }

    package func recordedMigrations() throws(StoreError) -> [AppliedMigration] {
        var applied: [AppliedMigration] = []
        for entry in try entries(in: LMDBMigrations.Name.migrations) {
            applied.append(try MigrationRecord.read(entry.value, number: applied.count + 1))
        }
        return applied
    }

    package func keep(_ record: StoreRecord) throws(StoreError) {
        try put(record.bytes, for: StoreRecord.key, in: LMDBMigrations.Name.registry)
        // Before there is a store to write to, so that no change of it outlives the names of its files.
        try EnvironmentFolder.sync(environment.path)
    }

    package func keep(_ migration: AppliedMigration, parent: String?, number: Int) throws(StoreError) {
        try put(
            MigrationRecord.bytes(migration, parent: parent), for: MigrationRecord.key(number),
            in: LMDBMigrations.Name.migrations)
    }
}
#endif
