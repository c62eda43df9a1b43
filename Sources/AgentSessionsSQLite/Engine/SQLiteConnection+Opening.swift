#if SQLite
internal import AgentSessions
internal import AgentSessionsThreads

extension SQLiteConnection {
    private static let pageSize = 4096

    /// A connection that writes: the file exists, is this package's and not newer than the build, keeps a write-ahead
    /// log, and is up to date.
    static func writer(_ configuration: SQLiteConfiguration) throws(StoreError) -> SQLiteConnection {
        try SQLiteVersion.loaded.check()
        let chain = try SQLiteMigrations.chain(followedBy: configuration.migrations)
        try DatabaseFile.prepare(configuration.path, mustExist: configuration.mustExist)
        let connection = try SQLiteConnection(path: configuration.path, busyTimeout: configuration.busyTimeout)
        let migrator = SQLiteMigrator(connection: connection, chain: chain)
        // Before anything is changed: a file that is no database, or a newer store, is left as it is.
        let isBehind = try migrator.isBehind(configuration.migrationPolicy, mustExist: configuration.mustExist)
        try connection.execute("PRAGMA page_size = \(pageSize)")
        try connection.keepWriteAheadLog(busyTimeout: configuration.busyTimeout)
        try connection.set(
            "synchronous", to: configuration.synchronous.rawValue, expecting: configuration.synchronous.level)
        try connection.configure(configuration, cacheBytes: configuration.cacheBytes)
        try connection.execute("PRAGMA wal_autocheckpoint = \(configuration.checkpointPages)")
        connection.activity = .writing
        if isBehind { try migrator.applyPending(configuration.migrationPolicy) }
        return connection
    }

    /// A connection that reads. Opened after the writer, so the file is there and as it should be.
    ///
    /// - Parameter files: The files that the writer has open. It is these that are read.
    static func reader(
        _ configuration: SQLiteConfiguration, of files: OpenFiles? = nil
    ) throws(StoreError) -> SQLiteConnection {
        // First of all, as SQLite makes a log where it finds none.
        try files?.requireInPlace()
        let path = files?.path ?? configuration.path
        let connection = try SQLiteConnection(path: path, busyTimeout: configuration.busyTimeout)
        if let files { try connection.requireFiles(files) }
        try connection.configure(configuration, cacheBytes: configuration.readerCacheBytes)
        try connection.execute("PRAGMA query_only = ON")
        connection.activity = .reading
        connection.boundInlineWork()
        return connection
    }

    /// Keeps the log at a length from which it can be told when it should be emptied.
    func boundLog(_ configuration: SQLiteConfiguration) throws(StoreError) -> LogBound {
        let pageSize = try text(of: "PRAGMA page_size").flatMap { Int($0) } ?? Self.pageSize
        let bound = LogBound(
            pages: configuration.checkpointPages, pageSize: pageSize, busyTimeout: configuration.busyTimeout)
        try execute("PRAGMA journal_size_limit = \(bound.keptBytes)")
        return bound
    }

    private func configure(_ configuration: SQLiteConfiguration, cacheBytes: Int) throws(StoreError) {
        try set("foreign_keys", to: "ON", expecting: "1")
        // macOS has a request of its own that has the disk empty its cache; elsewhere this changes nothing. On readers,
        // too: the last to close moves the log into the database.
        let isFull = configuration.capabilities.durability == .powerLoss
        try set("fullfsync", to: isFull ? "ON" : "OFF", expecting: isFull ? "1" : "0")
        try execute("PRAGMA cache_size = -\(cacheBytes / 1024); PRAGMA temp_store = MEMORY")
    }

    /// Switches the file to a write-ahead log, which it then keeps.
    ///
    /// SQLite does not call the busy handler for this switch, so several processes that make a store at the same
    /// moment have to wait here.
    private func keepWriteAheadLog(busyTimeout: Duration) throws(StoreError) {
        let clock = ContinuousClock()
        let deadline = clock.now + busyTimeout
        while true {
            do throws(StoreError) {
                return try set("journal_mode", to: "WAL", expecting: "wal")
            } catch  where error.code == .busy && clock.now < deadline {
                WorkerThread.pause(.milliseconds(5))
            }
        }
    }

    /// Sets a pragma and reads it back, as SQLite ignores what it does not like.
    private func set(_ pragma: String, to value: String, expecting expected: String) throws(StoreError) {
        try execute("PRAGMA \(pragma) = \(value)")
        let actual = try text(of: "PRAGMA \(pragma)")
        guard actual == expected else {
            throw StoreError(
                .unavailable,
                "The database \(quoted(path, limit: 200)) does not take \(pragma) = \(value): it stays "
                    + "\(actual ?? "unset"). A write-ahead log needs a local file system that can share memory.",
                backend: SQLiteBackend.name)
        }
    }
}

extension SQLiteConfiguration.Synchronous {
    /// What SQLite reports for the setting.
    var level: String {
        switch self {
        case .off: "0"
        case .normal: "1"
        case .full: "2"
        case .extra: "3"
        }
    }
}
#endif
