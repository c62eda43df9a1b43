import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The bytes of a file.
///
/// - Parameters:
///   - path: The file, or anything else that can be read to an end, such as a pipe.
///   - limit: The most bytes that it may have.
///   - what: What it is, to begin a message with.
/// - Throws: `unavailable` where it cannot be read, `limitExceeded` where it is longer.
func readFile(_ path: String, limit: Int, what: String) throws(StoreError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotRead(what, errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    while true {
        let (chunk, code) = readChunk(descriptor)
        guard code == 0 else { throw .cannotRead(what, code) }
        if chunk.isEmpty { return bytes }
        bytes += chunk
        guard bytes.count <= limit else {
            throw StoreError(.limitExceeded, "\(what) is too long: at most \(limit) bytes are read.")
        }
    }
}

private func readChunk(_ descriptor: Int32) -> (bytes: [UInt8], code: Int32) {
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 64 << 10) { (buffer, count) in
        var got = read(descriptor, buffer.baseAddress, buffer.count)
        while got < 0, errno == EINTR { got = read(descriptor, buffer.baseAddress, buffer.count) }
        code = got < 0 ? errno : 0
        count = max(got, 0)
    }
    return (bytes, code)
}

extension StoreError {
    fileprivate static func cannotRead(_ what: String, _ code: Int32) -> StoreError {
        StoreError(.unavailable, "\(what) cannot be read: \(systemMessage(code)).")
    }
}

/// What the system says of an error number, such as `No such file or directory`.
func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }
