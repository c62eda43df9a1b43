#if Postgres
internal import AgentSessions
internal import CAgentSessionsLibPQ

/// A connection to a server, with the statements that were prepared on it. It is made and closed on a thread of its own,
/// and waits there for the socket. Others may send on it, and wait for microseconds.
///
/// `@unchecked Sendable`, as it changes with every call: the pool leases it to one user at a time, under its mutex, and a
/// user works with it on one thread, or hands it over to the connection's own thread by a queue and lets go of it.
final class PostgresConnection: @unchecked Sendable {
    private let handle: OpaquePointer
    private let notices: ServerNotices
    private let preparesStatements: Bool
    private let settings: SessionSettings
    private let stallTimeout: Duration
    private var prepared: Set<String> = []
    private var unit: Unit?
    private let clock = ContinuousClock()
    /// Whether the connection is of no more use.
    private(set) var isBroken = false

    /// Takes over a connection that libpq has made.
    ///
    /// - Parameters:
    ///   - handle: The connection, which this object closes.
    ///   - notices: What takes its notices.
    ///   - preparesStatements: Whether the session is ours alone, so that statements can be prepared on it.
    ///   - settings: What the session, or each unit of statements, is given.
    ///   - stallTimeout: The server is given up on when it is silent for this long. Longer than the server's own
    ///     bounds on statements and locks.
    init(
        _ handle: OpaquePointer, notices: ServerNotices, preparesStatements: Bool, settings: SessionSettings,
        stallTimeout: Duration
    ) {
        self.handle = handle
        self.notices = notices
        self.preparesStatements = preparesStatements
        self.settings = settings
        self.stallTimeout = stallTimeout
        PQsetnonblocking(handle, 1)
    }

    deinit {
        PQfinish(handle)
    }

