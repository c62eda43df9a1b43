#if LMDB
internal import AgentSessions
internal import CAgentSessionsLMDB

/// Brings an environment up to date, once, however many processes open it at the same moment.
struct LMDBMigrator {
    private typealias Name = LMDBMigrations.Name

    let environment: LMDBEnvironment
    let lock: WriterLock

    /// Applies what is missing, and opens the named databases.
    ///
    /// The look and the change are one transaction, so that of several openers one does it.
    func bringUpToDate(_ configuration: LMDBConfiguration) throws(StoreError) -> Databases {
        let chain = try LMDBMigrations.chain(followedBy: configuration.migrations)
        let policy = configuration.migrationPolicy
        // First in a read transaction: what is not ours, and a newer store, is left as it is.
        let isPending = try inTransaction(isReader: true) { (target) throws(StoreError) in
            let applied = try Self.applied(in: target)
            if configuration.mustExist, policy != .inspect, applied.isEmpty {
                throw EnvironmentFolder.storeNotFound(configuration.path)
            }
            return try !chain.pending(after: applied, policy: policy).isEmpty
        }
        if isPending {
            try lock.acquire()
            defer { lock.release() }
            try migrate(chain, policy)
        }
        return try inTransaction(isReader: true) { (target) throws(StoreError) in
            Databases(
                sessions: try target.database(Name.sessions, flags: 0),
                messages: try target.database(Name.messages, flags: 0),
                byActor: try target.database(Name.byActor, flags: 0),
                byCreation: try target.database(Name.byCreation, flags: 0),
                messageIDs: try target.database(Name.messageIDs, flags: 0),
                registry: try target.database(Name.registry, flags: 0))
        }
    }

    /// The steps that the environment has, in the order of their application.
    ///
    /// - Throws: ``StoreError/Code/newerStore`` where its format is newer than this build's;
    ///   ``StoreError/Code/unavailable`` where it is another application's.
    static func applied(in target: LMDBMigrationTarget) throws(StoreError) -> [AppliedMigration] {
        guard let record = try target.entries(in: Name.registry, atMost: 1).first else {
            try requireEmpty(target)
            return []
        }
        guard record.key == RegistryRecord.key else {
            throw .damaged("The record of the store", "it stands under another key")
        }
        _ = try RegistryRecord(record.value)
        var applied: [AppliedMigration] = []
        for entry in try target.entries(in: Name.migrations) {
            applied.append(try MigrationRecord.read(entry.value, number: applied.count + 1))
        }
        return applied
    }

    private static func requireEmpty(_ target: LMDBMigrationTarget) throws(StoreError) {
        var stat = MDB_stat()
        mdb_stat(target.transaction, 1, &stat)
        guard stat.ms_entries == 0 else {
            throw EnvironmentFolder.unusable(
                target.environment.path,
                "it is an LMDB environment of another application. It was left untouched. Name a folder that is "
                    + "empty or new")
        }
    }

    private func migrate(
        _ chain: MigrationChain<LMDBMigrationTarget>, _ policy: MigrationPolicy
    ) throws(StoreError) {
        // Each round has a map twice as large.
        for _ in 0..<64 {
            var size = 0
            do throws(StoreError) {
                return try inTransaction(isReader: false) { (target) throws(StoreError) in
                    size = environment.info.me_mapsize
                    let applied = try Self.applied(in: target)
                    var number = applied.count
                    for step in try chain.pending(after: applied, policy: policy) {
                        number += 1
                        try Self.apply(step, number: number, to: target)
                    }
                    // Before there is a store to write to, so that no change of it outlives the names of its files.
                    if applied.isEmpty { try EnvironmentFolder.sync(environment.path) }
                }
            } catch  where error.nativeCode == "MDB_MAP_FULL" {
                let growing = environment.mapFull(at: size)
                guard growing.isGrowingMap else { throw growing }
                environment.grow()
            }
        }
    }

    private static func apply(
        _ step: Migration<LMDBMigrationTarget>, number: Int, to target: LMDBMigrationTarget
    ) throws(StoreError) {
        var target = target
        try step.apply(&target)
        let now = Timestamp.now()
        if step.parent == nil {
            let registry = RegistryRecord(
                formatVersion: StoreFormat.version, storeID: try ULIDGenerator.shared.next(), createdAt: now,
                build: BuildInfo.writer)
            try target.put(registry.bytes, for: RegistryRecord.key, in: Name.registry)
        }
        let record = AppliedMigration(
            name: step.name, origin: step.origin, appliedAt: now, build: BuildInfo.writer)
        try target.put(
            MigrationRecord.bytes(record, parent: step.parent), for: MigrationRecord.key(number),
            in: Name.migrations)
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
#endif
