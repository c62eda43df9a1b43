import AgentSessions

/// A descriptor that bytes are read from.
struct ByteInput: Sendable {
    private static let chunkBytes = 64 << 10

    let descriptor: FileDescriptor
    /// What errors call it, to begin a sentence with.
    let name: String

    /// The next bytes; none at the end. Waits for them, even if the descriptor does not block.
    ///
    /// - Throws: `unavailable` where the descriptor cannot be read, `cancelled` where the task is while it waits.
    func read() throws(StoreError) -> [UInt8] {
        while true {
            do throws(SystemError) {
                return try descriptor.read(atMost: Self.chunkBytes)
            } catch {
                guard error.isNotReady else { throw .system("\(name) cannot be read", error) }
                try descriptor.waitUntilReady(toRead: true, name: name)
            }
        }
    }

    /// Everything up to the end, as text.
    ///
    /// - Throws: `limitExceeded` as soon as there are more than `limit` bytes, `invalidArgument` where they are not
    ///   UTF-8.
    func readText(limit: Int, what: String) throws(StoreError) -> String {
        var bytes: [UInt8] = []
        while true {
            let chunk = try read()
            if chunk.isEmpty { break }
            bytes += chunk
            guard bytes.count <= limit else {
                throw StoreError(
                    .limitExceeded,
                    "\(what) on standard input has more than \(limit) bytes: that is the limit.")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StoreError(.invalidArgument, "\(what) on standard input is not UTF-8.")
        }
        return text
    }
}
