import AgentSessionsThreads
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What tells one file or folder from another, however its path is spelled. While it is open, no other gets it.
package struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64

    init(_ status: stat) {
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(truncatingIfNeeded: status.st_ino)
    }

    /// That of what is at a path; `nil` where nothing is, or nobody can tell.
    package init?(at path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// That of the store whose file or folder this is.
    package func store(of backend: String) -> StoreIdentity {
        StoreIdentity(backend: backend, place: "\(device):\(inode)")
    }

    /// That of an open file.
    package init?(of descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }
}

/// The files of a store that is open, by the names that they had when it was opened.
///
/// A file that is removed, moved or replaced meanwhile stays open all the same, and takes what is written to it, which
/// nobody finds again. So a writer looks before each commit, while nothing is written, and once more before it
/// acknowledges the commit. A look is a system call for each file, which takes less than a microsecond: the name of an
/// open file is in the system's memory.
package final class OpenFiles: Sendable {
    private struct File {
        let path: String
        let identity: FileIdentity
    }

    /// What stands where a file was.
    package enum Place { case same, gone, another }

    /// Readers look again after so many nanoseconds.
    private static let interval: UInt64 = 100_000_000

    private let files: [File]
    private let dataCount: Int
    private let backend: String
    private let nextLook = Atomic<UInt64>(0)

    /// Takes the files at these paths, which the engine has open.
    ///
    /// - Parameters:
    ///   - data: Absolute paths of the files that hold data.
    ///   - others: Absolute paths of the files that processes use to keep out of each other's way.
    ///   - backend: The name that errors show.
    /// - Throws: ``StoreError/Code/unavailable`` where one is not there.
    package init(data: [String], others: [String], backend: String) throws(StoreError) {
        self.backend = backend
        dataCount = data.count
        files = try (data + others).map { path throws(StoreError) in
            guard let identity = FileIdentity(at: path) else { throw Self.missing(path, backend) }
            return File(path: path, identity: identity)
        }
    }

    /// The path of the first file.
    package var path: String { files.first?.path ?? "" }

    /// What stands where the files were, in the order in which they were given.
    package var places: [Place] { files.map { look(at: $0).place } }

    /// - Throws: ``StoreError/Code/unavailable`` where a file is not in its place any more.
    package func requireInPlace() throws(StoreError) {
        for file in files where look(at: file).place != .same { throw Self.missing(file.path, backend) }
    }

    /// Looks after a commit.
    ///
    /// - Returns: Bytes of the last of the files that hold data, which is the one that was written.
    /// - Throws: ``StoreError/Code/outcomeUnknown`` where a file that holds data is not in its place any more: the
    ///   commit may be in a file that has another name now, or none.
    @discardableResult
    package func requireCommitInPlace() throws(StoreError) -> Int {
        var size = 0
        for file in files.prefix(dataCount) {
            let (place, bytes) = look(at: file)
            size = bytes
            guard place != .same else { continue }
            throw StoreError(
                .outcomeUnknown,
                "The file \(quoted(file.path, limit: 200)) of the store was removed, moved or replaced while a change "
                    + "was committed. Whether it was stored shows after the file is back and the store is opened "
                    + "again.", backend: backend)
        }
        return size
    }

    /// Looks, if the last look is a while ago: for reads, which cost little more than a look.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where a file is not in its place any more.
    @inline(__always)
    package func lookNowAndThen() throws(StoreError) {
        let now = MonotonicTime.roughly()
        guard now >= nextLook.load(ordering: .relaxed) else { return }
        try look(now)
    }

    private func look(_ now: UInt64) throws(StoreError) {
        // Where it throws, the next read looks again.
        try requireInPlace()
        nextLook.store(now &+ Self.interval, ordering: .relaxed)
    }

    private func look(at file: File) -> (place: Place, bytes: Int) {
        var status = stat()
        guard stat(file.path, &status) == 0 else {
            // Any other failure says nothing of the file: a process may have given up the right to look, for one.
            return (errno == ENOENT || errno == ENOTDIR ? .gone : .same, 0)
        }
        return (FileIdentity(status) == file.identity ? .same : .another, Int(status.st_size))
    }

    private static func missing(_ path: String, _ backend: String) -> StoreError {
        StoreError(
            .unavailable,
            "The file \(quoted(path, limit: 200)) of the open store was removed, moved or replaced. Nothing was "
                + "written. Put it back; or close the store in every process, restore it from a backup and open it again.",
            backend: backend)
    }
}
