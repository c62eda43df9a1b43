import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file to write: a name in a folder that is open.
struct FileTarget {
    /// How many symbolic links are followed, as many as the system does.
    private static let maximumLinks = 40

    let folder: FileDescriptor
    /// The name in the folder.
    let name: String
    /// What errors call the file, to begin a sentence with.
    let description: String

    /// The file that `path` names, or to which a symbolic link there leads. It need not exist yet.
    ///
    /// - Throws: `invalidArgument` where something other than a file is there, `unavailable` where there is no such
    ///   folder, or it cannot be opened.
    init(_ path: String) throws(StoreError) {
        description = "The file \(quoted(path, limit: 200))"
        let target = try Self.resolved(path, description)
        // By bytes: a combining mark makes another character of the slash.
        let slash = target.utf8.lastIndex(of: UInt8(ascii: "/"))
        name = slash.map { String(target[target.utf8.index(after: $0)...]) } ?? target
        guard !name.isEmpty else {
            throw StoreError(
                .invalidArgument,
                "\(quoted(path, limit: 200)) is not the name of a file: give the name of a file to write.")
        }
        do throws(SystemError) {
            folder = try FileDescriptor(directory(of: target), .folder)
        } catch {
            throw .system("\(description) cannot be made: its folder cannot be opened", error)
        }
    }

    /// Makes a file of another name in the same folder.
    func make(_ other: String) throws(StoreError) -> FileDescriptor {
        do throws(SystemError) {
            return try FileDescriptor(other, .creating, in: folder)
        } catch {
            throw .system("\(description) cannot be made", error)
        }
    }

    /// Removes a file of another name in the same folder.
    func remove(_ other: String) {
        unlinkat(folder.number, other, 0)
    }

    /// Gives a file of another name in the same folder this name, and brings both names to the disk.
    func replace(by other: String) throws(StoreError) {
        guard renameat(folder.number, other, folder.number, name) == 0 else {
            throw .system("\(description) cannot be put in its place", SystemError(errno))
        }
        do throws(SystemError) {
            try folder.syncEntries()
        } catch {
            throw .system(
                "\(description) is complete and in its place, but a loss of power may undo that, as its folder cannot "
                    + "be brought to the disk", error)
        }
    }

    /// The path itself, or where a symbolic link leads.
    static func resolved(_ path: String, _ description: String) throws(StoreError) -> String {
        var information = stat()
        if stat(path, &information) == 0 {
            guard information.st_mode & S_IFMT == S_IFREG else {
                let what = information.st_mode & S_IFMT == S_IFDIR ? "a directory" : "not an ordinary file"
                throw StoreError(
                    .invalidArgument, "\(quoted(path, limit: 200)) is \(what): give the name of a file to write.")
            }
            guard let real = realpath(path, nil) else { throw cannotMake(description, errno) }
            defer { free(real) }
            return try text(real, description)
        }
        guard errno == ENOENT else { throw cannotMake(description, errno) }
        // There is no file yet. A dangling link stays a link, and the file is made where it leads.
        var path = path
        for _ in 0..<maximumLinks {
            guard lstat(path, &information) == 0, information.st_mode & S_IFMT == S_IFLNK else { return path }
            path = try target(ofLink: path, description)
        }
        throw cannotMake(description, ELOOP)
    }

    private static func target(ofLink path: String, _ description: String) throws(StoreError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink(path, &buffer, buffer.count - 1)
        guard count >= 0 else { throw cannotMake(description, errno) }
        let target = try buffer.withUnsafeBufferPointer { (bytes) throws(StoreError) in
            try text(bytes.baseAddress, description)
        }
        guard !target.utf8.starts(with: [UInt8(ascii: "/")]),
            let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        else { return target }
        return String(path[..<path.utf8.index(after: slash)]) + target
    }

    private static func cannotMake(_ description: String, _ number: Int32) -> StoreError {
        .system("\(description) cannot be made", SystemError(number))
    }

    private static func text(_ bytes: UnsafePointer<CChar>?, _ description: String) throws(StoreError) -> String {
        guard let bytes, let text = String(validatingCString: bytes) else {
            throw StoreError(
                .invalidArgument, "\(description) leads to a name that is not UTF-8: name the file itself.")
        }
        return text
    }
}
