#if SQLite
internal import AgentSessions

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif
internal import Synchronization

/// The database file as the file system has it.
enum DatabaseFile {
    /// Makes an empty file that only its owner can read, where there is none. SQLite gives its log the same rights.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - mustExist: Whether to make none.
    /// - Throws: ``StoreError/Code/unavailable`` where it cannot be made or is no file, ``StoreError/Code/notFound`` where
    ///   it must exist and does not.
    static func prepare(_ path: String, mustExist: Bool) throws(StoreError) {
        try requireName(path)
        // One at a time: closing a file drops every lock that this process has on it, and another thread that finds the
        // new file may have SQLite lock it at once.
        try creation.withLock { _ throws(StoreError) in try make(path, mustExist: mustExist) }
    }

    /// Checks that the name can be a file's, and is not one by which SQLite means something else.
    static func requireName(_ path: String) throws(StoreError) {
        guard !path.utf8.contains(0) else {
            throw StoreError(
                .invalidArgument, "The path \(quoted(path, limit: 200)) contains a NUL byte, and no file name can.",
                backend: SQLiteBackend.name)
        }
        // To SQLite's own shell and libraries these are no files.
        guard path != ":memory:", path != "file::memory:" else {
            throw StoreError(
                .invalidArgument,
                "\(path) is not a database in memory here, but the name of a file. Use memory: for a store in memory, "
                    + "or sqlite:./\(path) for the file.",
                backend: SQLiteBackend.name)
        }
    }

    /// Whether a store may be in the file: it exists and is not empty (to SQLite, an empty file is a new database).
    /// Where the file cannot be looked at, opening it says why.
    static func mayBeStore(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return errno != ENOENT }
        return status.st_size > 0
    }

    /// The file, and those that SQLite makes beside it: beside the file itself, where the path is a link to it.
    static func all(of path: String) -> [String] {
        let file = resolvedPath(path)
        return [file] + ["-wal", "-shm", "-journal"].map { file + $0 }
    }

    /// There is no store in the file, and there must be.
    static func storeNotFound(_ path: String) -> StoreError {
        .storeNotFound("in the file \(quoted(path, limit: 200))", backend: SQLiteBackend.name)
    }

    /// The path as SQLite takes it for the name of a file, whatever it looks like: `:memory:` and `file:` mean
    /// something else to it.
    static func name(of path: String) -> String {
        path.hasPrefix("/") ? path : "./" + path
    }

    private static let creation = Mutex(())

    private static func make(_ path: String, mustExist: Bool) throws(StoreError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw unavailable(path, "it is not a file. Name a file, such as \(path)/sessions.db")
            }
            return
        }
        if mustExist {
            let code = errno
            if code == ENOENT { throw storeNotFound(path) }
            throw unavailable(path, "\(String(cString: strerror(code))). This user must be allowed to reach it")
        }
        // Exclusively, so that no other thread of this process has the file open that is closed below.
        let file = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR)
        guard file >= 0 else {
            // Another process was faster. (Or the path is a link to a missing file, which SQLite refuses.)
            if errno == EEXIST { return }
            let reason = String(cString: strerror(errno))
            throw unavailable(
                path,
                "it cannot be created: \(reason). Its folder must exist, and this user must be allowed to write it")
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
