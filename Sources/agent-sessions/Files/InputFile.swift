import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Files that a command reads.
enum InputFile {
    /// Opens a file, lends it to `body`, and closes it.
    ///
    /// - Throws: `unavailable` where it cannot be opened or is a directory.
    static func reading<Result>(
        _ path: String, _ body: (ByteInput) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let name = "The file \(quoted(path, limit: 200))"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("\(name) cannot be opened", errno) }
        defer { close(descriptor) }
        return try body(ByteInput(descriptor: descriptor, name: name))
    }

    /// Checks that there is an ordinary file to read.
    ///
    /// - Throws: `unavailable` where there is none, or it cannot be opened.
    static func check(_ path: String) throws(StoreError) {
        let name = "The file \(quoted(path, limit: 200))"
        var information = stat()
        guard stat(path, &information) == 0 else { throw .system("\(name) cannot be opened", errno) }
        guard information.st_mode & S_IFMT == S_IFREG else {
            let what = information.st_mode & S_IFMT == S_IFDIR ? "is a directory" : "is no ordinary file"
            throw StoreError(.invalidArgument, "\(name) \(what): give a file, which is read twice.")
        }
        try reading(path) { _ in }
    }
}
