import Synchronization

/// An operation that a task has queued for a thread, whatever its result.
///
/// The thread runs it, several times where a run did not count, and answers it once, with the outcome of the last run
/// or with a failure that was put in its place.
package protocol PendingOperation<Context, Failure>: AnyObject, Sendable {
    /// What the operation is run on, such as an open transaction.
    associatedtype Context
    associatedtype Failure: Error

    /// Whether the outcome so far is a failure.
    var hasFailed: Bool { get }

    /// Runs the operation and keeps its outcome.
    func run(_ context: inout Context)

    /// Makes a failure the outcome.
    func fail(_ failure: Failure)

    /// Gives the outcome to the task that waits. Called once, last.
    func answer()
}

/// A pending operation, with its result.
package final class TypedOperation<Context, Success: Sendable, Failure: Error>: PendingOperation {
    private let body: @Sendable (inout Context) throws(Failure) -> Success
    private let latest: Mutex<Result<Success, Failure>>
    private let answered = OneShot<Result<Success, Failure>>()

    /// - Parameters:
    ///   - notRun: The outcome where the operation is answered before it was run.
    ///   - body: The operation. It may be run more than once.
    package init(notRun: Failure, _ body: @escaping @Sendable (inout Context) throws(Failure) -> Success) {
        latest = Mutex(.failure(notRun))
        self.body = body
    }

    package var hasFailed: Bool {
        latest.withLock { if case .failure = $0 { true } else { false } }
    }

    package func run(_ context: inout Context) {
        let result = Result { () throws(Failure) in try body(&context) }
        latest.withLock { $0 = result }
    }

    package func fail(_ failure: Failure) {
        latest.withLock { $0 = .failure(failure) }
    }

    package func answer() {
        answered.send(latest.withLock { $0 })
    }

    /// Waits for the answer, without blocking a thread.
    package func outcome() async -> Result<Success, Failure> {
        await answered.value()
    }
}