    /// Whether the next user finds the connection as the last one did: open, with no transaction.
    var isClean: Bool { !isBroken && PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// Whether the server has something to say though nobody asked: as a rule that it has closed the connection.
    var isStale: Bool {
        isBroken || Socket.wait(handle, for: [.readable], timeout: .zero) != .nothing
    }

    /// Whether statements can be sent without anything before them.
    func hasPrepared(_ commands: [Command]) -> Bool {
        !preparesStatements || commands.allSatisfy { isPrepared($0.statement) }
    }

    /// Whether TLS protects the connection.
    var usesTLS: Bool { PQsslInUse(handle) != 0 }

    // MARK: Statements

    /// Runs one statement and gives its answer.
    func run(_ command: Command) throws(PipelineError) -> PostgresResult {
        var answer: PostgresResult?
        try run([command]) { _, result in answer = result }
        guard let answer else {
            throw lost("the server gave no answer", mayBeStored: true)
        }
        return answer
    }

    /// Runs statements in one round trip. Outside a transaction they are one transaction of their own, which is
    /// committed when this returns.
    ///
    /// - Parameters:
    ///   - commands: The statements.
    ///   - patience: How long a lock is waited for, outside a transaction.
    ///   - receive: Called with the position and the answer of each statement, before the whole is committed.
    func run(
        _ commands: [Command], patience: LockPatience = .whole, receive: (Int, PostgresResult) -> Void
    ) throws(PipelineError) {
        try start(commands, patience: patience)
        _ = try finish(receive: receive)
    }

    /// The first half of ``run(_:patience:receive:)``: sends statements. Where they are prepared, see
    /// ``hasPrepared(_:)``, this waits for nothing.
    func start(_ commands: [Command], patience: LockPatience) throws(PipelineError) {
        if let position = commands.firstIndex(where: { $0.parameters.bytes.count > settings.largestMessage }) {
            throw .refused(position: position, .messageTooLarge)
        }
        if preparesStatements { try prepareMissing(commands) }
        // An open transaction has had its settings as it began, and is committed by a statement of its own.
        let isOwnTransaction = PQtransactionStatus(handle) == PQTRANS_IDLE
        try send(
            commands.count, committedAt: isOwnTransaction ? commands.count : nil,
            after: isOwnTransaction ? settings.prelude(patience) : []
        ) { () throws(PipelineError) in
            for command in commands { try send(command) }
        }
    }

    /// The second half: takes in what comes back.
    ///
    /// - Parameter bound: How long to wait; by default for as long as the server may be silent.
    /// - Returns: Whether all of it came. Where it did not, this is to be called again.
    func finish(
        within bound: Duration? = nil, receive: (Int, PostgresResult) -> Void
    ) throws(PipelineError) -> Bool {
        guard var unit else { throw lost("there is nothing to wait for", mayBeStored: false) }
        self.unit = nil
        let isOver = try take(in: &unit, until: bound.map { clock.now + $0 }, receive)
        if !isOver { self.unit = unit }
        return isOver
    }

    /// Opens a transaction, with the settings that it needs.
    ///
    /// - Parameter begin: The statement that opens it.
    func begin(_ begin: String) throws(PipelineError) {
        let commands = [Command(Statement(begin))] + settings.transaction
        try send(commands.count, committedAt: nil) { () throws(PipelineError) in
            for command in commands { try send(command) }
        }
        _ = try finish { _, _ in }
    }

    /// Commits the open transaction.
    ///
    /// - Returns: What the server says it did: `ROLLBACK` where a statement of the transaction had failed.
    func commit() throws(PipelineError) -> String {
        try send(1, committedAt: 0) { () throws(PipelineError) in try send(Command(Statement("COMMIT"))) }
        var tag = ""
        _ = try finish { _, result in tag = result.commandTag }
        return tag
    }

    /// Runs statements that are separated by semicolons, take no parameters and give no rows, outside the pipeline.
    func execute(_ sql: String) throws(PipelineError) {
        // Outside a transaction the server commits them as soon as it has them.
        var unit = Unit(count: 1, commit: PQtransactionStatus(handle) == PQTRANS_IDLE ? 0 : nil, position: 0)
        notices.clear()
        guard PQsendQuery(handle, sql) == 1 else { throw lost(PQerrorMessage(handle), mayBeStored: false) }
        while try awaitResult(of: &unit), let result = nextResult() {
            if result.status == PGRES_FATAL_ERROR, unit.failure == nil { try take(result, in: &unit) }
        }
        try end(unit)
    }

    private func prepareMissing(_ commands: [Command]) throws(PipelineError) {
        var missing: [(statement: Statement, position: Int)] = []
        for (position, command) in commands.enumerated() {
            let statement = command.statement
            if !isPrepared(statement), !missing.contains(where: { $0.statement.name == statement.name }) {
                missing.append((statement, position))
            }
        }
        guard !missing.isEmpty else { return }
        do throws(PipelineError) {
            try send(missing.count, committedAt: nil) { () throws(PipelineError) in
                for (statement, _) in missing where PQsendPrepare(handle, statement.name, statement.sql, 0, nil) != 1 {
                    throw lost(PQerrorMessage(handle), mayBeStored: false)
                }
            }
            _ = try finish { position, _ in prepared.insert(missing[position].statement.name) }
        } catch .refused(let position, let error) where missing.indices.contains(position) {
            // What was prepared before the one that was refused stays: the server does not undo that.
            throw .refused(position: missing[position].position, error)
        }
    }

    private func isPrepared(_ statement: Statement) -> Bool {
        statement.name.isEmpty || prepared.contains(statement.name)
    }

    private func send(_ command: Command) throws(PipelineError) {
        let statement = command.statement
        let isPrepared = preparesStatements && !statement.name.isEmpty
        let sent = command.parameters.withPointers { count, values, lengths, formats in
            isPrepared
                ? PQsendQueryPrepared(handle, statement.name, count, values, lengths, formats, 1)
                : PQsendQueryParams(handle, statement.sql, count, nil, values, lengths, formats, 1)
        }
        guard sent == 1 else { throw lost(PQerrorMessage(handle), mayBeStored: false) }
    }

    // MARK: Pipeline

    /// Statements with one synchronisation at the end that were sent, and what came back of them.
    private struct Unit {
        /// The number of statements.
        let count: Int
        /// Where the server commits: at this statement, or where that is the number of statements, at the
        /// synchronisation; `nil` where a transaction stays open.
        let commit: Int?
        /// The statement whose answer is next. Settings that were sent before the first are at the positions below 0.
        var position: Int
        /// Whether libpq keeps some of it back, as the socket takes no more.
        var unsent = true
        var failure: (position: Int, error: ServerError)?

        /// Whether the server may have committed it, if nothing more is heard of it. The synchronisation is the last that
        /// is sent; a statement before it may have arrived.
        var mayBeStored: Bool { commit.map { $0 < count || !unsent } ?? false }

        /// Whether the server may have committed it although the answer that is next is this error.
        ///
        /// An error of the server says that what it was doing came to nothing; so does the end of a session, unless it
        /// met the commit, which the server may have made and not told of yet.
        func mayBeStored(after error: ServerError) -> Bool {
            guard mayBeStored, let commit else { return false }
            return error.leavesOutcomeOpen || (position >= commit && error.endsCommit)
        }
    }

    /// Sends a unit of statements.
    ///
    /// - Parameters:
    ///   - count: The number of statements.
    ///   - commit: See ``Unit/commit``.
    ///   - prelude: Settings that it needs.
    private func send(
        _ count: Int, committedAt commit: Int?, after prelude: [Command] = [],
        _ sendAll: () throws(PipelineError) -> Void
    ) throws(PipelineError) {
        guard !isBroken, PQenterPipelineMode(handle) == 1 else {
            throw lost("the connection was closed before", mayBeStored: false)
        }
        notices.clear()
        var unit = Unit(count: count, commit: commit, position: -prelude.count)
        for command in prelude { try send(command) }
        try sendAll()
        guard PQpipelineSync(handle) == 1 else {
            // Where the server has closed the connection, what it said then is there to read.
            while let result = nextResult() {
                if result.status == PGRES_FATAL_ERROR { try take(result, in: &unit) }
            }
            throw lost(PQerrorMessage(handle), mayBeStored: unit.mayBeStored)
        }
        unit.unsent = PQflush(handle) == 1
        self.unit = unit
    }

    /// Takes in what comes back of a unit.
    ///
    /// - Returns: Whether all of it came before `bound`.
    private func take(
        in unit: inout Unit, until bound: ContinuousClock.Instant?, _ receive: (Int, PostgresResult) -> Void
    ) throws(PipelineError) -> Bool {
        while true {
            guard try awaitResult(of: &unit, until: bound) else { return false }
            // The end of a statement's answers. The commit at the end of the unit has one only where it was refused.
            guard let result = nextResult() else {
                let isExpected = unit.position < unit.count || unit.failure?.position == unit.position
                guard PQstatus(handle) == CONNECTION_OK, isExpected else {
                    throw lost(PQerrorMessage(handle), mayBeStored: unit.mayBeStored)
                }
                unit.position += 1
                continue
            }
            switch result.status {
            case PGRES_PIPELINE_SYNC:
                guard PQexitPipelineMode(handle) == 1 else {
                    throw lost(PQerrorMessage(handle), mayBeStored: unit.mayBeStored)
                }
                try end(unit)
                return true
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                if unit.failure == nil, unit.position >= 0 { receive(unit.position, result) }
            case PGRES_FATAL_ERROR where unit.failure == nil:
                try take(result, in: &unit)
            default:
                break
            }
        }
    }

    /// Takes in an error: one of the server, unless libpq made the result because the connection was lost.
    ///
    /// - Throws: What it comes to, where nothing comes after it.
    private func take(_ result: PostgresResult, in unit: inout Unit) throws(PipelineError) {
        guard let error = ServerError(result) else {
            throw lost(result.errorMessage, mayBeStored: unit.mayBeStored)
        }
        let mayBeStored = unit.mayBeStored(after: error)
        guard error.isFatal || mayBeStored else {
            unit.failure = (unit.position, error)
            return
        }
        isBroken = true
        guard mayBeStored || error.isFromPooler else { throw .refused(position: unit.position, error) }
        throw .lost(detail: error.message, state: error.state, mayBeStored: mayBeStored, timedOut: false)
    }

    /// The server has answered all of a unit.
    ///
    /// - Throws: What came of it, where it was not a success.
    private func end(_ unit: Unit) throws(PipelineError) {
        if let (position, error) = unit.failure {
            if error.endsConnection { isBroken = true }
            throw .refused(position: position, error)
        }
        if unit.commit != nil, let wait = notices.abandonedWait { throw .unconfirmed(detail: wait) }
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

    /// The next answer, or `nil` after the last of a statement. It is there after ``awaitResult(unsent:until:)``.
    private func nextResult() -> PostgresResult? {
        PQgetResult(handle).map(PostgresResult.init)
    }

    /// Waits for the next answer, and sends on while it does.
    ///
    /// - Returns: Whether it came before `bound`.
    private func awaitResult(
        of unit: inout Unit, until bound: ContinuousClock.Instant? = nil
    ) throws(PipelineError) -> Bool {
        var deadline: ContinuousClock.Instant?
        while true {
            if unit.unsent { unit.unsent = PQflush(handle) == 1 }
            if PQisBusy(handle) == 0 { return true }
            let now = clock.now
            let giveUp = bound ?? deadline ?? now + stallTimeout
            deadline = giveUp
            guard now < giveUp else {
                guard bound == nil else { return false }
                throw lost("no answer within \(stallTimeout)", mayBeStored: unit.mayBeStored, timedOut: true)
            }
            let events: Socket.Events = unit.unsent ? [.readable, .writable] : [.readable]
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
