import AgentSessions
import AgentSessionsBackends

extension StoreConfiguration {
    /// Checks that a file to write is not one of the store's own, by whatever names or links: writing it would destroy the
    /// store.
    ///
    /// - Throws: `invalidArgument` where it is one.
    func requireNoFile(ofStore output: String) throws(StoreError) {
        let target = ResolvedFile(output)
        for file in try storeFiles() where ResolvedFile(file) == target {
            throw StoreError(
                .invalidArgument,
                "\(quoted(output, limit: 200)) is a file of the store \(url) itself: writing it would destroy the store. "
                    + "Name another file.")
        }
    }
}

/// The identity of a file, whether it exists or not and however its path is spelled.
private struct ResolvedFile: Equatable {
    private let path: String
    private let identity: FileIdentity?

    init(_ path: String) {
        identity = FileIdentity(at: path)
        // Through links, dangling ones included.
        let target = (try? FileTarget.resolved(path, "The file")) ?? path
        let name = target.split(separator: "/").last.map(String.init) ?? ""
        self.path = "\(resolvedPath(directory(of: target)))/\(name)"
    }

    static func == (left: ResolvedFile, right: ResolvedFile) -> Bool {
        left.path == right.path || left.identity != nil && left.identity == right.identity
    }
}
