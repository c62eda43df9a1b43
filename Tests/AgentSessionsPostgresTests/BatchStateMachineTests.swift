#if Postgres
import AgentSessions
@testable import AgentSessionsPostgres
import AgentSessionsPostgresServer
import Testing

/// When statements are sent and which share a batch, without a server and without waiting.
@Suite("batches")
struct BatchStateMachineTests {
    private let start = ContinuousClock.now
    private let sessions: [ULID]

    init() throws {
        sessions = try (0..<4).map { _ in try ULIDGenerator.shared.next() }
    }

    private func machine(
        writing: Bool = true, _ change: (inout BatchStateMachine.Rules) -> Void = { _ in }
    ) -> BatchStateMachine {
        var rules = BatchStateMachine.Rules(
            isWriting: writing, maximumConnections: 2, batchSize: 3, expandThreshold: 3)
        change(&rules)
        return BatchStateMachine(rules)
    }

    private func statement(_ session: Int?, isExclusive: Bool = false, bytes: Int = 10) -> QueuedStatement {
        var parameters = Parameters()
        parameters.add(String(repeating: "x", count: bytes))
        return QueuedStatement(
            Statement("SELECT", parameters), session: session.map { sessions[$0] }, isExclusive: isExclusive)
    }

    private func take(
        _ machine: inout BatchStateMachine, now: ContinuousClock.Instant? = nil
    ) throws -> StatementBatch {
        let batch = machine.takeBatch(now: now ?? start)
        return try #require(batch)
    }

    private func isEmpty(_ machine: inout BatchStateMachine) -> Bool { machine.takeBatch(now: start) == nil }

    private func same(_ batch: StatementBatch?, _ statements: [QueuedStatement]) -> Bool {
        batch?.statements.map(ObjectIdentifier.init) == statements.map(ObjectIdentifier.init)
    }

    /// Until when the next batch is delayed; `nil` where it is not.
    private func delayEnd(_ machine: inout BatchStateMachine) -> ContinuousClock.Instant? {
        if case .delay(let end) = machine.next(now: start) { end } else { nil }
    }

    /// Answers two statements that shared a commit of 8 ms, after which the next batch is delayed for both.
    private func delayed() throws -> BatchStateMachine {
        var machine = machine()
        _ = try machine.enqueue(statement(0), now: start)
        _ = try machine.enqueue(statement(1), now: start)
        let batch = try take(&machine)
        let action = machine.received(batch, lockedOut: [], in: .milliseconds(8), now: start)
        #expect(action == nil)
        return machine
    }

    @Test("one connection serves, and takes all that waits")
    func oneConnection() throws {
        var machine = machine()
        let statements = [statement(0), statement(1)]
        #expect(machine.isIdle)
        #expect(try machine.enqueue(statements[0], now: start) == .sendInline)
        #expect(try machine.enqueue(statements[1], now: start) == .wake(start + .milliseconds(20)))
        let batch = machine.takeBatch(now: start)
        #expect(same(batch, statements))
        #expect(isEmpty(&machine))
        #expect(!machine.isIdle)
        #expect(machine.released() == nil)
        #expect(machine.isIdle)
    }

