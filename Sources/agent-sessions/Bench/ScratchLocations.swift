import AgentSessions
import AgentSessionsBackends
import AgentSessionsBenchmarks
import AgentSessionsConformance
import AgentSessionsRawEngines

/// Fresh places near the one that a store URL names: a folder on the same disk, a schema on the same server. Nothing
/// that lies at the URL itself is opened or touched. Where a place can be, the backend says.
struct ScratchLocations: Sendable {
    /// The store that the URL names.
    let configuration: StoreConfiguration
    /// The directory in which places are made, as the store's files are in it; `nil` where a store has no files.
    let directory: String?

    /// - Throws: `invalidArgument` where there is no such backend or setting, `unsupported` where a backend does not
    ///   say where a scratch store can be.
    init(_ url: String, registry: BackendRegistry) throws(StoreError) {
        configuration = try StoreConfiguration(levels: [.commandLine(store: url)], registry: registry)
        directory = try configuration.scratchDirectory()
    }

    /// The backend's name.
    var backend: String { configuration.backend.name }

    /// Opens an empty store at a fresh place.
    func open() async throws(StoreError) -> ScratchStore {
        let folder = try makeFolder()
        let hasFiles = directory != nil
        var made: StoreConfiguration?
        do throws(StoreError) {
            let scratch = try configuration.scratch(named: Self.freshName(), folder: folder.path)
            made = scratch
            return ScratchStore(try await scratch.open(migrations: .apply)) {
                if hasFiles { folder.bytesOnDisk } else { try? await scratch.scratchBytes() }
            } remove: {
                try? await scratch.removeScratch()
                folder.remove()
            }
        } catch {
            try? await made?.removeScratch()
            folder.remove()
            throw error
        }
    }

    /// Makes a fresh place for the engine itself.
    func raw() throws(StoreError) -> RawPlace {
        let folder = try makeFolder()
        return RawPlace(beside: configuration.url, named: Self.freshName(), folder: folder.path) {
            folder.bytesOnDisk
        } remove: {
            folder.remove()
        }
    }

    private func makeFolder() throws(StoreError) -> TemporaryFolder {
        try TemporaryFolder("agent-sessions-bench", in: directory)
    }

    private static func freshName() -> String {
        var random = SystemRandomNumberGenerator()
        return "agent_sessions_bench_" + String(random.next() as UInt64, radix: 36)
    }
}
