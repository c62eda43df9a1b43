#if LMDB
internal import AgentSessions
internal import CAgentSessionsLMDB
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// An open environment of LMDB: one in a process, shared by all stores on the same folder.
///
/// `@unchecked Sendable`: LMDB's handle may be used by many threads at once, save for a change of the map's size and
/// the closing, both of which ``gate`` keeps apart from everything else.
final class LMDBEnvironment: @unchecked Sendable {
    /// Databases that the environment may hold, those of applications' migrations included.
    private static let maximumDatabases: MDB_dbi = 64

    let handle: OpaquePointer
    let path: String
    let sync: LMDBConfiguration.Sync
    let gate = MapResizeGate()
    /// The files that are open.
    let files: OpenFiles

    private struct Growth {
        /// Bytes that the map may grow to.
        var limit: Int
        /// Why the map did not grow when it should have.
        var failure: StoreError?
    }

    private let growth: Mutex<Growth>
    private let maps = Atomic<Int>(0)
    private let busyTimeout: Duration
    private let generation: Int

    /// Opens the environment in a folder, making it where there is none.
    init(_ folder: EnvironmentFolder, _ configuration: LMDBConfiguration) throws(StoreError) {
        path = folder.path
        sync = configuration.sync
        busyTimeout = configuration.busyTimeout
        growth = Mutex(Growth(limit: configuration.mapSize))
        generation = ForkGuard.install()
        (handle, files) = try WriterLock.withQueueLock(path: folder.path, timeout: configuration.busyTimeout) {
            () throws(StoreError) in
            try folder.discardUnfinishedData()
            let handle = try Self.open(folder, configuration)
            do throws(StoreError) {
                return (handle, try Self.files(of: handle, in: folder))
            } catch {
                mdb_env_close(handle)
                throw error
            }
        }
        clearStaleReaders()
        let initial = min(configuration.initialMapSize, configuration.mapSize)
        if info.me_mapsize < initial { try resize(to: initial) }
    }

    private static func open(
        _ folder: EnvironmentFolder, _ configuration: LMDBConfiguration
    ) throws(StoreError) -> OpaquePointer {
        var made: OpaquePointer?
        var code = mdb_env_create(&made)
        guard code == MDB_SUCCESS, let handle = made else {
            throw StoreError(lmdb: code, while: .opening, path: folder.path)
        }
        code = mdb_env_set_maxdbs(handle, maximumDatabases)
        if code == MDB_SUCCESS { code = mdb_env_set_maxreaders(handle, UInt32(clamping: configuration.maxReaders)) }
        // An existing environment records how large its map has to be.
        if code == MDB_SUCCESS, !folder.hasData {
            code = mdb_env_set_mapsize(handle, min(configuration.initialMapSize, configuration.mapSize))
        }
        if code == MDB_SUCCESS { code = folder.reserveLockFile(readers: configuration.maxReaders) }
        if code == MDB_SUCCESS {
            let flags = UInt32(MDB_NOTLS) | configuration.sync.flags
            code = mdb_env_open(handle, folder.path, flags, S_IRUSR | S_IWUSR)
        }
        guard code == MDB_SUCCESS else {
            // LMDB wants this also after mdb_env_open has failed.
            mdb_env_close(handle)
            throw StoreError(lmdb: code, while: .opening, path: folder.path)
        }
        return handle
    }

    /// The files that LMDB has opened in the folder.
    private static func files(of handle: OpaquePointer, in folder: EnvironmentFolder) throws(StoreError) -> OpenFiles {
        // Absolute, so that they are found after the process has changed its directory.
        let place = resolvedPath(folder.path)
        let data = "\(place)/\(EnvironmentFolder.dataFile)"
        let files = try OpenFiles(
            data: [data], others: ["\(place)/\(EnvironmentFolder.lockFile)"], backend: LMDBBackend.name)
        var descriptor: Int32 = -1
        mdb_env_get_fd(handle, &descriptor)
        guard FileIdentity(of: descriptor) == FileIdentity(at: data) else {
            throw EnvironmentFolder.unusable(
                folder.path, "its \(EnvironmentFolder.dataFile) was replaced while it was being opened. Open it again")
        }
        return files
    }

    /// Waits for the transactions under way, and lets go of the environment. Called once, last.
    func close() {
        // In a child, the files and the memory are still the parent's.
        guard !isForked else { return }
        for state in gate.close() { state.abort() }
        mdb_env_close(handle)
    }

    // MARK: State

    /// Whether this process is a child of the one that opened the environment.
    var isForked: Bool { ForkGuard.generation != generation }

    /// - Throws: ``StoreError/Code/closed`` in a child of the process that opened the environment.
    @inline(__always)
    func requireSameProcess() throws(StoreError) {
        if isForked { throw .usedAfterFork }
    }

    /// What LMDB reports of the environment. Read where the map cannot change: inside a transaction, or while opening.
    var info: MDB_envinfo {
        var info = MDB_envinfo()
        mdb_env_info(handle, &info)
        return info
    }

    /// What a code that a commit failed with means.
    ///
    /// LMDB reports a disk that became full in the middle of a commit as one that failed. The page that makes a commit
    /// valid is written after all others, so nothing was committed.
    func meaning(ofCommit code: Int32) -> Int32 {
        code == EIO && isDiskFull ? ENOSPC : code
    }

