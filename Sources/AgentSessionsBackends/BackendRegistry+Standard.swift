import AgentSessions
import AgentSessionsMemory

#if LMDB
import AgentSessionsLMDB
#endif
#if Postgres
import AgentSessionsPostgres
#endif
#if SQLite
import AgentSessionsSQLite
#endif

extension BackendRegistry {
    /// The backends of this package that were compiled in: `memory`, and an engine for each trait that is on.
    public static let standard = BackendRegistry(known: compiledBackends)

    private static var compiledBackends: [any StoreBackend.Type] {
        var backends: [any StoreBackend.Type] = [MemoryBackend.self]
        #if SQLite
        backends.append(SQLiteBackend.self)
        #endif
        #if LMDB
        backends.append(LMDBBackend.self)
        #endif
        #if Postgres
        backends.append(PostgresBackend.self)
        #endif
        return backends
    }
}
