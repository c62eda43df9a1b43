import AgentSessionsThreads

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The bytes of a document, which any number of threads may read at any place at once.
///
/// A file is open once for the whole import, so that both passes see the same file even where another takes its name.
final class DocumentBytes: Sendable {
    fileprivate enum Storage: Sendable {
        case memory([UInt8])
        case file(FileDescriptor)
    }

    private let storage: Storage
    /// What messages call the source.
    let name: String
    /// The number of bytes when it was opened; a file may change.
    let count: Int

    /// Opens `source`. Blocks; what cannot be read twice, such as a pipe, is copied to a temporary file first.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where there is no such file, it is a directory, or may not be
    ///   read; ``StoreError/Code/unavailable`` where the system fails.
    init(_ source: DocumentSource, cancellation: CancellationFlag) throws(StoreError) {
        switch source {
        case .bytes(let bytes):
            name = "the given bytes"
            storage = .memory(bytes)
            count = bytes.count
        case .file(let path):
            name = quoted(path, limit: 200)
            let file = try FileDescriptor(reading: path)
            switch try file.kind(path) {
            case .directory:
                throw StoreError(
                    .invalidArgument, "\(name) is a directory: name a file, or the files in it one by one.")
            case .regular(let size):
                storage = .file(file)
                count = size
            case .stream:
                let copy = try file.spooled(from: path, cancellation: cancellation)
                storage = .file(copy.file)
                count = copy.size
            }
        }
    }

    fileprivate init(name: String, _ storage: Storage, count: Int) {
        self.name = name
        self.storage = storage
        self.count = count
    }

    /// Whether reading may wait for a disk.
    var isFile: Bool {
        if case .file = storage { true } else { false }
    }

    /// Reads bytes from a place on, as many as there are and have room. Blocks where the source is a file.
    ///
    /// - Returns: The number of bytes; 0 at the end.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(StoreError) -> Int {
        switch storage {
        case .memory(let bytes):
            guard offset < bytes.count else { return 0 }
            let end = min(bytes.count, offset + buffer.count)
            buffer.copyBytes(from: bytes[offset..<end])
            return end - offset
        case .file(let file):
            while true {
                let count = pread(file.number, buffer.baseAddress, buffer.count, off_t(offset))
                if count >= 0 { return count }
                guard errno == EINTR else { throw .file("\(name) cannot be read", errno) }
            }
        }
    }
}

/// An open file, closed with the last reference to it.
private final class FileDescriptor: Sendable {
    enum Kind {
        case regular(size: Int)
        case directory
        /// A pipe, a terminal, a device: to be read once, from the first byte to the last.
        case stream
    }

    private static let spoolBuffer = 1 << 18
    /// How often a wait for a pipe looks whether the task was cancelled.
    private static let pollMilliseconds: Int32 = 100

    let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    deinit { close(number) }

    convenience init(reading path: String) throws(StoreError) {
        guard !path.utf8.contains(0) else {
            throw StoreError(.invalidArgument, "The path \(quoted(path)) has a NUL in it: name a file.")
        }
        // Without O_NONBLOCK, opening a pipe that nobody writes to would block for good.
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else { throw .file("\(quoted(path, limit: 200)) cannot be opened", errno) }
        self.init(number)
    }

    func kind(_ path: String) throws(StoreError) -> Kind {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw .file("\(quoted(path, limit: 200)) cannot be read", errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .regular(size: Int(status.st_size))
        case S_IFDIR: return .directory
        default: return .stream
        }
    }

    /// Copies what is still to be read to a temporary file that its owner alone may open, and that has no name.
    func spooled(
        from path: String, cancellation: CancellationFlag
    ) throws(StoreError) -> (file: FileDescriptor, size: Int) {
        let copy = try Self.temporary()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.spoolBuffer, alignment: 16)
        defer { buffer.deallocate() }
        var size = 0
        while true {
            try cancellation.check()
            var waiting = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, Self.pollMilliseconds) != 0 else { continue }
            let count = Self.uninterrupted { Self.readBytes(number, buffer) }
            if count == 0 { return (copy, size) }
            guard count > 0 else {
                if errno == EAGAIN { continue }
                throw .file("\(quoted(path, limit: 200)) cannot be read", errno)
            }
            try copy.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            size += count
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let more = Self.uninterrupted { write(number, rest.baseAddress, rest.count) }
            guard more > 0 else { throw .file("A temporary copy of the document cannot be written", errno) }
            written += more
        }
    }

    private static func readBytes(_ number: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        read(number, buffer.baseAddress, buffer.count)
    }

    private static func uninterrupted(_ call: () -> Int) -> Int {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    static func temporary() throws(StoreError) -> FileDescriptor {
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(directory)/agent-sessions-XXXXXX".utf8CString)
        let number = mkstemp(&template)
        guard number >= 0 else {
            throw .file("No temporary file can be made in \(quoted(directory, limit: 200))", errno)
        }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        unlink(template)
        return FileDescriptor(number)
    }
}

/// A document that is written to its end and then read: in memory while it is short, beyond that in a temporary file
/// that its owner alone may open, and that has no name.
struct DocumentSpool: Sendable {
    /// Bytes that are kept in memory.
    private static let capacity = 256 << 10

    private let name: String
    private var pending: [UInt8] = []
    private var file: FileDescriptor?
    private var size = 0

    /// - Parameter name: What messages call the document.
    init(name: String) {
        self.name = name
    }

    /// Appends bytes to the document.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where there is no room for a temporary file.
    mutating func append(_ bytes: [UInt8]) async throws(StoreError) {
        pending += bytes
        size += bytes.count
        if pending.count > Self.capacity { try await flush() }
    }

    /// The document, whole.
    mutating func finish() async throws(StoreError) -> DocumentBytes {
        guard file != nil else { return DocumentBytes(name: name, .memory(pending), count: size) }
        try await flush()
        guard let file else { throw StoreError(.internalFailure, "A temporary file was lost.") }
        return DocumentBytes(name: name, .file(file), count: size)
    }

    private mutating func flush() async throws(StoreError) {
        let (known, bytes) = (file, pending)
        pending = []
        file = try await onOwnThread { _ throws(StoreError) in
            let file = if let known { known } else { try FileDescriptor.temporary() }
            // Typed throws do not pass through `withUnsafeBytes`, hence the detour.
            try bytes.withUnsafeBytes { bytes in Result { () throws(StoreError) in try file.append(bytes) } }.get()
            return file
        }
    }
}

extension StoreError {
    /// A call of the system that failed.
    fileprivate static func file(_ what: String, _ number: Int32) -> StoreError {
        let code: Code =
            switch number {
            case ENOENT, ENOTDIR, EACCES, EPERM, EISDIR, ENAMETOOLONG, ELOOP, ENXIO: .invalidArgument
            default: .unavailable
            }
        return StoreError(code, "\(what): \(String(cString: strerror(number))).", nativeCode: "errno \(number)")
    }
}
