import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A name in a folder that is open, where a file stands or is to stand.
struct FilePlace {
    /// How many symbolic links are followed, as many as the system does.
    private static let maximumLinks = 40

    /// The folder's descriptor.
    let folder: Int32
    /// The name in the folder.
    let name: String
    /// What errors call the file, to begin a sentence with.
    let description: String

    /// The place that `path` names, or to which a symbolic link there leads. There need be no file yet.
    ///
    /// - Throws: `invalidArgument` where something other than a file stands there, `unavailable` where there is no such
    ///   folder, or it cannot be opened.
    init(_ path: String) throws(StoreError) {
        description = "The file \(quoted(path, limit: 200))"
        let target = try Self.resolved(path, description)
        // By bytes: a character may be more than the slash.
        let slash = target.utf8.lastIndex(of: UInt8(ascii: "/"))
        name = slash.map { String(target[target.utf8.index(after: $0)...]) } ?? target
        guard !name.isEmpty else {
            throw StoreError(
                .invalidArgument, "\(quoted(path, limit: 200)) names no file: give the name of a file to write.")
        }
        let parent = slash.map { $0 == target.startIndex ? "/" : String(target[..<$0]) } ?? "."
        folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .system("\(description) cannot be made: its folder cannot be opened", errno) }
    }

    /// Gives the place to a file of another name in the same folder, and brings both names to the disk.
    func take(_ other: String) throws(StoreError) {
        guard renameat(folder, other, folder, name) == 0 else {
            throw .system("\(description) cannot be put in its place", errno)
        }
        // A file system that has no such thing says EINVAL.
        guard fsync(folder) == 0 || errno == EINVAL else {
            throw .system(
                "\(description) is complete and in its place, but a loss of power may undo that, as its folder cannot "
                    + "be brought to the disk", errno)
        }
    }

    /// Lets go of the folder.
    func release() {
        close(folder)
    }

    /// The path itself, or where a symbolic link leads.
    static func resolved(_ path: String, _ description: String) throws(StoreError) -> String {
        var information = stat()
        if stat(path, &information) == 0 {
            guard information.st_mode & S_IFMT == S_IFREG else {
                let what = information.st_mode & S_IFMT == S_IFDIR ? "a directory" : "no ordinary file"
                throw StoreError(
                    .invalidArgument, "\(quoted(path, limit: 200)) is \(what): give the name of a file to write.")
            }
            guard let real = realpath(path, nil) else { throw .system("\(description) cannot be made", errno) }
            defer { free(real) }
            return try text(real, description)
        }
        guard errno == ENOENT else { throw .system("\(description) cannot be made", errno) }
        // Nothing is there yet. A link that leads to nothing stays a link, and the file is made where it leads.
        var path = path
        for _ in 0..<maximumLinks {
            guard lstat(path, &information) == 0, information.st_mode & S_IFMT == S_IFLNK else { return path }
            path = try target(ofLink: path, description)
        }
        throw .system("\(description) cannot be made", ELOOP)
    }

    private static func target(ofLink path: String, _ description: String) throws(StoreError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink(path, &buffer, buffer.count - 1)
        guard count >= 0 else { throw .system("\(description) cannot be made", errno) }
        let target = try buffer.withUnsafeBufferPointer { (bytes) throws(StoreError) in
            try text(bytes.baseAddress, description)
        }
        guard !target.utf8.starts(with: [UInt8(ascii: "/")]),
            let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        else { return target }
        return String(path[..<path.utf8.index(after: slash)]) + target
    }

    private static func text(_ bytes: UnsafePointer<CChar>?, _ description: String) throws(StoreError) -> String {
        guard let bytes, let text = String(validatingCString: bytes) else {
            throw StoreError(
                .invalidArgument, "\(description) leads to a name that is not UTF-8: name the file itself.")
        }
        return text
    }
}
