package import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A folder that its owner alone can read, and that is removed with all that is in it.
package struct TemporaryFolder: Sendable {
    /// The folder's absolute path.
    package let path: String

    /// Makes a folder.
    ///
    /// - Parameters:
    ///   - prefix: What its name begins with. The rest is its own.
    ///   - parent: Where to make it; without one, in the system's folder for temporary files.
    /// - Throws: ``AgentSessions/StoreError/Code/unavailable`` where it cannot be made.
    package init(_ prefix: String = "conformance", in parent: String? = nil) throws(StoreError) {
        let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        var place = parent ?? (temporary.isEmpty ? "/tmp" : temporary)
        while place.utf8.count > 1, place.utf8.last == UInt8(ascii: "/") { place.removeLast() }
        var template = Array("\(place)/\(prefix)-XXXXXX".utf8CString)
        // An absolute path, as store URLs of files have it.
        guard mkdtemp(&template) != nil, let real = realpath(template, nil) else {
            throw StoreError(
                .unavailable,
                "No folder can be made in \(quoted(place, limit: 200)): \(String(cString: strerror(errno)))."
                    + (parent == nil ? " Set TMPDIR to a folder that can be written." : ""))
        }
        defer { free(real) }
        path = String(cString: real)
    }

    /// A folder that was made before.
    package init(existing path: String) {
        self.path = path
    }

    /// The folder's own part of the path, in characters of an identifier.
    var name: String {
        "c" + path.utf8.suffix(6).map { String($0, radix: 16) }.joined()
    }

    /// What the files in it take on disk.
    package var bytesOnDisk: Int { Self.bytes(path) }

    /// Removes the folder. What cannot be removed stays.
    package func remove() {
        Self.remove(path)
    }

    private static func bytes(_ folder: String) -> Int {
        entries(folder).reduce(0) { total, path in
            var information = stat()
            guard lstat(path, &information) == 0 else { return total }
            if information.st_mode & S_IFMT == S_IFDIR { return total + bytes(path) }
            // Blocks, as a file may have holes.
            return total + Int(information.st_blocks) * 512
        }
    }

    private static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        for entry in entries(path) { remove(entry) }
        rmdir(path)
    }

    /// The paths of what is in a folder.
    private static func entries(_ folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var paths: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { paths.append("\(folder)/\(name)") }
        }
        return paths
    }
}
