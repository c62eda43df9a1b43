#if SQLite
public import AgentSessions

/// How to open a SQLite store.
public struct SQLiteConfiguration: Sendable {
    /// When a commit is acknowledged: `PRAGMA synchronous`.
    public enum Synchronous: String, Sendable, CaseIterable {
        /// After the disk has it, and the directory too: ``DurabilityTier/powerLoss``.
        case extra
        /// After the disk has it: ``DurabilityTier/powerLoss``. The default.
        case full
        /// After the system has it: ``DurabilityTier/processCrash``. A loss of power may take the last commits, and
        /// never leaves a half of one.
        case normal
        /// After the system has it, with no sync at all: ``DurabilityTier/processCrash``. A loss of power may damage
        /// the file.
        case off
    }

    /// The database file. It is made where there is none, readable by its owner alone, unless it ``mustExist``.
    public var path: String
    /// When a commit is acknowledged.
    public var synchronous: Synchronous
    /// How long a change waits behind other changes of this store, and then for a lock that another process holds,
    /// before ``StoreError/Code/busy``. Behind other changes it waits 100 ms at least.
    public var busyTimeout: Duration
    /// Bytes of pages that the writer keeps in memory.
    public var cacheBytes: Int
    /// Bytes of pages that each reader keeps in memory.
    public var readerCacheBytes: Int
    /// Pages in the write-ahead log at which a commit moves them to the database.
    public var checkpointPages: Int
    /// Whether to bring an older store up to date on opening.
    public var migrationPolicy: MigrationPolicy
    /// Steps of the application's own, after those of this package.
    public var migrations: [Migration<SQLiteMigrationTarget>]
    /// The largest values that the store takes.
    public var limits: StoreLimits
    /// Whether to open only a store that is there, and make none.
    public var mustExist: Bool

    /// A store at `path` with the safe defaults.
    public init(path: String) {
        self.path = path
        synchronous = .full
        busyTimeout = .seconds(5)
        cacheBytes = 8 << 20
        readerCacheBytes = 16 << 20
        checkpointPages = 1000
        migrationPolicy = .apply
        migrations = []
        limits = .standard
        mustExist = false
    }

    /// What a store with this configuration promises.
    public var capabilities: StoreCapabilities {
        let durability: DurabilityTier =
            switch synchronous {
            case .extra, .full: .powerLoss
            case .normal, .off: .processCrash
            }
        return StoreCapabilities(
            durability: durability, scope: .many, limits: limits, abilities: [.reopen, .multipleInstances])
    }
}
#endif
