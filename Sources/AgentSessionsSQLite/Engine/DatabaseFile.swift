#if SQLite
internal import AgentSessions

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The database file as the file system has it.
enum DatabaseFile {
    /// Makes an empty file that only its owner can read, where there is none. SQLite gives its log the same rights.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where it cannot be made or is no file.
    static func prepare(_ path: String) throws(StoreError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw unavailable(path, "it is not a file. Name a file, such as \(path)/sessions.db")
            }
            return
        }
        // Exclusively: to close a file that SQLite has open in this process would drop SQLite's locks on it.
        let file = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR)
        guard file >= 0 else {
            if errno == EEXIST { return }
            let reason = String(cString: strerror(errno))
            throw unavailable(path, "it cannot be made: \(reason). Its folder must exist, and this user must own it")
        }
        close(file)
    }

    private static func unavailable(_ path: String, _ reason: String) -> StoreError {
        StoreError(
            .unavailable, "The database \(quoted(path, limit: 200)) cannot be opened: \(reason).",
            backend: SQLiteBackend.name)
    }
}
#endif
