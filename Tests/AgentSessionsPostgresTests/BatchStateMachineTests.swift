#if Postgres
import AgentSessions
@testable import AgentSessionsPostgres
import Testing

/// The rules of a lane, without a server and without waiting.
@Suite("a lane's rules")
struct BatchStateMachineTests {
    private let start = ContinuousClock.now
    private let sessions: [ULID]

    init() throws {
        sessions = try (0..<4).map { _ in try ULIDGenerator.shared.next() }
    }

    private func queue(
        writing: Bool = true, _ change: (inout BatchStateMachine.Rules) -> Void = { _ in }
    ) -> BatchStateMachine {
        var rules = BatchStateMachine.Rules(isWriting: writing, connections: 2, groupSize: 3, crowd: 3)
        change(&rules)
        return BatchStateMachine(rules)
    }

    private func operation(_ session: Int?, isAlone: Bool = false, bytes: Int = 10) -> QueuedStatement {
        var parameters = Parameters()
        parameters.add(String(repeating: "x", count: bytes))
        return QueuedStatement(
            Command(Statement("SELECT"), parameters), session: session.map { sessions[$0] }, isAlone: isAlone)
    }

    private func take(
        _ queue: inout BatchStateMachine, now: ContinuousClock.Instant? = nil
    ) throws -> BatchStateMachine.Group {
        let group = queue.take(now: now ?? start)
        return try #require(group)
    }

    private func isEmpty(_ queue: inout BatchStateMachine) -> Bool { queue.take(now: start) == nil }

    private func same(_ group: BatchStateMachine.Group?, _ operations: [QueuedStatement]) -> Bool {
        group?.operations.map(ObjectIdentifier.init) == operations.map(ObjectIdentifier.init)
    }

    @Test("one connection serves it, and takes all that waits")
    func oneServer() {
        var queue = queue()
        let operations = [operation(0), operation(1)]
        #expect(queue.isIdle)
        #expect(queue.add(operations[0], now: start) == .lease)
        #expect(queue.add(operations[1], now: start) == .wake(start + .milliseconds(20)))
        let group = queue.take(now: start)
        #expect(same(group, operations))
        #expect(isEmpty(&queue))
        #expect(!queue.isIdle)
        #expect(queue.released() == nil)
        #expect(queue.isIdle)
    }

    @Test("a group that is held up gets company, once somebody waits behind it")
    func company() throws {
        var queue = queue()
        _ = queue.add(operation(0), now: start)
        let held = try take(&queue)
        let waiting = operation(1)
        #expect(queue.add(waiting, now: start + .milliseconds(5)) == .wake(start + .milliseconds(25)))
        #expect(queue.woken(now: start + .milliseconds(19)) == .wake(start + .milliseconds(39)))
        #expect(queue.woken(now: start + .milliseconds(39)) == .lease)
        #expect(same(queue.take(now: start + .milliseconds(39)), [waiting]))
        #expect(queue.add(operation(2), now: start + .seconds(1)) == nil, "both connections are in use")
        #expect(queue.finish(held, now: start + .seconds(1)) == nil)
    }

    @Test("a crowd that waits gets a connection of its own, and all of it goes", arguments: [true, false])
    func crowd(writing: Bool) {
        var queue = queue(writing: writing) { $0.groupSize = 10 }
        _ = queue.add(operation(nil), now: start)
        _ = queue.take(now: start)
        _ = queue.add(operation(nil), now: start)
        #expect(queue.add(operation(nil), now: start) == nil)
        #expect(queue.add(operation(nil), now: start) == .lease)
        #expect(queue.take(now: start)?.operations.count == 3)
    }

    @Test("a session that is being changed keeps its other changes waiting, and nobody else's")
    func busySession() throws {
        var queue = queue()
        _ = queue.add(operation(0), now: start)
        let first = try take(&queue)
        let (again, other) = (operation(0), operation(1))
        #expect(queue.add(again, now: start + .seconds(1)) == nil)
        #expect(queue.add(other, now: start + .seconds(1)) == .lease)
        #expect(same(queue.take(now: start + .seconds(1)), [other]))
        #expect(isEmpty(&queue))
        _ = queue.finish(first, now: start + .seconds(1))
        #expect(same(queue.take(now: start + .seconds(1)), [again]))
    }

