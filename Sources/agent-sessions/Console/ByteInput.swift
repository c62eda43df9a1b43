import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A descriptor that bytes are read from.
struct ByteInput: Sendable {
    private static let chunkBytes = 64 << 10

    let descriptor: Int32
    /// What errors call it, to begin a sentence with.
    let name: String

    /// The next bytes; none at the end. Waits for them, also where the descriptor does not.
    ///
    /// - Throws: `unavailable` where the descriptor cannot be read, `cancelled` where the task is while it waits.
    func read() throws(StoreError) -> [UInt8] {
        while true {
            var code: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: Self.chunkBytes) { (buffer, count) in
                let got = systemRead(descriptor, buffer.baseAddress, buffer.count)
                code = got < 0 ? errno : 0
                count = max(got, 0)
            }
            switch code {
            case 0: return bytes
            case EINTR: continue
            case EAGAIN, EWOULDBLOCK: try waitUntilReady(descriptor, POLLIN, name: name)
            default: throw .system("\(name) cannot be read", code)
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
                    "\(what) on standard input has more than \(limit) bytes: that is all that is allowed.")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StoreError(.invalidArgument, "\(what) on standard input is not UTF-8.")
        }
        return text
    }
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
