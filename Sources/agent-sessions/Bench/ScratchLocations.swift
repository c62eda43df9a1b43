import AgentSessions
import AgentSessionsBackends
import AgentSessionsBenchmarks
import AgentSessionsConformance
import AgentSessionsRawEngines

/// Scratch locations near the store that a URL names: a folder on the same disk, a schema on the same server. The backend
/// says where they can be. The store itself is neither opened nor touched.
struct ScratchLocations: Sendable {
    /// The store that the URL names.
    let configuration: StoreConfiguration
    /// The directory of the store's files, in which scratch folders are made; `nil` if a store has no files.
    let directory: String?

    /// - Throws: `invalidArgument` if there is no such backend or setting, `unsupported` if the backend has no scratch
    ///   location.
    init(_ url: String, registry: BackendRegistry) throws(StoreError) {
        configuration = try StoreConfiguration(levels: [.commandLine(store: url)], registry: registry)
        directory = try configuration.scratchDirectory()
    }

    /// The backend's name.
    var backend: String { configuration.backend.name }

    /// Opens an empty store at a new scratch location.
    func open() async throws(StoreError) -> ScratchStore {
        let folder = try makeFolder()
        let hasFiles = directory != nil
        var made: StoreConfiguration?
        do throws(StoreError) {
            let scratch = try configuration.scratch(named: Self.newName(), folder: folder.path)
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

    /// Makes a new scratch location for the engine itself.
    func raw() throws(StoreError) -> RawScratchLocation {
        let folder = try makeFolder()
        return RawScratchLocation(beside: configuration.url, named: Self.newName(), folder: folder.path) {
            folder.bytesOnDisk
        } remove: {
            folder.remove()
        }
    }

    private func makeFolder() throws(StoreError) -> TemporaryFolder {
        try TemporaryFolder("agent-sessions-bench", in: directory)
    }

    private static func newName() -> String {
        var random = SystemRandomNumberGenerator()
        return "agent_sessions_bench_" + String(random.next() as UInt64, radix: 36)
    }
}
