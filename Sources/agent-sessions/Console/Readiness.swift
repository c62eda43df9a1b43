import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Waits until a descriptor that does not block is ready, as the streams are that a Node process hands on.
///
/// It takes the thread that it is called on, as reading and writing do where the descriptor blocks. A command does one
/// thing at a time, so nobody waits for that thread.
///
/// - Parameters:
///   - descriptor: The descriptor, which said that it is not ready.
///   - events: What to wait for: `POLLIN` or `POLLOUT`.
///   - name: What errors call the descriptor, to begin a sentence with.
/// - Throws: `cancelled` where the task is cancelled.
func waitUntilReady(_ descriptor: Int32, _ events: some BinaryInteger, name: String) throws(StoreError) {
    /// How often the wait looks whether the task was cancelled.
    let milliseconds: Int32 = 100
    var waiting = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    while true {
        guard !Task.isCancelled else {
            throw StoreError(.cancelled, "\(name) was not ready when the task was cancelled.")
        }
        let ready = poll(&waiting, 1, milliseconds)
        if ready > 0 { return }
        guard ready == 0 || errno == EINTR else { throw .system("\(name) cannot be waited for", errno) }
    }
}
