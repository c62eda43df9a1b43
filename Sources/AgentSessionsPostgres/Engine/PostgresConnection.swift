#if Postgres
internal import AgentSessions
internal import CAgentSessionsLibPQ

/// A connection to a server, with the statements that were prepared on it. It is opened and closed on a thread of its own,
/// which waits for its socket. Other threads may send on it, and wait for microseconds.
///
/// `@unchecked Sendable`, as it changes with every call: the pool leases it to one user at a time, under its mutex, and a
/// user works with it on one thread, or hands it over to the connection's own thread by a queue and lets go of it.
final class PostgresConnection: @unchecked Sendable {
    /// How much longer than the server's own bounds on statements and locks a silent server is waited for.
    private static let grace = Duration.seconds(5)

    /// What stands around the statements of a transaction.
    let framing: TransactionFraming
    private let handle: OpaquePointer
    private let notices: ServerNotices
    /// Whether no other client shares the session, so that statements can be prepared on it.
    private let preparesStatements: Bool
    /// The largest number of bytes that the parameters of a statement may have.
    private let largestMessage: Int
    /// A server that is silent for this long has failed.
    private let stallTimeout: Duration
    private var prepared: Set<String> = []
    private var pipeline: SentPipeline?
    private let clock = ContinuousClock()
    /// Whether the connection is of no more use.
    private(set) var isBroken = false

    /// Takes over a connection that libpq has made.
    ///
    /// - Parameters:
    ///   - handle: The connection, which this object closes.
    ///   - notices: The object that receives its notices.
    ///   - configuration: How statements and transactions are sent on it.
    init(_ handle: OpaquePointer, notices: ServerNotices, _ configuration: PostgresConfiguration) {
        self.handle = handle
        self.notices = notices
        framing = TransactionFraming(configuration)
        preparesStatements = configuration.preparesStatements
        largestMessage = configuration.largestMessage
        stallTimeout = max(configuration.statementTimeout, configuration.lockTimeout) + Self.grace
        PQsetnonblocking(handle, 1)
    }

    deinit {
        PQfinish(handle)
    }

