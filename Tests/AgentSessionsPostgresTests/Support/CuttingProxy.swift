#if Postgres
import Foundation
import AgentSessionsPostgresServer
import Synchronization

/// A Unix socket in front of a server's. On demand it cuts a connection when the server's next answer to a change is
/// there, without passing the answer on: the client has sent its commit and never hears of it.
final class CuttingProxy: Sendable {
    private struct State {
        var isArmed = false
        var cuts = 0
        /// What happens before the client sees that the connection is gone.
        var meanwhile: (@Sendable () async -> Void)?
    }

    let folder: String
    private let listener: Int32
    private let target: String
    private let state = Mutex(State())

    init(to target: String) throws {
        self.target = target
        folder = "/tmp/agent-sessions-px-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard Self.withAddress("\(folder)/.s.PGSQL.5432", { bind(listener, $0, $1) }) == 0, listen(listener, 16) == 0
        else {
            throw TestFailure("the proxy cannot listen")
        }
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                Thread.detachNewThread { [self] in serve(client) }
            }
        }
    }

    var cuts: Int { state.withLock { $0.cuts } }

    /// - Parameter meanwhile: What happens after the change and before the client sees that the connection is gone.
    func cutNextAnswer(_ meanwhile: (@Sendable () async -> Void)? = nil) {
        state.withLock { state in
            state.isArmed = true
            state.meanwhile = meanwhile
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func serve(_ client: Int32) {
        let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer {
            // Processes that tests start may have inherited the sockets, so closing them would not end the connection.
            for descriptor in [client, server] {
                shutdown(descriptor, Int32(SHUT_RDWR))
                close(descriptor)
            }
        }
        guard Self.withAddress(target, { connect(server, $0, $1) }) == 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var descriptors = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&descriptors, 2, -1) > 0 else { return }
            for (index, other) in [(0, server), (1, client)] where descriptors[index].revents != 0 {
                let count = read(descriptors[index].fd, &buffer, buffer.count)
                guard count > 0 else { return }
                // An answer to an INSERT, and so to an append, is the one to lose.
                if index == 1, buffer[..<count].firstRange(of: Array("INSERT 0".utf8)) != nil, disarm() { return }
                guard write(other, buffer, count) == count else { return }
            }
        }
    }

    private func disarm() -> Bool {
        let (isCut, meanwhile) = state.withLock { state in
            guard state.isArmed else { return (false, nil as (@Sendable () async -> Void)?) }
            state.isArmed = false
            state.cuts += 1
            return (true, state.meanwhile)
        }
        if let meanwhile {
            // This thread belongs to the proxy and may block.
            let done = DispatchSemaphore(value: 0)
            Task {
                await meanwhile()
                done.signal()
            }
            done.wait()
        }
        return isCut
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
#endif