    @Test("reads of a session do not wait for each other")
    func reads() {
        var queue = queue(writing: false)
        _ = queue.add(operation(0), now: start)
        _ = queue.take(now: start)
        let again = operation(0)
        _ = queue.add(again, now: start)
        #expect(same(queue.take(now: start), [again]))
    }

    @Test("what is left of a group keeps only its own sessions")
    func narrowed() throws {
        var queue = queue()
        let locked = operation(0)
        _ = queue.add(locked, now: start)
        _ = queue.add(operation(1), now: start)
        let group = try take(&queue)
        let (behind, free) = (operation(0), operation(1))
        _ = queue.add(behind, now: start)
        _ = queue.add(free, now: start)
        #expect(queue.narrow(group, to: [locked], now: start + .seconds(1)) == .lease)
        #expect(same(queue.take(now: start + .seconds(1)), [free]))
    }

    @Test("a group ends at its size, at its bytes, and before what goes alone")
    func bounds() {
        var queue = queue { $0.groupBytes = 100 }
        let operations = [
            operation(0), operation(1), operation(2), operation(0, bytes: 100), operation(1),
            operation(2, isAlone: true), operation(3),
        ]
        for operation in operations { _ = queue.add(operation, now: start) }
        #expect(queue.count == 7)
        for part in [0..<3, 3..<4, 4..<5, 5..<6, 6..<7] {
            let group = queue.take(now: start)
            #expect(same(group, Array(operations[part])))
            if let group { _ = queue.finish(group, now: start) }
        }
        #expect(queue.count == 0)
    }

    @Test("the members of a group are in the order of their sessions, and each session's in the order they came")
    func order() {
        var queue = queue { $0.groupSize = 10 }
        let operations = [operation(2), operation(0), operation(2), operation(0)]
        for operation in operations { _ = queue.add(operation, now: start) }
        #expect(same(queue.take(now: start), [operations[1], operations[3], operations[0], operations[2]]))
    }

    @Test("who serves it goes on with what came in the meantime")
    func goesOn() {
        var queue = queue()
        _ = queue.add(operation(0), now: start)
        #expect(queue.released() == .lease)
        let gone = operation(1)
        _ = queue.add(gone, now: start)
        let removed = [queue.remove(gone), queue.remove(gone)]
        #expect(removed == [true, false])
    }

    @Test("without a connection everybody is refused, unless another one serves")
    func noConnection() {
        var queue = queue()
        _ = queue.add(operation(0), now: start)
        _ = queue.take(now: start)
        _ = queue.add(operation(1), now: start)
        #expect(queue.woken(now: start + .seconds(1)) == .lease)
        #expect(queue.leaseFailed().isEmpty)
        #expect(queue.count == 1)
        #expect(queue.leaseFailed().count == 1)
        #expect(queue.isIdle)
    }

    @Test("a member of a group that changed nothing keeps its answer, whatever becomes of the commit")
    func unknownCommit() {
        let lost = PipelineError.lost(detail: "x", state: nil, mayBeStored: true, timedOut: false)
        func heard(_ failure: PipelineError, _ members: [Int?], unchanged: Set<Int>) -> [StoreError.Code?] {
            let sessions = members.map { $0.map { self.sessions[$0] } }
            return StatementBatch.failures(of: sessions, unchanged: unchanged, after: failure)
                .map { $0?.writeError.code }
        }
        for failure in [lost, .unconfirmed(detail: "x")] {
            #expect(heard(failure, [0, 1, 2], unchanged: [1]) == [.outcomeUnknown, nil, .outcomeUnknown])
            // What it was refused for may be undone with what came before it; then nothing of it is stored all the same.
            #expect(heard(failure, [0, 0, 0], unchanged: [0, 2]) == [nil, .outcomeUnknown, .unavailable])
            #expect(heard(failure, [nil], unchanged: []) == [.outcomeUnknown])
        }
        let unsent = PipelineError.lost(detail: "x", state: nil, mayBeStored: false, timedOut: false)
        #expect(heard(unsent, [0, 1], unchanged: [1]) == [.unavailable, .unavailable])
        let refused = PipelineError.refused(position: 2, ServerError(state: "40001", message: "m"))
        #expect(heard(refused, [0, 1], unchanged: [1]) == [.busy, .busy])
    }
}
#endif
