import AgentSessions
import AgentSessionsMemory
import Metrics
import MetricsTestKit
import Synchronization
import Testing

@testable import AgentSessionsGroupCommit
@testable import AgentSessionsThreads

/// An engine that keeps its rows in memory, fails on demand, and logs each call.
final class FakeEngine: CommitEngine {
    /// The state that the test and the writer thread share.
    final class Journal: Sendable {
        struct State: Sendable {
            var log: [String] = []
            var committed: [String] = []
            var beginFailures: [StoreError.Code?] = []
            var commitFailures: [StoreError.Code?] = []
        }

        let state = Mutex(State())

        var log: [String] { state.withLock { $0.log } }
        var committed: [String] { state.withLock { $0.committed } }
    }

    let journal: Journal
    var writer = FakeWriter()

    init(_ journal: Journal) { self.journal = journal }

    var changeCount: Int { writer.changes }

    func begin() throws(StoreError) {
        writer.rows = []
        let failure = journal.state.withLock { state in
            state.log.append("begin")
            return state.beginFailures.isEmpty ? nil : state.beginFailures.removeFirst()
        }
        if let failure { throw StoreError(failure, "begin") }
    }

    func commit() throws(StoreError) {
        let rows = writer.rows
        let failure = journal.state.withLock { state in
            state.log.append("commit \(rows.joined())")
            let failure = state.commitFailures.isEmpty ? nil : state.commitFailures.removeFirst()
            if failure == nil { state.committed += rows }
            return failure
        }
        if let failure { throw StoreError(failure, "commit") }
    }

    func rollback() { journal.state.withLock { $0.log.append("rollback") } }

    func close() { journal.state.withLock { $0.log.append("close") } }
}

struct FakeWriter: SessionStoreWriter {
    var rows: [String] = []
    var changes = 0

    mutating func add(_ row: String) {
        rows.append(row)
        changes += 1
    }

    func session(_ id: ULID) throws(StoreError) -> Session? { nil }
    func sessions(_ request: SessionListRequest) throws(StoreError) -> [Session] { [] }
    func messages(_ request: MessageRequest, of session: Session) throws(StoreError) -> [SessionMessage] { [] }
    func messages(of session: ULID, withIDs ids: [ULID]) throws(StoreError) -> [SessionMessage] { [] }
    func insert(_ session: Session) throws(StoreError) {}
    func replace(_ previous: Session, with session: Session) throws(StoreError) {}
    func remove(_ session: Session) throws(StoreError) {}
    func insert(_ messages: [SessionMessage]) throws(StoreError) {}
    func removeMessages(of session: Session, after sequence: Int) throws(StoreError) {}
}

/// A change that adds a row and remembers its answers.
///
/// `@unchecked Sendable`: one test makes it, runs it and looks at it, all on its own thread.
final class RecordedWrite: PendingOperation, @unchecked Sendable {
    let isExclusive: Bool
    let hasFailed: Bool
    private let row: String
    private let time: Duration
    private let meanwhile: () -> Void
    private(set) var answers = 0
    private(set) var error: StoreError?

    /// - Parameters:
    ///   - row: What it adds.
    ///   - time: How long it takes.
    ///   - fails: Whether it throws after it has added the row.
    ///   - meanwhile: What happens while it is run.
    init(
        _ row: String, isExclusive: Bool = false, taking time: Duration = .zero, fails: Bool = false,
        meanwhile: @escaping () -> Void = {}
    ) {
        self.isExclusive = isExclusive
        hasFailed = fails
        (self.row, self.time, self.meanwhile) = (row, time, meanwhile)
    }

    func run(_ writer: inout FakeWriter) {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {}
        writer.add(row)
        meanwhile()
    }

    func fail(_ error: StoreError) { self.error = error }

    func answer() { answers += 1 }
}

extension WriteQueue<FakeWriter> {
    /// Changes that wait, in order.
    convenience init(_ writes: [RecordedWrite]) {
        self.init(backend: "fake")
        for write in writes { add(write) }
    }

    func add(_ write: RecordedWrite) {
        add(write, isExclusive: write.isExclusive)
    }

    func add(_ operation: any PendingOperation<FakeWriter, StoreError>, isExclusive: Bool = false) {
        add(QueuedWrite(operation: operation, isExclusive: isExclusive, deadline: .now + .seconds(600)))
    }
}

