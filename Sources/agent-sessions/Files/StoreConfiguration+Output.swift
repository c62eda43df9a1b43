import AgentSessions
import AgentSessionsBackends

extension StoreConfiguration {
    /// Checks that a file to write is none of those that the store keeps its data in, whatever names or links lead there:
    /// writing it would destroy the store.
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

/// A file, whether it exists or not, told from others however its path is spelled.
private struct ResolvedFile: Equatable {
    private let path: String
    private let identity: FileIdentity?

    init(_ path: String) {
        identity = FileIdentity(at: path)
        // Through links, also where there is nothing at their end yet.
        let target = (try? FileTarget.resolved(path, "The file")) ?? path
        let name = target.split(separator: "/").last.map(String.init) ?? ""
        self.path = "\(resolvedPath(directory(of: target)))/\(name)"
    }

    static func == (left: ResolvedFile, right: ResolvedFile) -> Bool {
        left.path == right.path || left.identity != nil && left.identity == right.identity
    }
}
