import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes a text into a file that only its owner can read, in place of what it held.
///
/// - Throws: ``AgentSessions/StoreError/Code/unavailable`` where it cannot be written.
func writeFile(_ text: String, to path: String) throws(StoreError) {
    func failure() -> StoreError {
        StoreError(.unavailable, "\(path) cannot be written: \(String(cString: strerror(errno))).")
    }
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure() }
    defer { close(file) }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let written = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        if written < 0, errno == EINTR { continue }
        guard written > 0 else { throw failure() }
        rest = rest.dropFirst(written)
    }
}
