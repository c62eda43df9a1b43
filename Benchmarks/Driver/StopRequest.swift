import AgentSessions
import Synchronization

/// Asks a benchmark to end before its time, such as by Ctrl-C. What was measured until then is reported.
public final class StopRequest: Sendable {
    private let requested = Atomic(false)

    /// Nothing asked yet.
    public init() {}

    /// Whether the benchmark is to end.
    public var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// Asks. It may be called from a signal handler.
    public func request() { requested.store(true, ordering: .relaxed) }

    /// - Throws: ``AgentSessions/StoreError/Code/cancelled`` where the benchmark is to end.
    func check() throws(StoreError) {
        guard !isRequested else { throw StoreError(.cancelled, "The benchmark was interrupted.") }
    }
}
