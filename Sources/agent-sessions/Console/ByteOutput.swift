import AgentSessions
import Synchronization

/// A descriptor that bytes are written to, through a buffer.
final class ByteOutput: Sendable {
    private static let bufferBytes = 64 << 10

    private struct State {
        var buffer: [UInt8] = []
        var tail = FileTail()
    }

    private let descriptor: FileDescriptor
    private let name: String
    private let state = Mutex(State())

    /// - Parameter name: What errors call it, to begin a sentence with.
    init(_ descriptor: FileDescriptor, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// Writes bytes, at the latest on the next ``flush()``.
    ///
    /// - Throws: `unavailable` if the descriptor cannot be written: the reader is gone, the disk is full;
    ///   `cancelled` if the task is cancelled while it waits for a descriptor that does not block.
    func write(_ bytes: some Collection<UInt8>) throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in
            state.buffer.append(contentsOf: bytes)
            if state.buffer.count >= Self.bufferBytes { try send(&state) }
        }
    }

    /// Writes a text and a line break.
    func print(_ text: String) throws(StoreError) {
        try write(text.utf8)
        try write(CollectionOfOne(UInt8(ascii: "\n")))
    }

    /// Passes everything that was written to the system.
    func flush() throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in try send(&state) }
    }

    private func send(_ state: inout State) throws(StoreError) {
        guard !state.buffer.isEmpty else { return }
        defer { state.buffer.removeAll(keepingCapacity: true) }
        let tail = state.tail.next(of: descriptor)
        state.tail = FileTail()
        var sent = 0
        while sent < state.buffer.count {
            do throws(SystemError) {
                sent += try descriptor.write(state.buffer[sent...])
            } catch {
                guard error.isNotReady else { throw .system("\(name) cannot be written", error) }
                try descriptor.waitUntilReady(toRead: false, name: name)
            }
        }
        state.tail = tail.grown(by: sent, in: descriptor)
    }
}

extension ByteOutput: DocumentSink {
    /// Takes back what is still in the buffer, and the end of a file that no other program has written to.
    func takeBack(_ count: Int) async throws(StoreError) -> Bool {
        try state.withLock { (state) throws(StoreError) in
            let waiting = min(count, state.buffer.count)
            if count > waiting {
                do throws(SystemError) {
                    guard try state.tail.cutOff(count - waiting, of: descriptor) else { return false }
                } catch {
                    throw .system("\(name) cannot be cut off", error)
                }
            }
            state.buffer.removeLast(waiting)
            return true
        }
    }
}
