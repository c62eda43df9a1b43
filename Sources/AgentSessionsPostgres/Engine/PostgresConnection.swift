#if Postgres
internal import AgentSessions
internal import CLibPQ

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A connection to a server, with the statements that were prepared on it. It is made, used and closed on one thread,
/// which is one of ours: it waits there for the socket.
final class PostgresConnection {
    private let handle: OpaquePointer
    private let preparesStatements: Bool
    private let settings: SessionSettings
    private let stallTimeout: Duration
    private var prepared: Set<String> = []
    private let clock = ContinuousClock()
    /// Whether the connection is of no more use.
    private(set) var isBroken = false

    /// Takes over a connection that libpq has made.
    ///
    /// - Parameters:
    ///   - handle: The connection, which this object closes.
    ///   - preparesStatements: Whether the session is ours alone, so that statements can be prepared on it.
    ///   - settings: What the session, or each unit of statements, is given.
    ///   - stallTimeout: The server is given up on when it is silent for this long. Longer than the server's own
    ///     bounds on statements and locks.
    init(_ handle: OpaquePointer, preparesStatements: Bool, settings: SessionSettings, stallTimeout: Duration) {
        self.handle = handle
        self.preparesStatements = preparesStatements
        self.settings = settings
        self.stallTimeout = stallTimeout
        agent_sessions_pq_ignore_notices(handle)
        PQsetnonblocking(handle, 1)
    }

    deinit {
        PQfinish(handle)
    }

