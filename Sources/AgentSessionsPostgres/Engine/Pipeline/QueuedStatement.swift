#if Postgres
internal import AgentSessions

/// An operation of one statement that waits for its turn, whatever its result.
///
/// `@unchecked Sendable`, as its subclass has an outcome that changes: an operation is made by a task, which lets go of
/// it as it is added to a lane, and from then on only who took it out of the lane's waiting ones, under its mutex,
/// touches the outcome.
class QueuedStatement: @unchecked Sendable {
    let command: Command
    /// The session that it changes. Operations that share a transaction take their locks in this order, so that two
    /// such transactions never wait for each other.
    let session: ULID?
    /// Whether it may take long, and so shares a transaction with nobody.
    let isAlone: Bool

    init(_ command: Command, session: ULID?, isAlone: Bool) {
        self.command = command
        self.session = session
        self.isAlone = isAlone
    }

    /// Reads the server's answer and keeps what comes of it.
    func receive(_ result: PostgresResult) {}

    /// Makes an error the outcome.
    func fail(_ failure: PipelineError) {}

    /// Makes an error the outcome.
    func fail(_ error: StoreError) {}

    /// Gives the outcome to the task that waits. Called once, last.
    func answer() {}
}

final class TypedOperation<Success: Sendable>: QueuedStatement, @unchecked Sendable {
    /// Reads the answer of the server to the statement.
    typealias Decode = @Sendable (PostgresResult) throws(StoreError) -> Success
    /// Turns a failure into an error, or into an outcome after all.
    typealias Recover = @Sendable (PipelineError) throws(StoreError) -> Success

    private let decode: Decode
    private let recover: Recover
    private let continuation: UnsafeContinuation<Result<Success, StoreError>, Never>
    private var outcome: Result<Success, StoreError> = .failure(
        StoreError(.internalFailure, "An operation was answered before it was run.", backend: PostgresBackend.name))

    init(
        _ command: Command, session: ULID?, isAlone: Bool, decode: @escaping Decode, recover: @escaping Recover,
        continuation: UnsafeContinuation<Result<Success, StoreError>, Never>
    ) {
        self.decode = decode
        self.recover = recover
        self.continuation = continuation
        super.init(command, session: session, isAlone: isAlone)
    }

    override func receive(_ result: PostgresResult) {
        outcome = Result { () throws(StoreError) in try decode(result) }
    }

    override func fail(_ failure: PipelineError) {
        outcome = Result { () throws(StoreError) in try recover(failure) }
    }

    override func fail(_ error: StoreError) {
        outcome = .failure(error)
    }

    override func answer() {
        continuation.resume(returning: outcome)
    }
}
#endif
