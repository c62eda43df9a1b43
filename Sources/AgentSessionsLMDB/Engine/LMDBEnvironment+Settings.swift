#if LMDB
internal import AgentSessions
internal import CAgentSessionsLMDB

extension LMDBEnvironment {
    /// The settings in force, as LMDB reports them. Called inside a transaction.
    func settings() throws(StoreError) -> [StoreSetting] {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        mdb_version(&major, &minor, &patch)
        var flags: UInt32 = 0
        var readers: UInt32 = 0
        var stat = MDB_stat()
        for code in [
            mdb_env_get_flags(handle, &flags), mdb_env_get_maxreaders(handle, &readers), mdb_env_stat(handle, &stat),
        ] where code != MDB_SUCCESS {
            throw error(code, while: .reading)
        }
        let info = info
        return [
            StoreSetting("engine", "LMDB \(major).\(minor).\(patch)"),
            StoreSetting("sync", Self.sync(flags).rawValue),
            StoreSetting("max_readers", "\(readers)"),
            StoreSetting("page_size", "\(stat.ms_psize)"),
            StoreSetting("mapped_bytes", "\(info.me_mapsize)"),
            StoreSetting("used_bytes", "\((info.me_last_pgno + 1) * Int(stat.ms_psize))"),
        ]
    }

    private static func sync(_ flags: UInt32) -> LMDBConfiguration.Sync {
        if flags & UInt32(MDB_NOSYNC) != 0 { return .none }
        return flags & UInt32(MDB_NOMETASYNC) != 0 ? .nometa : .full
    }
}
#endif
