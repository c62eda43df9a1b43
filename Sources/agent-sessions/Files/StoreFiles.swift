import AgentSessions
import AgentSessionsBackends

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension StoreConfiguration {
    /// Checks that a file to write is none of those that the store keeps its data in, whatever names or links lead there:
    /// what takes its place would take the store away.
    ///
    /// - Throws: `invalidArgument` where it is one.
    func requireNoFile(ofStore output: String) throws(StoreError) {
        let target = FileIdentity(output)
        for file in try storeFiles() where FileIdentity(file) == target {
            throw StoreError(
                .invalidArgument,
                "\(quoted(output, limit: 200)) is a file of the store \(url) itself: writing it would destroy the store. "
                    + "Name another file.")
        }
    }
}

/// A file, there or not, told from others whatever its path looks like.
private struct FileIdentity: Equatable {
    private let path: String
    private let file: (device: dev_t, inode: ino_t)?

    init(_ path: String) {
        var status = stat()
        file = stat(path, &status) == 0 ? (status.st_dev, status.st_ino) : nil
        self.path = Self.target(of: path)
    }

    static func == (left: FileIdentity, right: FileIdentity) -> Bool {
        if left.path == right.path { return true }
        guard let left = left.file, let right = right.file else { return false }
        return left == right
    }

    /// Where a path leads: through links, also where there is nothing at their end yet.
    private static func target(of path: String) -> String {
        let path = (try? FilePlace.resolved(path, "The file")) ?? path
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        return "\(resolvedPath(directory(of: path)))/\(name)"
    }
}
