import AgentSessions
import AgentSessionsThreads

/// A change in the queue of the writer thread.
struct QueuedWrite<Writer> {
    let operation: any PendingOperation<Writer, StoreError>
    /// Whether it gets a transaction of its own.
    var isExclusive: Bool
    /// When it is refused, if the writer thread has not taken it by then.
    let deadline: ContinuousClock.Instant
}

extension QueuedWrite: Sendable where Writer: SendableMetatype {}