    /// Whether the next user finds the connection as the last one did: open, with no transaction.
    var isClean: Bool { !isBroken && PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// Whether the server has something to say though nobody asked: as a rule that it has closed the connection.
    var isStale: Bool {
        isBroken || waitForSocket(Int16(POLLIN), timeout: 0) != .nothing
    }

    /// Whether TLS protects the connection.
    var usesTLS: Bool { PQsslInUse(handle) != 0 }

    // MARK: Statements

    /// Runs one statement and gives its answer.
    func run(_ command: Command) throws(UnitFailure) -> PostgresResult {
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
    ) throws(UnitFailure) {
        if preparesStatements { try prepareMissing(commands) }
        // An open transaction has had its settings as it began.
        let prelude = PQtransactionStatus(handle) == PQTRANS_IDLE ? settings.prelude(patience) : nil
        let preludeCount = prelude == nil ? 0 : 1
        do throws(UnitFailure) {
            try pipeline(preludeCount + commands.count) { () throws(UnitFailure) in
                if let prelude { try send(prelude) }
                for command in commands { try send(command) }
            } receive: { position, result in
                if position >= preludeCount { receive(position - preludeCount, result) }
            }
        } catch .refused(let position, let error) {
            throw .refused(position: position - preludeCount, error)
        }
    }

    /// Opens a transaction, with the settings that it needs.
    ///
    /// - Parameter begin: The statement that opens it.
    func begin(_ begin: String) throws(UnitFailure) {
        let prelude = settings.prelude(.whole)
        try pipeline(prelude == nil ? 1 : 2) { () throws(UnitFailure) in
            try send(Command(Statement(begin)))
            if let prelude { try send(prelude) }
        } receive: { _, _ in
        }
    }

    /// Runs statements that are separated by semicolons, take no parameters and give no rows, outside the pipeline.
    func execute(_ sql: String) throws(UnitFailure) {
        guard PQsendQuery(handle, sql) == 1 else { throw lost(PQerrorMessage(handle), mayBeStored: false) }
        var unsent = true
        var failure: ServerError?
        while let result = try nextResult(unsent: &unsent) {
            if result.status == PGRES_FATAL_ERROR, failure == nil {
                failure = try serverError(result, mayBeStored: !unsent)
            }
        }
        if let failure { throw refusal(failure, position: 0) }
    }

    private func prepareMissing(_ commands: [Command]) throws(UnitFailure) {
        var missing: [(statement: Statement, position: Int)] = []
        for (position, command) in commands.enumerated() where !command.statement.name.isEmpty {
            let statement = command.statement
            if !prepared.contains(statement.name), !missing.contains(where: { $0.statement.name == statement.name }) {
                missing.append((statement, position))
            }
        }
        guard !missing.isEmpty else { return }
        do throws(UnitFailure) {
            try pipeline(missing.count) { () throws(UnitFailure) in
                for (statement, _) in missing where PQsendPrepare(handle, statement.name, statement.sql, 0, nil) != 1 {
                    throw lost(PQerrorMessage(handle), mayBeStored: false)
                }
            } receive: { position, _ in
                prepared.insert(missing[position].statement.name)
            }
        } catch .refused(let position, let error) where missing.indices.contains(position) {
            // What was prepared before the one that was refused stays: the server does not undo that.
            throw .refused(position: missing[position].position, error)
        }
    }

    private func send(_ command: Command) throws(UnitFailure) {
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

    /// Sends a unit of statements with one synchronisation at the end, and takes in what comes back.
    private func pipeline(
        _ count: Int, send: () throws(UnitFailure) -> Void, receive: (Int, PostgresResult) -> Void
    ) throws(UnitFailure) {
        guard !isBroken, PQenterPipelineMode(handle) == 1 else {
            throw lost("the connection was closed before", mayBeStored: false)
        }
        try send()
        guard PQpipelineSync(handle) == 1 else { throw lost(PQerrorMessage(handle), mayBeStored: false) }
        var unsent = true
        var position = 0
        var failure: (position: Int, error: ServerError)?
        while true {
            // The end of a statement's answers. The commit at the end of the unit has one only where it was refused.
            guard let result = try nextResult(unsent: &unsent) else {
                let isExpected = position < count || failure?.position == position
                guard PQstatus(handle) == CONNECTION_OK, isExpected else {
                    throw lost(PQerrorMessage(handle), mayBeStored: !unsent)
                }
                position += 1
                continue
            }
            switch result.status {
            case PGRES_PIPELINE_SYNC:
                guard PQexitPipelineMode(handle) == 1 else { throw lost(PQerrorMessage(handle), mayBeStored: true) }
                if let failure { throw refusal(failure.error, position: failure.position) }
                return
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                if failure == nil { receive(position, result) }
            case PGRES_FATAL_ERROR where failure == nil:
                let error = try serverError(result, mayBeStored: !unsent)
                if error.isFatal {
                    isBroken = true
                    // The end of the session undoes a statement, unless the unit was being committed, or a pooler
                    // tells of the end.
                    guard position == count || error.isFromPooler else { throw .refused(position: position, error) }
                    throw .lost(detail: error.message, state: error.state, mayBeStored: !unsent, timedOut: false)
                }
                failure = (position, error)
            default:
                break
            }
        }
    }

    private func refusal(_ error: ServerError, position: Int) -> UnitFailure {
        if error.endsConnection { isBroken = true }
        return .refused(position: position, error)
    }

    /// The server's error, unless it was libpq that made the result because the connection was lost.
    private func serverError(_ result: PostgresResult, mayBeStored: Bool) throws(UnitFailure) -> ServerError {
        if let error = ServerError(result) { return error }
        throw lost(result.errorMessage, mayBeStored: mayBeStored)
    }

    private func lost(_ detail: UnsafePointer<CChar>?, mayBeStored: Bool) -> UnitFailure {
        lost(detail.map { String(cString: $0) } ?? "no reason given", mayBeStored: mayBeStored)
    }

    private func lost(_ detail: String, mayBeStored: Bool, timedOut: Bool = false) -> UnitFailure {
        isBroken = true
        return .lost(detail: oneLine(detail), state: nil, mayBeStored: mayBeStored, timedOut: timedOut)
    }

    // MARK: Socket

    /// The next answer, or `nil` after the last of a statement. Sends on while it waits.
    private func nextResult(unsent: inout Bool) throws(UnitFailure) -> PostgresResult? {
        var deadline: ContinuousClock.Instant?
        while true {
            if unsent { unsent = PQflush(handle) == 1 }
            if PQisBusy(handle) == 0 { return PQgetResult(handle).map(PostgresResult.init) }
            let giveUp = deadline ?? clock.now + stallTimeout
            deadline = giveUp
            switch waitForSocket(Int16(POLLIN) | (unsent ? Int16(POLLOUT) : 0), timeout: milliseconds(until: giveUp)) {
            case .readable:
                // A failure shows as the next result.
                PQconsumeInput(handle)
                deadline = nil
            case .writable:
                deadline = nil
            case .nothing:
                guard clock.now >= giveUp else { continue }
                throw lost("no answer within \(stallTimeout)", mayBeStored: !unsent, timedOut: true)
            }
        }
    }

    private enum Readiness {
        case readable
        case writable
        case nothing
    }

    private func waitForSocket(_ events: Int16, timeout: Int32) -> Readiness {
        var descriptor = pollfd(fd: PQsocket(handle), events: events, revents: 0)
        guard poll(&descriptor, 1, timeout) > 0 else { return .nothing }
        // What is neither is an error, which reading finds.
        return descriptor.revents == Int16(POLLOUT) ? .writable : .readable
    }

    private func milliseconds(until instant: ContinuousClock.Instant) -> Int32 {
        Int32(clamping: max(0, (instant - clock.now).wholeNanoseconds / 1_000_000) + 1)
    }
}

extension Parameters {
    /// Lends the parameters as libpq takes them: their number, values, lengths and formats, all of them binary.
    fileprivate func withPointers(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> Int32
    ) -> Int32 {
        let count = lengths.count
        return bytes.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: max(count, 1)) { values in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(count, 1)) { formats in
                    var offset = 0
                    for (index, length) in lengths.enumerated() {
                        formats.initializeElement(at: index, to: 1)
                        // An empty value needs an address all the same: without one it is null.
                        values.initializeElement(
                            at: index, to: length < 0 ? nil : Self.address(bytes, offset: offset))
                        offset += Int(max(length, 0))
                    }
                    return lengths.withUnsafeBufferPointer { lengths in
                        body(
                            Int32(clamping: count), UnsafePointer(values.baseAddress), lengths.baseAddress,
                            UnsafePointer(formats.baseAddress))
                    }
                }
            }
        }
    }

    /// - Parameter offset: At most the number of bytes, so that the address is inside the buffer or right after it;
    ///   libpq reads as many bytes there as the value has.
    private static func address(_ bytes: UnsafeRawBufferPointer, offset: Int) -> UnsafePointer<CChar>? {
        guard let base = bytes.baseAddress else { return UnsafePointer(emptyValue) }
        return (base + offset).assumingMemoryBound(to: CChar.self)
    }
}

/// An address for values without bytes. It is never read or freed.
///
/// `nonisolated(unsafe)`: the memory is written once, before anyone has the pointer.
nonisolated(unsafe) private let emptyValue: UnsafeMutablePointer<CChar> = {
    let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    byte.initialize(to: 0)
    return byte
}()

/// A message of libpq, which may have several lines, as one.
func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " || $0 == "\t" } }.joined(separator: " ")
}
#endif