    /// Whether the next user finds the connection as the last one did: open, with no transaction.
    var isClean: Bool { !isBroken && PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// Whether the server has sent something that answers nothing: as a rule that it has closed the connection.
    var isStale: Bool {
        isBroken || Socket.wait(handle, for: [.readable], timeout: .zero) != .nothing
    }

    /// Whether statements can be sent without anything before them.
    func hasPrepared(_ statements: [Statement]) -> Bool {
        !preparesStatements || statements.allSatisfy(isPrepared)
    }

    /// Whether TLS protects the connection.
    var usesTLS: Bool { PQsslInUse(handle) != 0 }

    // MARK: Statements

    /// Sends one statement and receives its answer. Outside a transaction the statement is committed then.
    ///
    /// - Parameter lockWait: How long it waits for a lock, outside a transaction.
    func query(_ statement: Statement, lockWait: LockWait = .full) throws(PipelineError) -> PostgresResult {
        var answer: PostgresResult?
        try send([statement], lockWait: lockWait)
        try receive { _, result in answer = result }
        guard let answer else { throw lost("the server gave no answer", mayBeStored: true) }
        return answer
    }

    /// Sends statements as one pipeline. Outside a transaction they are one of their own. ``receive(within:_:)`` is next.
    ///
    /// Where all of them are prepared, see ``hasPrepared(_:)``, this waits for nothing.
    ///
    /// - Parameter lockWait: How long they wait for a lock, outside a transaction.
    func send(_ statements: [Statement], lockWait: LockWait) throws(PipelineError) {
        if let position = statements.firstIndex(where: { $0.parameters.bytes.count > largestMessage }) {
            throw .refused(position: position, .messageTooLarge)
        }
        if preparesStatements { try prepareMissing(statements) }
        // An open transaction has had its settings as it began, and is committed by a statement of its own.
        let isOwnTransaction = PQtransactionStatus(handle) == PQTRANS_IDLE
        try send(
            statements, committedAt: isOwnTransaction ? statements.count : nil,
            after: isOwnTransaction ? framing.prelude(lockWait) : [])
    }

    /// Receives the answers to what was sent.
    ///
    /// - Parameters:
    ///   - bound: How long to wait; by default for as long as the server may be silent.
    ///   - take: Called with the position and the answer of each statement, before the pipeline is committed.
    /// - Returns: Whether all of it came. Where it did not, this is to be called again.
    @discardableResult
    func receive(
        within bound: Duration? = nil, _ take: (Int, PostgresResult) -> Void
    ) throws(PipelineError) -> Bool {
        guard var pipeline else { throw lost("no statement was sent", mayBeStored: false) }
        self.pipeline = nil
        let isOver = try receive(&pipeline, until: bound.map { clock.now + $0 }, take)
        if !isOver { self.pipeline = pipeline }
        return isOver
    }

    /// Opens a transaction.
    func begin(_ kind: TransactionFraming.Kind) throws(PipelineError) {
        try send(framing.opening(kind), committedAt: nil)
        try receive { _, _ in }
    }

    /// Commits the open transaction.
    ///
    /// - Returns: Whether the server did: it undoes a transaction in which a statement has failed.
    func commit() throws(PipelineError) -> Bool {
        try send([framing.commit], committedAt: 0)
        var tag = ""
        try receive { _, result in tag = result.commandTag }
        return framing.isCommitted(tag)
    }

    /// Runs a script: SQL that is separated by semicolons, takes no parameters and gives no rows, outside the pipeline.
    func execute(_ sql: String) throws(PipelineError) {
        // Outside a transaction the server commits it as soon as it has it.
        let isOwnTransaction = PQtransactionStatus(handle) == PQTRANS_IDLE
        var pipeline = SentPipeline(count: 1, commitPosition: isOwnTransaction ? 0 : nil, position: 0)
        notices.clear()
        guard PQsendQuery(handle, sql) == 1 else { throw lost(PQerrorMessage(handle), mayBeStored: false) }
        while try awaitResult(of: &pipeline), let result = nextResult() {
            if result.status == PGRES_FATAL_ERROR, pipeline.refusal == nil { try receiveError(result, in: &pipeline) }
        }
        try finish(pipeline)
    }

    private func prepareMissing(_ statements: [Statement]) throws(PipelineError) {
        var missing: [(statement: Statement, position: Int)] = []
        for (position, statement) in statements.enumerated() where !isPrepared(statement) {
            if !missing.contains(where: { $0.statement.name == statement.name }) {
                missing.append((statement, position))
            }
        }
        guard !missing.isEmpty else { return }
        do throws(PipelineError) {
            try sendPipeline(SentPipeline(count: missing.count, commitPosition: nil, position: 0)) {
                () throws(PipelineError) in
                for (statement, _) in missing where PQsendPrepare(handle, statement.name, statement.sql, 0, nil) != 1 {
                    throw lost(PQerrorMessage(handle), mayBeStored: false)
                }
            }
            try receive { position, _ in prepared.insert(missing[position].statement.name) }
        } catch .refused(let position, let error) where missing.indices.contains(position) {
            // What was prepared before the statement that was refused stays: the server does not undo that.
            throw .refused(position: missing[position].position, error)
        }
    }

    private func isPrepared(_ statement: Statement) -> Bool {
        statement.name.isEmpty || prepared.contains(statement.name)
    }

    // MARK: Sending

    /// - Parameters:
    ///   - commit: See ``SentPipeline/commitPosition``.
    ///   - prelude: What is sent before the statements.
    private func send(
        _ statements: [Statement], committedAt commit: Int?, after prelude: [Statement] = []
    ) throws(PipelineError) {
        try sendPipeline(
            SentPipeline(count: statements.count, commitPosition: commit, position: -prelude.count)
        ) { () throws(PipelineError) in
            for statement in prelude { try send(statement) }
            for statement in statements { try send(statement) }
        }
    }

    private func send(_ statement: Statement) throws(PipelineError) {
        let isPrepared = preparesStatements && !statement.name.isEmpty
        let isSent = statement.parameters.withPointers { count, values, lengths, formats in
            isPrepared
                ? PQsendQueryPrepared(handle, statement.name, count, values, lengths, formats, 1)
                : PQsendQueryParams(handle, statement.sql, count, nil, values, lengths, formats, 1)
        }
        guard isSent == 1 else { throw lost(PQerrorMessage(handle), mayBeStored: false) }
    }

    private func sendPipeline(
        _ sent: SentPipeline, _ sendStatements: () throws(PipelineError) -> Void
    ) throws(PipelineError) {
        guard !isBroken, PQenterPipelineMode(handle) == 1 else {
            throw lost("the connection was closed before", mayBeStored: false)
        }
        notices.clear()
        try sendStatements()
        var sent = sent
        guard PQpipelineSync(handle) == 1 else {
            // Where the server has closed the connection, what it said then is there to read.
            while let result = nextResult() {
                if result.status == PGRES_FATAL_ERROR { try receiveError(result, in: &sent) }
            }
            throw lost(PQerrorMessage(handle), mayBeStored: sent.mayBeStored)
        }
        sent.hasUnsentBytes = PQflush(handle) == 1
        pipeline = sent
    }

    // MARK: Receiving

    /// - Returns: Whether all of the pipeline came before `bound`.
    private func receive(
        _ pipeline: inout SentPipeline, until bound: ContinuousClock.Instant?, _ take: (Int, PostgresResult) -> Void
    ) throws(PipelineError) -> Bool {
        while true {
            guard try awaitResult(of: &pipeline, until: bound) else { return false }
            // The end of a statement's answers. The commit at the synchronisation has one only where it was refused.
            guard let result = nextResult() else {
                let isExpected = pipeline.position < pipeline.count || pipeline.refusal?.position == pipeline.position
                guard PQstatus(handle) == CONNECTION_OK, isExpected else {
                    throw lost(PQerrorMessage(handle), mayBeStored: pipeline.mayBeStored)
                }
                pipeline.position += 1
                continue
            }
            switch result.status {
            case PGRES_PIPELINE_SYNC:
                guard PQexitPipelineMode(handle) == 1 else {
                    throw lost(PQerrorMessage(handle), mayBeStored: pipeline.mayBeStored)
                }
                try finish(pipeline)
                return true
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                if pipeline.refusal == nil, pipeline.position >= 0 { take(pipeline.position, result) }
            case PGRES_FATAL_ERROR where pipeline.refusal == nil:
                try receiveError(result, in: &pipeline)
            default:
                break
            }
        }
    }

    /// Receives an error: one of the server, unless libpq made the result because the connection was lost.
    ///
    /// - Throws: What the pipeline comes to, where no answer follows.
    private func receiveError(_ result: PostgresResult, in pipeline: inout SentPipeline) throws(PipelineError) {
        guard let error = ServerError(result) else {
            throw lost(result.errorMessage, mayBeStored: pipeline.mayBeStored)
        }
        let mayBeStored =
            pipeline.mayBeStored && framing.mayBeStored(after: error, isAtCommit: pipeline.isAtCommit)
        guard error.isFatal || mayBeStored else {
            pipeline.refusal = (pipeline.position, error)
            return
        }
        isBroken = true
        guard mayBeStored || error.isFromPooler else { throw .refused(position: pipeline.position, error) }
        throw .lost(detail: error.message, state: error.state, mayBeStored: mayBeStored, timedOut: false)
    }

    /// The server has answered all of a pipeline.
    ///
    /// - Throws: What came of it, where it was not a success.
    private func finish(_ pipeline: SentPipeline) throws(PipelineError) {
        if let (position, error) = pipeline.refusal {
            if error.endsConnection { isBroken = true }
            throw .refused(position: position, error)
        }
        if pipeline.commitPosition != nil, let wait = notices.abandonedWait { throw .unconfirmed(detail: wait) }
    }

    private func lost(_ detail: UnsafePointer<CChar>?, mayBeStored: Bool) -> PipelineError {
        lost(detail.map { String(cString: $0) } ?? "no reason given", mayBeStored: mayBeStored)
    }

    private func lost(_ detail: String, mayBeStored: Bool, timedOut: Bool = false) -> PipelineError {
        isBroken = true
        let detail = notices.abandonedWait ?? oneLine(detail)
        return .lost(detail: detail, state: nil, mayBeStored: mayBeStored, timedOut: timedOut)
    }

    // MARK: Socket

    /// The next answer, or `nil` after the last of a statement. It is there after ``awaitResult(of:until:)``.
    private func nextResult() -> PostgresResult? {
        PQgetResult(handle).map(PostgresResult.init)
    }

    /// Waits for the next answer, and meanwhile sends what the socket had no room for.
    ///
    /// - Returns: Whether it came before `bound`.
    private func awaitResult(
        of pipeline: inout SentPipeline, until bound: ContinuousClock.Instant? = nil
    ) throws(PipelineError) -> Bool {
        var deadline: ContinuousClock.Instant?
        while true {
            if pipeline.hasUnsentBytes { pipeline.hasUnsentBytes = PQflush(handle) == 1 }
            if PQisBusy(handle) == 0 { return true }
            let now = clock.now
            let giveUp = bound ?? deadline ?? now + stallTimeout
            deadline = giveUp
            guard now < giveUp else {
                guard bound == nil else { return false }
                throw lost("no answer within \(stallTimeout)", mayBeStored: pipeline.mayBeStored, timedOut: true)
            }
            let events: Socket.Events = pipeline.hasUnsentBytes ? [.readable, .writable] : [.readable]
            switch Socket.wait(handle, for: events, timeout: giveUp - now) {
            case .readable:
                // A failure shows as the next result.
                PQconsumeInput(handle)
                deadline = nil
            case .writable:
                deadline = nil
            case .nothing:
                continue
            }
        }
    }
}

/// A message of libpq, which may have several lines, as one.
func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " || $0 == "\t" } }.joined(separator: " ")
}
#endif
