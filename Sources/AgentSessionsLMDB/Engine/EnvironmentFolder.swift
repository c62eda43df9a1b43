#if LMDB
internal import AgentSessions
internal import CAgentSessionsLMDB

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The folder of an environment as the file system has it.
struct EnvironmentFolder {
    static let dataFile = "data.mdb"
    static let lockFile = "lock.mdb"

    /// The path as it was given.
    let path: String
    let identity: FileIdentity
    /// Whether there is data in it.
    let hasData: Bool

    /// Makes the folder, readable by its owner alone, where there is none.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - mustExist: Whether to make none, and take one with data in it alone.
    /// - Throws: ``StoreError/Code/unavailable`` where it cannot be made, is no folder, or holds what is none of ours;
    ///   ``StoreError/Code/notFound`` where it must exist and does not.
    init(preparing path: String, mustExist: Bool) throws(StoreError) {
        self.path = path
        if !mustExist, mkdir(path, S_IRWXU) != 0, errno != EEXIST {
            let code = errno
            throw StoreError(lmdb: code, while: .opening, path: path)
        }
        var status = stat()
        guard stat(path, &status) == 0, let identity = FileIdentity(at: path) else {
            let code = errno
            if mustExist, code == ENOENT { throw Self.storeNotFound(path) }
            throw StoreError(lmdb: code, while: .opening, path: path)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw Self.unusable(path, "it is not a folder. Name a folder, which may be new")
        }
        self.identity = identity
        let names = try Self.names(in: path)
        hasData = names.contains(Self.dataFile)
        if mustExist, !hasData { throw Self.storeNotFound(path) }
        if !hasData, let foreign = names.sorted().first(where: { $0 != Self.lockFile }) {
            throw Self.unusable(
                path,
                "the folder is not an LMDB environment but holds other files, such as \(quoted(foreign)). It was "
                    + "left untouched. Name a folder that is empty or new")
        }
    }

    /// Whether there may be data in a folder. Where that cannot be told, opening it says why.
    static func mayHoldData(_ path: String) -> Bool {
        var status = stat()
        return stat("\(path)/\(dataFile)", &status) == 0 || errno != ENOENT
    }

    /// Brings the names of the folder and of what is in it to the disk.
    static func sync(_ path: String) throws(StoreError) {
        let real = resolvedPath(path)
        for folder in [real, directory(of: real)] {
            let code = syncDirectory(folder)
            guard code == 0 else { throw StoreError(lmdb: code, while: .opening, path: path) }
        }
    }

    /// There is no store in the folder, and there must be.
    static func storeNotFound(_ path: String) -> StoreError {
        .storeNotFound("in the folder \(quoted(path, limit: 200))", backend: LMDBBackend.name)
    }

    /// Takes room on the disk for the table of readers. It is mapped and written in place, so that a disk without room
    /// would end the process.
    ///
    /// - Returns: 0, or `ENOSPC` where there is no room. Any other failure, LMDB meets again and reports.
    func reserveLockFile(readers: Int) -> Int32 {
        #if canImport(Glibc) || canImport(Musl)
        let descriptor = open("\(path)/\(Self.lockFile)", O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        // A reader takes 64 bytes, what stands before them less than 512. The length of the file stays LMDB's.
        let keepSize: Int32 = 1
        let code = fallocate(descriptor, keepSize, 0, off_t(readers * 64 + 512)) == 0 ? 0 : errno
        return code == ENOSPC ? code : 0
        #else
        return 0
        #endif
    }

    private static func names(in path: String) throws(StoreError) -> Set<String> {
        guard let folder = opendir(path) else {
            let code = errno
            throw StoreError(lmdb: code, while: .opening, path: path)
        }
        defer { closedir(folder) }
        var names: Set<String> = []
        while let entry = readdir(folder) {
            // The entry is valid until the next call; its name is ended by a NUL within the field.
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.insert(name) }
        }
        return names
    }

    static func unusable(_ path: String, _ reason: String) -> StoreError {
        StoreError(
            .unavailable, "The LMDB store \(quoted(path, limit: 200)) cannot be opened: \(reason).",
            backend: LMDBBackend.name)
    }
}
#endif
