import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A folder that its owner alone can read, and that is removed with all that is in it.
struct TemporaryFolder: Sendable {
    let path: String

    /// Makes a folder with a name of its own in the system's folder for temporary files, or within another.
    init(in parent: String? = nil) throws(StoreError) {
        var parent = parent ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        while parent.count > 1, parent.hasSuffix("/") { parent.removeLast() }
        var template = Array("\(parent)/conformance-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw StoreError(
                .unavailable,
                "No folder can be made in \(parent): \(String(cString: strerror(errno))). "
                    + "Set TMPDIR to a folder that can be written.")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A folder that was made before.
    init(existing path: String) {
        self.path = path
    }

    /// The folder's own part of the path, in characters of an identifier.
    var name: String {
        "c" + path.utf8.suffix(6).map { String($0, radix: 16) }.joined()
    }

    /// Removes the folder. What cannot be removed stays.
    func remove() {
        Self.remove(path)
    }

    private static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        if let folder = opendir(path) {
            var names: [String] = []
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                        String(cString: $0)
                    }
                }
                if name != ".", name != ".." { names.append(name) }
            }
            closedir(folder)
            for name in names { remove("\(path)/\(name)") }
        }
        rmdir(path)
    }
}
