#if Postgres
internal import AgentSessions
import AgentSessionsThreads
internal import CAgentSessionsLibPQ

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Waiting for the socket of a connection.
enum Socket {
    /// What to wait for.
    struct Events: OptionSet {
        let rawValue: Int16

        /// There are bytes to read, or the connection failed.
        static let readable = Events(rawValue: Int16(POLLIN))
        /// The socket has room for more bytes to send.
        static let writable = Events(rawValue: Int16(POLLOUT))
    }

    /// What happened.
    enum Readiness {
        case readable
        case writable
        case nothing
    }

    /// Blocks the calling thread until something happens, at most for `timeout`.
    static func wait(_ connection: OpaquePointer, for events: Events, timeout: Duration) -> Readiness {
        var descriptor = pollfd(fd: PQsocket(connection), events: events.rawValue, revents: 0)
        // Rounded up, so that a caller that waits for an instant does not return before it.
        let milliseconds = (timeout.wholeNanoseconds + 999_999) / 1_000_000
        guard poll(&descriptor, 1, Int32(clamping: milliseconds)) > 0 else { return .nothing }
        // Anything else is an error, which the next read reports.
        return descriptor.revents == Int16(POLLOUT) ? .writable : .readable
    }
}
#endif
