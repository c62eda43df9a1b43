import AgentSessions

/// A change that waits for its transaction, whatever its result.
///
/// `@unchecked Sendable`, as its subclass has an outcome that changes: a pending write is made by a task, which lets
/// go of it as it is added to the queue, and from then on only who took it out of the queue touches it: the writer's
/// thread, which may put it back, the watch, or the task's cancellation. The queue's mutex orders them.
class PendingWrite<Writer>: @unchecked Sendable {
    /// Whether it shares its transaction with nobody.
    final var isAlone: Bool
    /// How long it waits in the queue.
    final let deadline: ContinuousClock.Instant

    init(isAlone: Bool, deadline: ContinuousClock.Instant) {
        self.isAlone = isAlone
        self.deadline = deadline
    }

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
    /// The task that waits; set before the write is added to the queue.
    var continuation: UnsafeContinuation<Result<Success, StoreError>, Never>?
    private let body: @Sendable (inout Writer) throws(StoreError) -> Success
    private var outcome: Result<Success, StoreError> = .failure(
        StoreError(.internalFailure, "A change was answered before it was run."))

    init(
        isAlone: Bool, deadline: ContinuousClock.Instant,
        _ body: @escaping @Sendable (inout Writer) throws(StoreError) -> Success
    ) {
        self.body = body
        super.init(isAlone: isAlone, deadline: deadline)
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
        continuation?.resume(returning: outcome)
    }
}
