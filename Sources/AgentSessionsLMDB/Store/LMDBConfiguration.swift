#if LMDB
public import AgentSessions

/// How to open an LMDB store.
public struct LMDBConfiguration: Sendable {
    /// When a commit is acknowledged.
    public enum Sync: String, Sendable, CaseIterable {
        /// After the disk has it: ``DurabilityTier/powerLoss``. The default. On macOS, where LMDB does not have the
        /// disk empty its cache, ``DurabilityTier/processCrash``.
        case full
        /// After the disk has the data, but not yet the page that makes it valid (`MDB_NOMETASYNC`):
        /// ``DurabilityTier/processCrash``. A loss of power may take the last commit, and never leaves a half of one.
        case nometa
        /// After the system has it (`MDB_NOSYNC`): ``DurabilityTier/processCrash``. A loss of power may damage the
        /// store.
        case none
    }

    /// The folder of the environment. It is made where there is none, readable by its owner alone, unless it
    /// ``mustExist``; the folder that it lies in must exist.
    public var path: String
    /// Bytes that the store may grow to. Address space is taken for them as they are needed, disk space as they are
    /// used.
    public var mapSize: Int
    /// Bytes of address space that a new store begins with. The map doubles whenever it is full, up to ``mapSize``.
    public var initialMapSize: Int
    /// When a commit is acknowledged.
    public var sync: Sync
    /// Read transactions at one moment, of all processes together. The first process to open the environment decides.
    public var maxReaders: Int
    /// How long a change waits behind other changes of this store, and then for a lock that another writer holds,
    /// before ``StoreError/Code/busy``. Behind other changes it waits 100 ms at least.
    public var busyTimeout: Duration
    /// Whether to bring an older store up to date on opening.
    public var migrationPolicy: MigrationPolicy
    /// Steps of the application's own, after those of this package.
    public var migrations: [Migration<LMDBMigrationTarget>]
    /// The largest values that the store takes.
    public var limits: StoreLimits
    /// Whether to open only a store that is there, and make none.
    public var mustExist: Bool

    /// A store at `path` with the safe defaults.
    public init(path: String) {
        self.path = path
        mapSize = 1 << 40
        initialMapSize = 256 << 20
        sync = .full
        maxReaders = 512
        busyTimeout = .seconds(5)
        migrationPolicy = .apply
        migrations = []
        limits = .standard
        mustExist = false
    }

    /// What a store with this configuration promises.
    public var capabilities: StoreCapabilities {
        StoreCapabilities(
            durability: sync == .full ? Self.mostDurability : .processCrash, scope: Self.scope, limits: limits,
            abilities: [.reopen, .multipleInstances])
    }

    // On macOS, LMDB calls `fsync`, which leaves the cache of the disk as it is, and keeps writers apart by semaphores,
    // which a process that is killed while it writes never gives back to others.
    #if canImport(Darwin)
    private static let (mostDurability, scope) = (DurabilityTier.processCrash, ProcessScope.one)
    #else
    private static let (mostDurability, scope) = (DurabilityTier.powerLoss, ProcessScope.many)
    #endif
}
#endif
