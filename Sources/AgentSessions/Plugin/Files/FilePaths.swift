#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The path without links, `.` and `..`; as it was given where there is nothing at it.
package func resolvedPath(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
}

/// The path from the root of the file system.
package func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return "\(String(cString: current))/\(path)"
}

/// The directory that a path's last component lies in, as it is written.
package func directory(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// Brings the entries of a directory to the disk. After a file was made and synced, a loss of power may still take its
/// name; after this it may not.
///
/// - Returns: 0, or the error number of the system. A directory that this user may not read, and a file system that syncs
///   no directories, is none.
package func syncDirectory(_ path: String) -> Int32 {
    guard let directory = try? FileDescriptor(path, .folder) else { return 0 }
    do throws(SystemError) {
        try directory.syncEntries()
        return 0
    } catch {
        return error.number
    }
}
