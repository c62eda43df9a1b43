#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A descriptor of the system. A call that a signal interrupts is made again.
///
/// swift-system has a type of the same name. It would be compiled before the core by everyone who takes one backend, has
/// neither `fsync`, `flock`, `openat`, `poll` nor `mkstemp`, and throws errors without a type.
package final class FileDescriptor: Sendable {
    /// How a file is opened. A new file can be read by its owner alone.
    package enum Access {
        case reading
        /// As ``reading``, and neither opening nor reading waits for the other end of a pipe.
        case readingWithoutWaiting
        case folder
        /// For writing, where there is no file of that name.
        case creating
        /// For writing, in place of what the file held.
        case replacing
    }

    /// What a descriptor is open on.
    package enum Kind: Equatable {
        case file(size: Int)
        case folder
        /// A pipe, a terminal, a device: it is read once, from the first byte to the last.
        case stream
    }

    package let number: Int32
    private let isOwned: Bool

    /// A descriptor that is closed with the last reference to this object.
    package init(owning number: Int32) {
        self.number = number
        isOwned = true
    }

    /// A descriptor that stays open when this object is gone.
    package init(borrowing number: Int32) {
        self.number = number
        isOwned = false
    }

    deinit {
        if isOwned { close(number) }
    }

    /// Opens a file, which is closed with the last reference to this object.
    ///
    /// - Parameter folder: Where a relative path begins; the working folder by default.
    package convenience init(
        _ path: String, _ access: Access, in folder: FileDescriptor? = nil
    ) throws(SystemError) {
        let flags =
            switch access {
            case .reading: O_RDONLY
            case .readingWithoutWaiting: O_RDONLY | O_NONBLOCK
            case .folder: O_RDONLY | O_DIRECTORY
            case .creating: O_WRONLY | O_CREAT | O_EXCL
            case .replacing: O_WRONLY | O_CREAT | O_TRUNC
            }
        let start = folder?.number ?? AT_FDCWD
        self.init(owning: try Self.uninterrupted { openat(start, path, flags | O_CLOEXEC, 0o600) })
    }

    /// Makes a file without a name in a folder, for reading and writing.
    package convenience init(temporaryIn folder: String) throws(SystemError) {
        var template = Array("\(folder)/agent-sessions-XXXXXX".utf8CString)
        self.init(owning: try Self.uninterrupted { mkstemp(&template) })
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        unlink(template)
    }

    /// What it is open on.
    package func kind() throws(SystemError) -> Kind {
        var status = stat()
        _ = try Self.uninterrupted { fstat(number, &status) }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file(size: Int(status.st_size))
        case S_IFDIR: .folder
        default: .stream
        }
    }

    // MARK: Reading and writing

    /// The next bytes, as many as there are, up to `limit`; none at the end.
    package func read(atMost limit: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { (buffer, count) in
            do throws(SystemError) {
                count = try Self.uninterrupted { systemRead(number, buffer.baseAddress, buffer.count) }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads from the byte `offset` on, as many bytes as there are and have room.
    ///
    /// - Returns: The number of bytes; 0 at the end.
    package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        try Self.uninterrupted { pread(number, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// Writes as many of the bytes as there is room for.
    ///
    /// - Returns: The number of bytes.
    package func write(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
        try Self.uninterrupted { bytes.withUnsafeBytes { systemWrite(number, $0.baseAddress, $0.count) } }
    }

    /// Writes all of the bytes.
    package func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty { rest = rest.dropFirst(try write(rest)) }
    }

    /// Waits until there are bytes to read, or room to write, or the other end is gone.
    ///
    /// - Returns: Whether that is so; `false` after so many milliseconds.
    package func wait(toRead: Bool, milliseconds: Int32) throws(SystemError) -> Bool {
        var waiting = pollfd(fd: number, events: Int16(toRead ? POLLIN : POLLOUT), revents: 0)
        return try Self.uninterrupted { poll(&waiting, 1, milliseconds) } > 0
    }

    /// Cuts a file off, and goes on at its end.
    package func truncate(to size: Int) throws(SystemError) {
        _ = try Self.uninterrupted { ftruncate(number, off_t(size)) }
        _ = try Self.uninterrupted { lseek(number, off_t(size), SEEK_SET) }
    }

    /// Brings what was written to the disk.
    package func sync() throws(SystemError) {
        _ = try Self.uninterrupted { fsync(number) }
    }

    /// Brings the entries of a folder to the disk, on a file system that does so.
    package func syncEntries() throws(SystemError) {
        do throws(SystemError) {
            try sync()
        } catch {
            guard error.number == EINVAL || error.number == ENOTSUP else { throw error }
        }
    }

    // MARK: Locks

    /// Takes the exclusive lock of the file or folder, which the system lets go when it is closed.
    ///
    /// - Returns: `false` where another descriptor has it.
    package func tryLock() throws(SystemError) -> Bool {
        do throws(SystemError) {
            _ = try Self.uninterrupted { flock(number, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            guard error.isNotReady else { throw error }
            return false
        }
    }

    /// Lets the lock go.
    package func unlock() {
        _ = flock(number, LOCK_UN)
    }

    private static func uninterrupted<Value: SignedInteger>(_ call: () -> Value) throws(SystemError) -> Value {
        while true {
            let value = call()
            if value >= 0 { return value }
            guard errno == EINTR else { throw SystemError(errno) }
        }
    }
}

// The functions of the system library whose names are those of methods here.
private func systemRead(_ number: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(number, bytes, count)
}

private func systemWrite(_ number: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(number, bytes, count)
}
