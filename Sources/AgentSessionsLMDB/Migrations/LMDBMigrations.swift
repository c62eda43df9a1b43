#if LMDB
public import AgentSessions
internal import CAgentSessionsLMDB

/// What a step of the migration chain works on: the environment, inside the migration's transaction.
public struct LMDBMigrationTarget {
    let transaction: OpaquePointer
    let environment: LMDBEnvironment

    /// Makes a named database with keys in the order of their bytes. One that is there stays as it is.
    ///
    /// - Parameter name: The name. An application's begins with a prefix of its own.
    /// - Throws: What LMDB reports; the migration is undone then.
    public func makeDatabase(_ name: String) throws(StoreError) {
        _ = try database(name, flags: MDB_CREATE)
    }

    /// The value under a key of a named database; `nil` where there is none.
    ///
    /// - Throws: What LMDB reports, `MDB_NOTFOUND` where there is no such database.
    public func value(for key: [UInt8], in name: String) throws(StoreError) -> [UInt8]? {
        let database = try database(name, flags: 0)
        var value = MDB_val()
        let code = key.withMDBValue { key in mdb_get(transaction, database, &key, &value) }
        guard code != MDB_NOTFOUND else { return nil }
        try check(code)
        return Array(UnsafeRawBufferPointer(value))
    }

    /// Stores a value under a key of a named database, in place of what is there.
    ///
    /// - Parameter key: 1 to 511 bytes.
    /// - Throws: What LMDB reports, `MDB_NOTFOUND` where there is no such database; the migration is undone then.
    public func put(_ value: [UInt8], for key: [UInt8], in name: String) throws(StoreError) {
        let database = try database(name, flags: 0)
        let code = key.withMDBValue { key in
            value.withMDBValue { value in mdb_put(transaction, database, &key, &value, 0) }
        }
        try check(code)
    }

    /// Removes a key and its value from a named database, where it is there.
    ///
    /// - Throws: What LMDB reports, `MDB_NOTFOUND` where there is no such database; the migration is undone then.
    public func remove(_ key: [UInt8], in name: String) throws(StoreError) {
        let database = try database(name, flags: 0)
        let code = key.withMDBValue { key in mdb_del(transaction, database, &key, nil) }
        if code != MDB_NOTFOUND { try check(code) }
    }

    /// The entries of a named database in order; none where there is no such database.
    func entries(in name: String, atMost limit: Int = .max) throws(StoreError) -> [(key: [UInt8], value: [UInt8])] {
        var database: MDB_dbi = 0
        var code = mdb_dbi_open(transaction, name, 0, &database)
        guard code != MDB_NOTFOUND else { return [] }
        try check(code)
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(transaction, database, &cursor))
        defer { mdb_cursor_close(cursor) }
        var entries: [(key: [UInt8], value: [UInt8])] = []
        var (key, value) = (MDB_val(), MDB_val())
        code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST)
        while code == MDB_SUCCESS, entries.count < limit {
            entries.append((Array(UnsafeRawBufferPointer(key)), Array(UnsafeRawBufferPointer(value))))
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
        }
        if code != MDB_NOTFOUND { try check(code) }
        return entries
    }

    func database(_ name: String, flags: Int32) throws(StoreError) -> MDB_dbi {
        var database: MDB_dbi = 0
        try check(mdb_dbi_open(transaction, name, UInt32(flags), &database))
        return database
    }

    private func check(_ code: Int32) throws(StoreError) {
        guard code == MDB_SUCCESS else { throw environment.error(code, while: .writing) }
    }
}

extension [UInt8] {
    /// Lends the bytes as LMDB takes them, which does not change what it is given.
    func withMDBValue<Result>(_ body: (inout MDB_val) -> Result) -> Result {
        withUnsafeBytes { bytes in
            var value = MDB_val(
                mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            return body(&value)
        }
    }
}

/// The steps of this package, for LMDB. The named databases are described in `docs/reference/lmdb_layout.md`.
enum LMDBMigrations {
    /// The names of the databases.
    enum Name {
        static let registry = "resource_registry"
        static let migrations = "schema_migrations"
        static let sessions = "sessions"
        static let messages = "session_messages"
        static let byActor = "sessions_by_actor_name"
        static let byCreation = "sessions_by_created_at"
        static let messageIDs = "session_messages_by_id"
    }

    static func chain(
        followedBy application: [Migration<LMDBMigrationTarget>]
    ) throws(StoreError) -> MigrationChain<LMDBMigrationTarget> {
        try MigrationChain([resourceRegistry, sessionPersistence] + application)
    }

    private static let resourceRegistry = Migration<LMDBMigrationTarget>(
        name: StoreFormat.Step.resourceRegistry, parent: nil, origin: .core
    ) { (target) throws(StoreError) in
        try target.makeDatabase(Name.registry)
        try target.makeDatabase(Name.migrations)
    }

    private static let sessionPersistence = Migration<LMDBMigrationTarget>(
        name: StoreFormat.Step.sessionPersistence, parent: StoreFormat.Step.resourceRegistry, origin: .core
    ) { (target) throws(StoreError) in
        for name in [Name.sessions, Name.messages, Name.byActor, Name.byCreation, Name.messageIDs] {
            try target.makeDatabase(name)
        }
    }
}
#endif
