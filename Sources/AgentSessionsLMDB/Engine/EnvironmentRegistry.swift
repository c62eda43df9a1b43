#if LMDB
internal import AgentSessions
internal import Synchronization

/// The environments that this process has open, each once, however its path is spelled.
///
/// LMDB forbids opening an environment twice in a process: closing one would drop the locks of the other. So stores on
/// the same folder, known by its device and inode, share one.
enum EnvironmentRegistry {
    private struct Entry {
        let environment: LMDBEnvironment
        var uses: Int
    }

    private static let entries = Mutex<[FileIdentity: Entry]>([:])

    /// The environment in a folder, opened where it is not, and set up by `setUp`.
    ///
    /// Opens one environment at a time, as LMDB wants one transaction at a time to open named databases. Called on
    /// writer threads, which may wait.
    ///
    /// - Throws: What LMDB reports; what `setUp` throws, with the environment closed where no other store uses it.
    static func acquire<Success>(
        _ configuration: LMDBConfiguration,
        _ setUp: (EnvironmentUse) throws(StoreError) -> Success
    ) throws(StoreError) -> Success {
        try entries.withLock { entries throws(StoreError) in
            let folder = try EnvironmentFolder(preparing: configuration.path, mustExist: configuration.mustExist)
            var entry: Entry
            if let open = entries[folder.identity], !open.environment.isForked {
                guard open.environment.sync == configuration.sync else {
                    throw StoreError(
                        .invalidArgument,
                        "The LMDB store \(quoted(configuration.path, limit: 200)) is open in this process with "
                            + "sync=\(open.environment.sync.rawValue), so it cannot be opened with "
                            + "sync=\(configuration.sync.rawValue). Use the same, or close the other store first.",
                        backend: LMDBBackend.name)
                }
                open.environment.raiseLimit(to: configuration.mapSize)
                entry = open
            } else {
                entry = Entry(environment: try LMDBEnvironment(folder, configuration), uses: 0)
            }
            do throws(StoreError) {
                let result = try setUp(EnvironmentUse(environment: entry.environment, identity: folder.identity))
                entry.uses += 1
                entries[folder.identity] = entry
                return result
            } catch {
                if entry.uses == 0 { entry.environment.close() }
                throw error
            }
        }
    }

    /// Gives back a use; the last one closes the environment.
    static func release(_ use: EnvironmentUse) {
        entries.withLock { entries in
            guard var entry = entries[use.identity], entry.environment === use.environment else { return }
            entry.uses -= 1
            entries[use.identity] = entry.uses == 0 ? nil : entry
            if entry.uses == 0 { entry.environment.close() }
        }
    }
}

/// A use of an environment, to be given back to ``EnvironmentRegistry``.
struct EnvironmentUse: Sendable {
    let environment: LMDBEnvironment
    let identity: FileIdentity
}
#endif
