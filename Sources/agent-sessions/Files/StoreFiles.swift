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
        let target = FilePlace(output)
        for file in try storeFiles() where FilePlace(file) == target {
            throw StoreError(
                .invalidArgument,
                "\(quoted(output, limit: 200)) is a file of the store \(url) itself: writing it would destroy the store. "
                    + "Name another file.")
        }
    }
}

/// A file, there or not, told from others whatever its path looks like.
private struct FilePlace: Equatable {
    private let path: String
    private let file: (device: dev_t, inode: ino_t)?

    init(_ path: String) {
        var status = stat()
        file = stat(path, &status) == 0 ? (status.st_dev, status.st_ino) : nil
        self.path = Self.target(of: path)
    }

    static func == (left: FilePlace, right: FilePlace) -> Bool {
        if left.path == right.path { return true }
        guard let left = left.file, let right = right.file else { return false }
        return left == right
    }

    /// Where a path leads: through links, also where there is nothing at their end yet.
    private static func target(of path: String) -> String {
        var path = path
        // More links than this, the system does not follow either.
        for _ in 0..<40 {
            guard let link = link(at: path) else { break }
            path = link.hasPrefix("/") ? link : "\(directory(of: path))/\(link)"
        }
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        return "\(resolvedPath(directory(of: path)))/\(name)"
    }

    private static func link(at path: String) -> String? {
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { (buffer, count) in
            count = buffer.withMemoryRebound(to: CChar.self) { characters in
                characters.baseAddress.map { max(0, readlink(path, $0, characters.count)) } ?? 0
            }
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}
