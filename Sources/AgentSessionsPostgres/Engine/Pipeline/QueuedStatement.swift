#if Postgres
internal import AgentSessions

/// A caller's statement that waits to be sent, or to be answered.
///
/// `@unchecked Sendable`, as its subclass has an outcome that changes: a task makes the statement and lets go of it as it
/// enqueues it. From then on only the thread that took it out of the queue, under the batcher's mutex, touches the outcome.
class QueuedStatement: @unchecked Sendable {
    let statement: Statement
    /// The session that it changes. Statements that share a transaction lock their sessions in this order, so that two
    /// such transactions never wait for each other.
    let session: ULID?
    /// Whether it may take long, and so has a batch of its own.
    let isExclusive: Bool

    init(_ statement: Statement, session: ULID?, isExclusive: Bool) {
        self.statement = statement
        self.session = session
        self.isExclusive = isExclusive
    }

    /// Reads the server's answer and keeps the outcome.
    func receive(_ result: PostgresResult) {}

    /// Makes an error the outcome.
    func fail(_ error: PipelineError) {}

    /// Makes an error the outcome.
    func fail(_ error: StoreError) {}

    /// Gives the outcome to the task that waits. Called once, last.
    func answer() {}
}

/// A queued statement whose task waits for a value.
final class AwaitedStatement<Success: Sendable>: QueuedStatement, @unchecked Sendable {
    /// Makes the value of the server's answer.
    typealias Decode = @Sendable (PostgresResult) throws(StoreError) -> Success
    /// Turns a failure into an error, or into a value after all.
    typealias Recover = @Sendable (PipelineError) throws(StoreError) -> Success

    private let decode: Decode
    private let recover: Recover
    private let continuation: UnsafeContinuation<Result<Success, StoreError>, Never>
    private var outcome: Result<Success, StoreError> = .failure(
        StoreError(.internalFailure, "A statement was answered before it was sent.", backend: PostgresBackend.name))

    init(
        _ statement: Statement, session: ULID?, isExclusive: Bool, decode: @escaping Decode,
        recover: @escaping Recover, continuation: UnsafeContinuation<Result<Success, StoreError>, Never>
    ) {
        self.decode = decode
        self.recover = recover
        self.continuation = continuation
        super.init(statement, session: session, isExclusive: isExclusive)
    }

    override func receive(_ result: PostgresResult) {
        outcome = Result { () throws(StoreError) in try decode(result) }
    }

    override func fail(_ error: PipelineError) {
        outcome = Result { () throws(StoreError) in try recover(error) }
    }

    override func fail(_ error: StoreError) {
        outcome = .failure(error)
    }

    override func answer() {
        continuation.resume(returning: outcome)
    }
}
#endif