extension GroupCommitter {
    /// Runs what waits, and what comes meanwhile, until nothing does.
    mutating func runAll(_ queue: WriteQueue<Engine.Writer>) {
        while queue.count > 0 { _ = runNext() }
    }
}

/// A door that a change on the writer's thread waits at until the test opens it.
final class Gate: Sendable {
    private let queue = BlockingQueue<Void>()
    private let reached = OneShot<Void>()

    func wait() {
        reached.send(())
        _ = queue.takeFirst()
    }

    func someoneWaits() async { await reached.value() }
    func open() { queue.close() }
}

@Suite("Group commit", .timeLimit(.minutes(5)))
struct GroupCommitTests {
    typealias Body = @Sendable (inout FakeWriter) throws(StoreError) -> String

    private func add(_ row: String) -> Body {
        { (writer) throws(StoreError) in
            writer.add(row)
            return row
        }
    }

    private func fail(_ code: StoreError.Code, adding row: String? = nil) -> Body {
        { (writer) throws(StoreError) in
            if let row { writer.add(row) }
            throw StoreError(code, "change")
        }
    }

    /// Runs the changes as one group, and gives the answer of each.
    private func run(
        _ bodies: [Body], journal: FakeEngine.Journal = .init(), metrics: TestMetrics = TestMetrics()
    ) async -> [String] {
        let commitMetrics = withMetricsFactory(metrics) { CommitMetrics(backend: "fake") }
        let operations = bodies.map { TypedOperation(notRun: StoreError(.internalFailure, "not run"), $0) }
        let queue = WriteQueue<FakeWriter>([])
        for operation in operations { queue.add(operation) }
        var committer = GroupCommitter(engine: FakeEngine(journal), metrics: commitMetrics, queue: queue)
        committer.runAll(queue)
        var answers: [String] = []
        for operation in operations {
            switch await operation.outcome() {
            case .success(let row): answers.append(row)
            case .failure(let error): answers.append("\(error.code)")
            }
        }
        return answers
    }

    @Test("Changes that wait together share one commit")
    func shared() async throws {
        let journal = FakeEngine.Journal()
        let metrics = TestMetrics()
        #expect(await run([add("a"), add("b"), add("c")], journal: journal, metrics: metrics) == ["a", "b", "c"])
        #expect(journal.log == ["begin", "commit abc"])
        let size = try metrics.expectRecorder("agent_sessions_commit_group_size", [("backend", "fake")])
        #expect(size.values == [3])
        #expect(try metrics.expectTimer("agent_sessions_commit_seconds", [("backend", "fake")]).values.count == 1)
    }

    @Test("A change that throws before it writes does not disturb the others")
    func harmlessFailure() async {
        let journal = FakeEngine.Journal()
        #expect(await run([add("a"), fail(.conflict), add("c")], journal: journal) == ["a", "conflict", "c"])
        #expect(journal.log == ["begin", "commit ac"])
    }

