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

extension StoreError {
    /// A failure that LMDB reports, as an error of the store.
    ///
    /// - Parameters:
    ///   - code: What LMDB returned: an `MDB_*` code or an `errno`.
    ///   - activity: What was being done.
    ///   - path: The folder of the environment.
    init(lmdb code: Int32, while activity: EngineActivity, path: String) {
        let store = "The LMDB store \(quoted(path, limit: 200))"
        let (kind, message): (Code, String) =
            switch code {
            case MDB_PANIC where activity == .committing, EIO where activity == .committing:
                (
                    .outcomeUnknown,
                    "\(store) stopped, as its disk failed while a change was committed. Open the store again to see "
                        + "whether the change was stored."
                )
            case MDB_PANIC:
                (.unavailable, "\(store) stopped after its disk failed. Open it again to see what was stored.")
            case EIO:
                (.unavailable, "\(store) cannot be read or written: the disk failed. Check the disk.")
            case ENOSPC, EDQUOT, EFBIG:
                (.unavailable, "\(store) cannot grow: the disk is full. Nothing was written. Make room and try again.")
            case MDB_INVALID:
                (.corrupt, "\(store) has a data.mdb that is not an LMDB file, or is damaged. It was left untouched.")
            case MDB_VERSION_MISMATCH:
                (
                    .unavailable,
                    "\(store) was made by a version of LMDB whose files this version cannot read. "
                        + "Open it with that version."
                )
            case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_BAD_DBI, MDB_INCOMPATIBLE, MDB_CURSOR_FULL:
                (
                    .corrupt,
                    "\(store) is damaged: \(text(of: code)). Run `verify`, and restore it from an export or a backup."
                )
            case MDB_KEYEXIST:
                (
                    .corrupt,
                    "\(store) is damaged: it has an entry that belongs to no session. Run `verify`, and restore it "
                        + "from an export or a backup."
                )
            case MDB_READERS_FULL:
                (
                    .busy,
                    "\(store) has as many read transactions open, in all processes together, as max_readers allows. "
                        + "Try again; or close the store in every process, and open it with a larger max_readers."
                )
            case MDB_MAP_RESIZED, EAGAIN, EBUSY:
                (.busy, "\(store) is being opened or enlarged by another process. Try again.")
            case MDB_MAP_FULL, MDB_TXN_FULL:
                (
                    .limitExceeded,
                    "\(store) cannot take so large a change in one transaction. Nothing was written. Make it smaller."
                )
            case EACCES, EPERM, EROFS:
                (
                    .unavailable,
                    "\(store) cannot be opened or written: \(text(of: code)). This user must own the folder and "
                        + "its files, on a file system that can be written."
                )
            case ENOENT:
                (.unavailable, "\(store) cannot be opened or created: the folder that it lies in must exist.")
            case ENOTDIR, ELOOP, ENAMETOOLONG:
                (
                    .unavailable,
                    "\(store) cannot be opened or created: \(text(of: code)). Name a folder, which may be new, in one "
                        + "that exists."
                )
            case EMFILE, ENFILE:
                (
                    .unavailable,
                    "\(store) cannot be opened: \(text(of: code)). Close stores that are not used, or raise the "
                        + "limit on open files."
                )
            case ENOMEM:
                (
                    .unavailable,
                    "\(store) needs more memory or address space than the system has left. Lower initial_map_size."
                )
            default:
                (.internalFailure, "\(store) caused an unexpected error in LMDB: \(text(of: code)).")
            }
        self.init(kind, message, backend: LMDBBackend.name, nativeCode: lmdbName(of: code))
    }

    /// The map was full, and has grown or is about to. The change is run again, so that no caller sees this.
    static let mapGrows = StoreError(
        .busy, "The map of the LMDB store is full and is being enlarged. Try again.", backend: LMDBBackend.name,
        nativeCode: "MDB_MAP_FULL")

    /// Whether the change is to be run again on a larger map.
    var isGrowingMap: Bool { code == .busy && nativeCode == "MDB_MAP_FULL" }

    /// The map is as large as it may be.
    static func mapCannotGrow(_ path: String, size: Int) -> StoreError {
        StoreError(
            .limitExceeded,
            "The LMDB store \(quoted(path, limit: 200)) is full: its map has \(size) bytes, all that map_size allows. "
                + "Nothing was written. Raise map_size, or delete sessions.",
            backend: LMDBBackend.name, nativeCode: "MDB_MAP_FULL")
    }

    /// The process is a child, made by `fork`, of the one that opened the store.
    static let usedAfterFork = StoreError(
        .closed,
        "The store was opened before this process was forked, and LMDB does not work across a fork. Open it again "
            + "in the child.",
        backend: LMDBBackend.name)
}

private func text(of code: Int32) -> String {
    // A constant of LMDB's, or of the C library's; null for no code.
    mdb_strerror(code).map { String(cString: $0) } ?? "error \(code)"
}

private func lmdbName(of code: Int32) -> String {
    let names: [Int32: String] = [
        MDB_KEYEXIST: "MDB_KEYEXIST", MDB_NOTFOUND: "MDB_NOTFOUND", MDB_PAGE_NOTFOUND: "MDB_PAGE_NOTFOUND",
        MDB_CORRUPTED: "MDB_CORRUPTED", MDB_PANIC: "MDB_PANIC", MDB_VERSION_MISMATCH: "MDB_VERSION_MISMATCH",
        MDB_INVALID: "MDB_INVALID", MDB_MAP_FULL: "MDB_MAP_FULL", MDB_DBS_FULL: "MDB_DBS_FULL",
        MDB_READERS_FULL: "MDB_READERS_FULL", MDB_TLS_FULL: "MDB_TLS_FULL", MDB_TXN_FULL: "MDB_TXN_FULL",
        MDB_CURSOR_FULL: "MDB_CURSOR_FULL", MDB_PAGE_FULL: "MDB_PAGE_FULL", MDB_MAP_RESIZED: "MDB_MAP_RESIZED",
        MDB_INCOMPATIBLE: "MDB_INCOMPATIBLE", MDB_BAD_RSLOT: "MDB_BAD_RSLOT", MDB_BAD_TXN: "MDB_BAD_TXN",
        MDB_BAD_VALSIZE: "MDB_BAD_VALSIZE", MDB_BAD_DBI: "MDB_BAD_DBI",
        EIO: "EIO", ENOSPC: "ENOSPC", EDQUOT: "EDQUOT", EFBIG: "EFBIG", EACCES: "EACCES", EPERM: "EPERM",
        EROFS: "EROFS", ENOENT: "ENOENT", ENOMEM: "ENOMEM", EAGAIN: "EAGAIN", EBUSY: "EBUSY", EINVAL: "EINVAL",
        EMFILE: "EMFILE", ENFILE: "ENFILE", ENOTDIR: "ENOTDIR", ELOOP: "ELOOP", ENAMETOOLONG: "ENAMETOOLONG",
    ]
    return names[code] ?? "errno \(code)"
}
#endif
