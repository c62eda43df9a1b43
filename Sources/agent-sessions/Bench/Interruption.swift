import AgentSessions
import AgentSessionsBenchmarks
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Ctrl-C during work whose results so far are of use: the first asks it to end, the second ends the process.
enum Interruption {
    /// What the handler asks. A handler has no context, so it is static; it is set before the handler is.
    private static let requested = Atomic(false)

    /// Runs `body`, and makes a signal to end a request to `stop`.
    static func requesting<Result>(
        _ stop: StopRequest, _ body: () async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        requested.store(false, ordering: .relaxed)
        let handled = [SIGINT, SIGTERM]
        for number in handled {
            signal(number) { number in
                Interruption.requested.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
        defer { for number in handled { signal(number, SIG_DFL) } }
        let watcher = Task.detached {
            while !Task.isCancelled {
                if requested.load(ordering: .relaxed) { return stop.request() }
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        defer { watcher.cancel() }
        return try await body()
    }
}
