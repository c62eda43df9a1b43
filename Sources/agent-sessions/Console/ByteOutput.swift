import AgentSessions
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A descriptor that bytes are written to, through a buffer.
final class ByteOutput: Sendable {
    private static let bufferBytes = 64 << 10

    private let descriptor: Int32
    private let name: String
    private let buffer = Mutex<[UInt8]>([])

    /// - Parameter name: What errors call it, to begin a sentence with.
    init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// Writes bytes, at the latest on the next ``flush()``.
    ///
    /// - Throws: `unavailable` where the descriptor cannot be written: the reader is gone, the disk is full;
    ///   `cancelled` where the task is cancelled while it waits for a descriptor that does not block.
    func write(_ bytes: some Collection<UInt8>) throws(StoreError) {
        try buffer.withLock { (buffer) throws(StoreError) in
            buffer.append(contentsOf: bytes)
            if buffer.count >= Self.bufferBytes { try send(&buffer) }
        }
    }

    /// Writes a text and a line break.
    func print(_ text: String) throws(StoreError) {
        try write(text.utf8)
        try write(CollectionOfOne(UInt8(ascii: "\n")))
    }

    /// Hands everything that was written to the system.
    func flush() throws(StoreError) {
        try buffer.withLock { (buffer) throws(StoreError) in try send(&buffer) }
    }

    private func send(_ bytes: inout [UInt8]) throws(StoreError) {
        defer { bytes.removeAll(keepingCapacity: true) }
        var sent = 0
        while sent < bytes.count {
            let result = bytes.withUnsafeBytes { buffer in
                systemWrite(descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent)
            }
            if result >= 0 {
                sent += result
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN, EWOULDBLOCK: try waitUntilReady(descriptor, POLLOUT, name: name)
            case let code: throw .system("\(name) cannot be written", code)
            }
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

extension StoreError {
    /// A call to the system failed.
    static func system(_ what: String, _ code: Int32) -> StoreError {
        StoreError(.unavailable, "\(what): \(String(cString: strerror(code))).")
    }
}