    @Test("A change that throws after a write makes the group run again, one by one")
    func harmfulFailure() async {
        let journal = FakeEngine.Journal()
        let answers = await run([add("a"), fail(.limitExceeded, adding: "x"), add("c")], journal: journal)
        #expect(answers == ["a", "limitExceeded", "c"])
        #expect(journal.committed == ["a", "c"])
        // The third change was not run yet, so it runs between the two that were undone.
        #expect(
            journal.log == [
                "begin", "rollback", "begin", "commit a", "begin", "commit c", "begin", "rollback",
            ])
    }

    @Test("A single change that throws is undone, and a group of failures commits nothing")
    func alone() async {
        let journal = FakeEngine.Journal()
        #expect(await run([fail(.corrupt, adding: "x")], journal: journal) == ["corrupt"])
        #expect(journal.log == ["begin", "rollback"])
        let second = FakeEngine.Journal()
        second.state.withLock { $0.commitFailures = [.outcomeUnknown] }
        #expect(await run([fail(.notFound), fail(.conflict)], journal: second) == ["notFound", "conflict"])
        #expect(second.log == ["begin", "rollback"])
    }

    @Test("A lock that does not become free is the answer to all")
    func busyBegin() async {
        let journal = FakeEngine.Journal()
        journal.state.withLock { $0.beginFailures = [.busy] }
        #expect(await run([add("a"), add("b")], journal: journal) == ["busy", "busy"])
        #expect(journal.log == ["begin"])
    }

    @Test("The changes of a failed commit run again one by one, and each gets its own result")
    func failedCommit() async {
        let journal = FakeEngine.Journal()
        journal.state.withLock { $0.commitFailures = [.unavailable, nil, .limitExceeded, nil] }
        #expect(await run([add("a"), add("b"), add("c")], journal: journal) == ["a", "limitExceeded", "c"])
        #expect(journal.committed == ["a", "c"])
        let single = FakeEngine.Journal()
        single.state.withLock { $0.commitFailures = [.unavailable] }
        #expect(await run([add("a")], journal: single) == ["unavailable"])
        #expect(single.log == ["begin", "commit a"])
    }

    @Test("A lock that is lost between single changes fails only the change that needed it")
    func busyAlone() async {
        let journal = FakeEngine.Journal()
        journal.state.withLock { state in
            state.commitFailures = [.unavailable]
            state.beginFailures = [nil, .busy, nil]
        }
        #expect(await run([add("a"), add("b")], journal: journal) == ["busy", "b"])
    }

    @Test("An unknown outcome of a shared commit fails all its changes, and none runs again")
    func unknown() async {
        let journal = FakeEngine.Journal()
        journal.state.withLock { $0.commitFailures = [.outcomeUnknown] }
        #expect(await run([add("a"), add("b")], journal: journal) == ["outcomeUnknown", "outcomeUnknown"])
        #expect(journal.log == ["begin", "commit ab"])
    }

    @Test("A refused change gets its own error even if the outcome of the others is unknown")
    func unknownAndRefused() async {
        let journal = FakeEngine.Journal()
        journal.state.withLock { $0.commitFailures = [.outcomeUnknown] }
        let answers = await run([add("a"), fail(.conflict), add("c"), fail(.notFound)], journal: journal)
        #expect(answers == ["outcomeUnknown", "conflict", "outcomeUnknown", "notFound"])
        #expect(journal.log == ["begin", "commit ac"])
    }

    @Test("A long change ends the group")
    func longChange() async {
        let journal = FakeEngine.Journal()
        let slow: Body = { (writer) throws(StoreError) in
            let end = ContinuousClock.now + .milliseconds(25)
            while ContinuousClock.now < end {}
            writer.add("s")
            return "s"
        }
        #expect(await run([slow, add("b"), add("c")], journal: journal) == ["s", "b", "c"])
        #expect(journal.log.prefix(2) == ["begin", "commit s"])
        #expect(journal.committed == ["s", "b", "c"])
    }

    // MARK: Changes that join

    /// A committer that has just made one slow commit of two changes, so that it waits for two again. By its clock nothing
    /// else takes time, however busy the machine is.
    private func committer(
        _ journal: FakeEngine.Journal, _ queue: WriteQueue<FakeWriter>
    ) -> GroupCommitter<FakeEngine> {
        let time = Mutex(ContinuousClock.now)
        var committer = GroupCommitter(
            engine: FakeEngine(journal), metrics: CommitMetrics(backend: "fake"), queue: queue,
            now: { time.withLock { $0 } })
        queue.add(RecordedWrite("1", meanwhile: { time.withLock { $0 += .milliseconds(10) } }))
        queue.add(RecordedWrite("2"))
        committer.runAll(queue)
        return committer
    }

    @Test("Changes that arrive while a group runs join its commit in order")
    func joining() {
        let journal = FakeEngine.Journal()
        let waiting = WriteQueue<FakeWriter>([])
        var committer = committer(journal, waiting)
        let second = RecordedWrite("b")
        let first = RecordedWrite("a", meanwhile: { waiting.add(second) })
        waiting.add(first)
        _ = committer.runNext()
        #expect(journal.log.suffix(2) == ["begin", "commit ab"])
        #expect(first.answers == 1 && second.answers == 1)
    }

    @Test("A commit does not wait for tasks that did not share the last one")
    func notJoining() {
        let journal = FakeEngine.Journal()
        let waiting = WriteQueue<FakeWriter>([])
        var committer = committer(journal, waiting)
        waiting.add(RecordedWrite("a"))
        waiting.add(RecordedWrite("b", meanwhile: { waiting.add(RecordedWrite("c")) }))
        _ = committer.runNext()
        #expect(journal.log.suffix(2) == ["begin", "commit ab"])
        #expect(waiting.count == 1)
    }

    @Test("A change that joins a group and throws after a write makes the group run again, one by one")
    func joiningAndFailing() {
        let journal = FakeEngine.Journal()
        let waiting = WriteQueue<FakeWriter>([])
        var committer = committer(journal, waiting)
        let second = RecordedWrite("b", fails: true)
        // The first change is run twice, and the second one joins only the first run.
        var joining = [second]
        let first = RecordedWrite("a", meanwhile: { if let last = joining.popLast() { waiting.add(last) } })
        waiting.add(first)
        committer.runAll(waiting)
        #expect(journal.log.suffix(5) == ["rollback", "begin", "commit a", "begin", "rollback"])
        #expect(journal.committed == ["1", "2", "a"])
        #expect(first.answers == 1 && second.answers == 1)
    }

    @Test("A group whose changes undid each other is joined by no other change")
    func notJoiningSpoilt() {
        let journal = FakeEngine.Journal()
        let waiting = WriteQueue<FakeWriter>([])
        var committer = committer(journal, waiting)
        waiting.add(RecordedWrite("a", fails: true, meanwhile: { waiting.add(RecordedWrite("b")) }))
        _ = committer.runNext()
        #expect(waiting.count == 1)
        #expect(journal.committed == ["1", "2"])
    }

    // MARK: The queue

    private func queue(_ journal: FakeEngine.Journal) async throws(StoreError) -> CommitQueue<FakeEngine> {
        try await CommitQueue.start(backend: "fake", timeout: .seconds(60)) { () throws(StoreError) in
            (FakeEngine(journal), ())
        }.0
    }

    @Test("Changes that gather during a commit share the next one, and get their answers only after it")
    func gathering() async throws {
        let journal = FakeEngine.Journal()
        let queue = try await queue(journal)
        let gate = Gate()
        let first = Task {
            try await queue.write { (writer) throws(StoreError) in
                gate.wait()
                writer.add("0")
                return 0
            }
        }
        await gate.someoneWaits()
        let heard = await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 1...40 {
                group.addTask {
                    try await queue.write { (writer) throws(StoreError) in writer.add("<\(number)>") }
                    // The answer comes after the commit, so the row is stored.
                    return journal.committed.contains("<\(number)>")
                }
            }
            // Give the tasks a moment to queue up behind the gate; those that are late come after it.
            try? await Task.sleep(for: .milliseconds(50))
            gate.open()
            var all: [Bool] = []
            while let result = await group.nextResult() { all.append((try? result.get()) ?? false) }
            return all
        }
        #expect(try await first.value == 0)
        #expect(heard.count == 40)
        #expect(heard.allSatisfy { $0 })
        #expect(journal.committed.count == 41)
        #expect(journal.log.filter { $0 == "begin" }.count < 20)
        await queue.close()
    }

    @Test("Closing finishes the queued changes, closes the engine once and refuses new changes")
    func closing() async throws {
        let journal = FakeEngine.Journal()
        let queue = try await queue(journal)
        let gate = Gate()
        let first = Task {
            try await queue.write { (writer) throws(StoreError) in
                gate.wait()
                writer.add("a")
            }
        }
        await gate.someoneWaits()
        let second = Task { try await queue.write { (writer) throws(StoreError) in writer.add("b") } }
        try await Task.sleep(for: .milliseconds(20))
        let closing = Task { await queue.close() }
        try await Task.sleep(for: .milliseconds(20))
        gate.open()
        await closing.value
        try await first.value
        try await second.value
        await queue.close()
        #expect(journal.committed == ["a", "b"])
        #expect(journal.log.last == "close")
        #expect(journal.log.filter { $0 == "close" }.count == 1)
        do throws(StoreError) {
            try await queue.write { (writer) throws(StoreError) in writer.add("c") }
            Issue.record("a closed queue took work")
        } catch {
            #expect(error.code == .closed)
            #expect(error.backend == "fake")
        }
    }

    @Test("An engine that cannot be made fails the opening with its error")
    func noEngine() async {
        do throws(StoreError) {
            _ = try await CommitQueue<FakeEngine>.start(backend: "fake", timeout: .seconds(60)) {
                () throws(StoreError) -> (FakeEngine, Void) in
                throw StoreError(.unavailable, "no file")
            }
            Issue.record("a queue without an engine started")
        } catch {
            #expect(error.code == .unavailable)
        }
    }

    @Test("A queue that is released without being closed closes its engine")
    func dropped() async throws {
        let journal = FakeEngine.Journal()
        do {
            let queue = try await queue(journal)
            try await queue.write { (writer) throws(StoreError) in writer.add("a") }
        }
        for _ in 0..<500 where journal.log.last != "close" { try await Task.sleep(for: .milliseconds(10)) }
        #expect(journal.log.last == "close")
    }
}