    /// Whether the disk has no more room than file systems keep for themselves.
    private var isDiskFull: Bool {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return false }
        let blocksOfSpare = (1 << 20) / max(1, UInt64(status.f_frsize))
        return UInt64(status.f_bavail) < blocksOfSpare
    }

    func error(_ code: Int32, while activity: EngineActivity) -> StoreError {
        StoreError(lmdb: code, while: activity, path: path)
    }

    // MARK: The size of the map

    /// The number of the map, which grows with each change of its size.
    var mapNumber: Int { maps.load(ordering: .relaxed) }

    /// Bytes that the map may grow by above its limit where something is removed. Even that needs room: pages are never
    /// changed in place.
    private static let reserve = 4 << 20

    /// Raises the size that the map may grow to.
    func raiseLimit(to size: Int) {
        growth.withLock { growth in
            if size > growth.limit { growth = Growth(limit: size) }
        }
    }

    /// Bytes that the map may grow to.
    var sizeLimit: Int { growth.withLock { $0.limit } }

    /// The error of a change that found the map full. Where the map can grow, it makes the store run the change again.
    ///
    /// - Parameters:
    ///   - size: The size that was too small.
    ///   - isRemoval: Whether the change removes something and adds nothing.
    func mapFull(at size: Int, isRemoval: Bool = false) -> StoreError {
        growth.withLock { growth in
            if let failure = growth.failure { return failure }
            return size < Self.limit(growth, isRemoval) ? .mapGrows : .mapCannotGrow(path, size: size)
        }
    }

    private static func limit(_ growth: Growth, _ isRemoval: Bool) -> Int {
        // The limit is at most 32 TiB, by the bounds of its setting; a caller of the library may give more.
        isRemoval ? growth.limit.addingReportingOverflow(reserve).partialValue : growth.limit
    }

    /// Doubles the map. Called by a writer that holds the write lock and has no transaction.
    ///
    /// Where that fails, ``mapFull(at:)`` gives the failure to the changes that need the room.
    func grow(isRemoval: Bool = false) {
        // Pages that dead readers keep are room as well.
        clearStaleReaders()
        let limit = growth.withLock { Self.limit($0, isRemoval) }
        do throws(StoreError) {
            try gate.exclusively(within: busyTimeout) { () throws(StoreError) in
                let size = info.me_mapsize
                let (doubled, overflow) = size.multipliedReportingOverflow(by: 2)
                if size < limit { try resize(to: overflow ? limit : min(doubled, limit)) }
            }
            growth.withLock { $0.failure = nil }
        } catch {
            growth.withLock { $0.failure = error }
        }
    }

    /// Takes over the size that another process has given the map.
    func adoptSize() throws(StoreError) {
        try gate.exclusively(within: busyTimeout) { () throws(StoreError) in try resize(to: 0) }
    }

    /// - Parameter size: Bytes, or 0 for the size that the environment records. No transaction is active.
    private func resize(to size: Int) throws(StoreError) {
        // LMDB unmaps the map before it maps it anew. Where that fails the environment is lost, so ask first.
        guard Self.hasAddressSpace(size) else { throw error(ENOMEM, while: .writing) }
        maps.add(1, ordering: .relaxed)
        let code = mdb_env_set_mapsize(handle, size)
        guard code == MDB_SUCCESS else {
            let failure = error(code, while: .writing)
            gate.fail(failure)
            throw failure
        }
    }

    private static func hasAddressSpace(_ size: Int) -> Bool {
        guard size > 0 else { return true }
        #if canImport(Darwin)
        let flags = MAP_PRIVATE | MAP_ANON | MAP_NORESERVE
        #else
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        #endif
        // Never touched, and unmapped at once.
        let probe = mmap(nil, size, PROT_NONE, flags, -1, 0)
        guard let probe, probe != MAP_FAILED else { return false }
        munmap(probe, size)
        return true
    }
}

// MARK: - Transactions

extension LMDBEnvironment {
    /// A read transaction, waited for where the map changes. Not on a thread of Swift's pool.
    ///
    /// - Throws: ``StoreError/Code/busy`` where every reader of the environment is in use.
    func beginRead(_ databases: Databases) throws(StoreError) -> TransactionState {
        if let kept = try gate.enterIdle() {
            try begin(kept, isInside: true, while: .reading)
            return kept
        }
        let state = TransactionState(self, databases, isReader: true)
        try begin(state, isInside: false, while: .reading)
        return state
    }

    /// Ends a read transaction, and keeps it for the next read.
    func endRead(_ state: TransactionState) {
        state.reset()
        guard !gate.leave(keeping: state) else { return }
        state.abort()
        gate.leave()
    }

    /// Frees what readers of dead processes hold: their places in the table, and the old pages that they read.
    func clearStaleReaders() {
        var dead: Int32 = 0
        mdb_reader_check(handle, &dead)
    }

    /// Begins a write transaction. The caller holds the write lock.
    func beginWrite(_ state: TransactionState) throws(StoreError) {
        try begin(state, isInside: false, while: .writing)
    }

    /// Enters the gate and begins a transaction. Frees the places of dead readers, and adopts the size of a resized
    /// map, where that is needed. Where it throws, the caller is outside the gate.
    func begin(
        _ state: TransactionState, isInside: Bool, while activity: EngineActivity
    ) throws(StoreError) {
        var isInside = isInside
        // Other processes may grow the map again meanwhile, but not for ever.
        for _ in 0..<10 {
            if !isInside { try gate.enter() }
            var code = state.begin()
            if code == MDB_READERS_FULL {
                clearStaleReaders()
                code = state.begin()
            }
            guard code != MDB_SUCCESS else { return }
            state.abort()
            gate.leave()
            isInside = false
            guard code == MDB_MAP_RESIZED else { throw error(code, while: activity) }
            try adoptSize()
        }
        throw error(MDB_MAP_RESIZED, while: activity)
    }
}

extension LMDBConfiguration.Sync {
    /// The flags of the environment that make it so.
    var flags: UInt32 {
        switch self {
        case .full: 0
        case .nometa: UInt32(MDB_NOMETASYNC)
        case .none: UInt32(MDB_NOSYNC)
        }
    }
}
#endif