    @Test("while a batch is held up, what waits gets another connection")
    func slowBatch() throws {
        var machine = machine()
        _ = try machine.enqueue(statement(0), now: start)
        let held = try take(&machine)
        let waiting = statement(1)
        #expect(try machine.enqueue(waiting, now: start + .milliseconds(5)) == .wake(start + .milliseconds(25)))
        #expect(machine.woken(now: start + .milliseconds(19)) == .wake(start + .milliseconds(39)))
        #expect(machine.woken(now: start + .milliseconds(39)) == .lease)
        #expect(same(machine.takeBatch(now: start + .milliseconds(39)), [waiting]))
        #expect(
            try machine.enqueue(statement(2), now: start + .seconds(1)) == nil, "both connections are in use")
        #expect(machine.finish(held, now: start + .seconds(1)) == nil)
    }

    @Test("enough statements that wait get a connection of their own, and all of them go", arguments: [true, false])
    func expansion(writing: Bool) throws {
        var machine = machine(writing: writing) { $0.batchSize = 10 }
        _ = try machine.enqueue(statement(nil), now: start)
        _ = machine.takeBatch(now: start)
        _ = try machine.enqueue(statement(nil), now: start)
        #expect(try machine.enqueue(statement(nil), now: start) == nil)
        #expect(try machine.enqueue(statement(nil), now: start) == .sendInline)
        #expect(machine.takeBatch(now: start)?.statements.count == 3)
    }

    @Test("a session that is being changed keeps its other changes waiting, and no others")
    func busySession() throws {
        var machine = machine()
        _ = try machine.enqueue(statement(0), now: start)
        let first = try take(&machine)
        let (again, other) = (statement(0), statement(1))
        #expect(try machine.enqueue(again, now: start + .seconds(1)) == nil)
        #expect(try machine.enqueue(other, now: start + .seconds(1)) == .sendInline)
        #expect(same(machine.takeBatch(now: start + .seconds(1)), [other]))
        #expect(isEmpty(&machine))
        _ = machine.finish(first, now: start + .seconds(1))
        #expect(same(machine.takeBatch(now: start + .seconds(1)), [again]))
    }

    @Test("Reads of one session do not wait for each other")
    func reads() throws {
        var machine = machine(writing: false)
        _ = try machine.enqueue(statement(0), now: start)
        _ = machine.takeBatch(now: start)
        let again = statement(0)
        _ = try machine.enqueue(again, now: start)
        #expect(same(machine.takeBatch(now: start), [again]))
    }

    @Test("statements that are locked out keep only their own sessions")
    func lockedOut() throws {
        var machine = machine()
        let locked = statement(0)
        _ = try machine.enqueue(locked, now: start)
        _ = try machine.enqueue(statement(1), now: start)
        let batch = try take(&machine)
        let (behind, free) = (statement(0), statement(1))
        _ = try machine.enqueue(behind, now: start)
        _ = try machine.enqueue(free, now: start)
        let later = start + .seconds(1)
        #expect(machine.received(batch, lockedOut: [locked], in: .seconds(1), now: later) == .lease)
        #expect(same(machine.takeBatch(now: later), [free]))
        _ = machine.finish(batch, now: later)
        #expect(same(machine.takeBatch(now: later), [behind]))
    }

    @Test("a batch ends at its size, at its bytes, and before an exclusive statement")
    func bounds() throws {
        var machine = machine { $0.batchBytes = 100 }
        let statements = [
            statement(0), statement(1), statement(2), statement(0, bytes: 100), statement(1),
            statement(2, isExclusive: true), statement(3),
        ]
        for statement in statements { _ = try machine.enqueue(statement, now: start) }
        #expect(machine.count == 7)
        for part in [0..<3, 3..<4, 4..<5, 5..<6, 6..<7] {
            let batch = machine.takeBatch(now: start)
            #expect(same(batch, Array(statements[part])))
            if let batch { _ = machine.finish(batch, now: start) }
        }
        #expect(machine.count == 0)
    }

    @Test("a batch is in the order of its sessions, and each session's statements in the order they came")
    func order() throws {
        var machine = machine { $0.batchSize = 10 }
        let statements = [statement(2), statement(0), statement(2), statement(0)]
        for statement in statements { _ = try machine.enqueue(statement, now: start) }
        #expect(
            same(machine.takeBatch(now: start), [statements[1], statements[3], statements[0], statements[2]]))
    }

    @Test("a connection that is given back is needed again for what came in the meantime")
    func leasesAgain() throws {
        var machine = machine()
        _ = try machine.enqueue(statement(0), now: start)
        #expect(machine.released() == .lease)
        let gone = statement(1)
        _ = try machine.enqueue(gone, now: start)
        let removed = [machine.remove(gone), machine.remove(gone)]
        #expect(removed == [true, false])
    }

    @Test("without a connection every statement is refused, unless another connection serves")
    func noConnection() throws {
        var machine = machine()
        _ = try machine.enqueue(statement(0), now: start)
        _ = machine.takeBatch(now: start)
        _ = try machine.enqueue(statement(1), now: start)
        #expect(machine.woken(now: start + .seconds(1)) == .lease)
        #expect(machine.leaseFailed().refused.isEmpty)
        #expect(machine.count == 1)
        let last = machine.leaseFailed()
        #expect(last.refused.count == 1 && last.action == nil)
        #expect(machine.isIdle)
    }

    @Test("after slow commits a batch waits for the callers that were answered, and not on their threads")
    func delay() throws {
        var machine = try delayed()
        #expect(!machine.isDelayOver)
        let delayEnd = delayEnd(&machine)
        let end = try #require(delayEnd)
        #expect(end > start && end <= start + .milliseconds(4))
        let statements = [statement(0), statement(1)]
        #expect(machine.released() == nil)
        #expect(try machine.enqueue(statements[0], now: start) == .lease)
        #expect(!machine.isDelayOver)
        _ = try machine.enqueue(statements[1], now: start)
        #expect(machine.isDelayOver)
        #expect(same(machine.nextAfterDelay(now: start), statements))
    }

    @Test("a delay that brings no caller back becomes shorter")
    func uselessDelay() throws {
        var machine = try delayed()
        var delays: [Duration] = []
        for _ in 0..<2 {
            let end = delayEnd(&machine)
            delays.append(try #require(end) - start)
            #expect(machine.nextAfterDelay(now: start) == nil)
        }
        #expect(delays[1] < delays[0])
    }

    @Test("reads are never delayed")
    func readsWithoutDelay() throws {
        var machine = machine(writing: false)
        _ = try machine.enqueue(statement(nil), now: start)
        _ = try machine.enqueue(statement(nil), now: start)
        let batch = try take(&machine)
        _ = machine.received(batch, lockedOut: [], in: .seconds(1), now: start)
        guard case .release = machine.next(now: start) else { throw TestFailure("it does not release") }
        #expect(machine.released() == nil)
        #expect(try machine.enqueue(statement(nil), now: start) == .sendInline)
        guard case .send(let next) = machine.next(now: start) else { throw TestFailure("it sends nothing") }
        #expect(next.statements.count == 1)
    }

    @Test("after it is closed it refuses statements, and is drained when the last connection is given back")
    func closing() throws {
        var idle = machine()
        #expect(idle.close() == .reportDrained)
        var machine = machine()
        _ = try machine.enqueue(statement(0), now: start)
        #expect(machine.close() == nil)
        #expect(throws: StoreError.self) { try machine.enqueue(statement(1), now: start) }
        #expect(machine.released() == .lease, "what waited is still sent")
        _ = machine.takeBatch(now: start)
        #expect(machine.released() == .reportDrained)
    }

    @Test("closed without a connection, it is drained as the last statement is refused")
    func closingWithoutConnection() throws {
        var machine = machine()
        _ = try machine.enqueue(statement(0), now: start)
        _ = machine.close()
        let last = machine.leaseFailed()
        #expect(last.refused.count == 1 && last.action == .reportDrained)
    }

    @Test("a statement of a batch that changed nothing keeps its answer, whatever becomes of the commit")
    func unknownCommit() {
        let lost = PipelineError.lost(detail: "x", state: nil, mayBeStored: true, timedOut: false)
        func heard(_ error: PipelineError, _ sessions: [Int?], unchanged: Set<Int>) -> [StoreError.Code?] {
            StatementBatch.errors(
                of: sessions.map { $0.map { self.sessions[$0] } }, unchanged: unchanged, after: error
            ).map { $0?.writeError.code }
        }
        for error in [lost, .unconfirmed(detail: "x")] {
            #expect(heard(error, [0, 1, 2], unchanged: [1]) == [.outcomeUnknown, nil, .outcomeUnknown])
            // What it was refused for may be undone with what came before it; but nothing of it is stored either way.
            #expect(heard(error, [0, 0, 0], unchanged: [0, 2]) == [nil, .outcomeUnknown, .unavailable])
            #expect(heard(error, [nil], unchanged: []) == [.outcomeUnknown])
        }
        let unsent = PipelineError.lost(detail: "x", state: nil, mayBeStored: false, timedOut: false)
        #expect(heard(unsent, [0, 1], unchanged: [1]) == [.unavailable, .unavailable])
        let refused = PipelineError.refused(position: 2, ServerError(state: "40001", message: "m"))
        #expect(heard(refused, [0, 1], unchanged: [1]) == [.busy, .busy])
    }
}
#endif
