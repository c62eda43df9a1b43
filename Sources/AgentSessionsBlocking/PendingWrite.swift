import AgentSessions

/// A change that waits for its transaction, whatever its result.
///
/// `@unchecked Sendable`, as its subclass has an outcome that changes: a pending write is made by a task, which lets
/// go of it as it is added to the queue, and from then on only the writer's thread touches it. The queue's mutex
/// orders the two.
class PendingWrite<Writer>: @unchecked Sendable {
    /// Whether the last run threw.
    var failed: Bool { false }

    /// Runs the change and keeps its outcome.
    func run(_ writer: inout Writer) {}

    /// Makes an error the outcome.
    func fail(_ error: StoreError) {}

    /// Gives the outcome to the task that waits. Called once, last.
    func answer() {}
}

final class TypedWrite<Writer, Success: Sendable>: PendingWrite<Writer>, @unchecked Sendable {
    private let body: @Sendable (inout Writer) throws(StoreError) -> Success
    private let continuation: UnsafeContinuation<Result<Success, StoreError>, Never>
    private var outcome: Result<Success, StoreError> = .failure(
        StoreError(.internalFailure, "A change was answered before it was run."))

    init(
        body: @escaping @Sendable (inout Writer) throws(StoreError) -> Success,
        continuation: UnsafeContinuation<Result<Success, StoreError>, Never>
    ) {
        self.body = body
        self.continuation = continuation
    }

    override var failed: Bool {
        if case .failure = outcome { true } else { false }
    }

    override func run(_ writer: inout Writer) {
        do {
            outcome = .success(try body(&writer))
        } catch {
            outcome = .failure(error)
        }
    }

    override func fail(_ error: StoreError) {
        outcome = .failure(error)
    }

    override func answer() {
        continuation.resume(returning: outcome)
    }
}
