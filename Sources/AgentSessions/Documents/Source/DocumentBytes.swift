import AgentSessionsThreads

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The bytes of a document, which several threads may read at once.
///
/// A file is open once for the whole import, so that both passes see the same file even if another file takes its name.
final class DocumentBytes: Sendable {
    private enum Storage: Sendable {
        case memory([UInt8])
        case file(FileDescriptor)
    }

    private let storage: Storage
    /// What messages call the source.
    let name: String
    /// The number of bytes when it was opened; a file may change.
    let count: Int

    /// Bytes in memory.
    init(_ bytes: [UInt8], name: String) {
        self.name = name
        storage = .memory(bytes)
        count = bytes.count
    }

    /// A file that is open, of `count` bytes.
    init(_ file: FileDescriptor, count: Int, name: String) {
        self.name = name
        storage = .file(file)
        self.count = count
    }

    /// Opens `source`. Blocks; what cannot be read twice, such as a pipe, is copied to a temporary file first.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where there is no such file, it is a directory, or may not be
    ///   read; ``StoreError/Code/unavailable`` where the system fails.
    convenience init(_ source: DocumentSource, cancellation: CancellationFlag) throws(StoreError) {
        switch source {
        case .bytes(let bytes): self.init(bytes, name: "the given bytes")
        case .file(let path): try self.init(path: path, cancellation: cancellation)
        }
    }

    private convenience init(path: String, cancellation: CancellationFlag) throws(StoreError) {
        guard !path.utf8.contains(0) else {
            throw StoreError(.invalidArgument, "The path \(quoted(path)) contains a NUL character: name a file.")
        }
        let name = quoted(path, limit: 200)
        let file: FileDescriptor
        let kind: FileDescriptor.Kind
        do {
            file = try FileDescriptor(path, .readingWithoutWaiting)
            kind = try file.kind()
        } catch {
            throw .system("\(name) cannot be opened", error, code: error.isOfPath ? .invalidArgument : .unavailable)
        }
        switch kind {
        case .folder:
            throw StoreError(.invalidArgument, "\(name) is a directory: name a file, or the files in it one by one.")
        case .file(let size):
            self.init(file, count: size, name: name)
        case .stream:
            let copy = try TemporaryDocument.copy(of: file, name: name, cancellation: cancellation)
            self.init(copy.file, count: copy.count, name: name)
        }
    }

    /// Whether reading may wait for a disk.
    var isFile: Bool {
        if case .file = storage { true } else { false }
    }

    /// Reads from the byte `offset` on, as many bytes as there are, up to the size of `buffer`. Blocks where the source is a file.
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
            do throws(SystemError) {
                return try file.read(at: offset, into: buffer)
            } catch {
                throw .system("\(name) cannot be read", error)
            }
        }
    }
}

extension SystemError {
    /// Whether the path is at fault, and not the system.
    fileprivate var isOfPath: Bool {
        [ENOENT, ENOTDIR, EACCES, EPERM, EISDIR, ENAMETOOLONG, ELOOP, ENXIO].contains(number)
    }
}
