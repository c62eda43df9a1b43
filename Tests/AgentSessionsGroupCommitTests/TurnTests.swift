import AgentSessions
import Metrics
import Synchronization
import Testing

@testable import AgentSessionsGroupCommit

/// Which change is next, and which one has waited too long.
@Suite("Turns on the writer thread", .timeLimit(.minutes(5)))
struct TurnTests {
    private let journal = FakeEngine.Journal()

    private func run(_ writes: [RecordedWrite]) {
        let waiting = WriteQueue(writes)
        var committer = GroupCommitter(
            engine: FakeEngine(journal), metrics: CommitMetrics(backend: "fake"), queue: waiting)
        committer.runAll(waiting)
        #expect(writes.allSatisfy { $0.answers == 1 })
    }

    private var commits: [String] { journal.log.filter { $0.hasPrefix("commit") } }

    @Test("Earlier changes are committed and answered before a long change begins")
    func before() {
        let first = RecordedWrite("a")
        var hadAnswer = false
        let long = RecordedWrite("L", isExclusive: true, meanwhile: { hadAnswer = first.answers == 1 })
        run([first, long, RecordedWrite("b")])
        #expect(hadAnswer)
        #expect(commits == ["commit ab", "commit L"])
    }

    @Test("Long and short changes take turns, so that neither makes the other wait forever")
    func turns() {
        run([
            RecordedWrite("K", isExclusive: true), RecordedWrite("L", isExclusive: true), RecordedWrite("a"),
            RecordedWrite("M", isExclusive: true), RecordedWrite("b"),
        ])
        #expect(commits == ["commit K", "commit ab", "commit L", "commit M"])
    }

    @Test("A long change is never joined by other changes")
    func joinsNobody() {
        let waiting = WriteQueue<FakeWriter>([])
        var committer = GroupCommitter(
            engine: FakeEngine(journal), metrics: CommitMetrics(backend: "fake"), queue: waiting)
        // A slow commit of two, after which two are waited for.
        for write in [RecordedWrite("1", taking: .milliseconds(10)), RecordedWrite("2")] { waiting.add(write) }
        committer.runAll(waiting)
        waiting.add(RecordedWrite("L", isExclusive: true, meanwhile: { waiting.add(RecordedWrite("a")) }))
        committer.runAll(waiting)
        #expect(commits.suffix(2) == ["commit L", "commit a"])
    }

    @Test("Changes for which a slow neighbour left no time wait again, together with newer ones")
    func putBack() {
        let waiting = WriteQueue<FakeWriter>([])
        let late = RecordedWrite("c")
        let writes = [
            RecordedWrite("a", taking: .milliseconds(25), meanwhile: { waiting.add(late) }), RecordedWrite("b"),
        ]
        for write in writes { waiting.add(write) }
        var committer = GroupCommitter(
            engine: FakeEngine(journal), metrics: CommitMetrics(backend: "fake"), queue: waiting)
        _ = committer.runNext()
        #expect(waiting.count == 2)
        committer.runAll(waiting)
        #expect(commits == ["commit a", "commit bc"])
        #expect((writes + [late]).allSatisfy { $0.answers == 1 })
    }

    // MARK: Time

    /// The answer to each of many tasks.
    private func heard(by count: Int, in queue: CommitQueue<FakeEngine>) async -> [StoreError.Code?] {
        await withTaskGroup(of: StoreError.Code?.self) { group in
            for number in 0..<count {
                group.addTask {
                    do throws(StoreError) {
                        try await queue.write { (writer) throws(StoreError) in writer.add("<\(number)>") }
                        return nil
                    } catch {
                        return error.code
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func queue(timeout: Duration) async throws -> CommitQueue<FakeEngine> {
        let journal = journal
        return try await CommitQueue.start(backend: "fake", timeout: timeout) { () throws(StoreError) in
            (FakeEngine(journal), ())
        }.0
    }

    /// A change that blocks the writer thread until the gate opens.
    private func hold(_ queue: CommitQueue<FakeEngine>, at gate: Gate) async -> Task<Void, any Error> {
        let long = Task {
            try await queue.write(isExclusive: true) { (writer) throws(StoreError) in
                gate.wait()
                writer.add("long")
            }
        }
        await gate.someoneWaits()
        return long
    }

    @Test(
        "Changes behind an endless one fail as busy in time, and nothing of them is written",
        arguments: [1, 500])
    func busy(count: Int) async throws {
        let queue = try await queue(timeout: .milliseconds(150))
        let gate = Gate()
        let long = await hold(queue, at: gate)
        let start = ContinuousClock.now
        let heard = await heard(by: count, in: queue)
        #expect(ContinuousClock.now - start >= .milliseconds(140))
        #expect(heard == Array(repeating: .busy, count: count))
        gate.open()
        try await long.value
        try await queue.write { (writer) throws(StoreError) in writer.add("after") }
        #expect(journal.committed == ["long", "after"])
        await queue.close()
    }

    @Test("The error of a change that waited too long says what to do and is transient")
    func error() async throws {
        let queue = try await queue(timeout: .zero)
        let gate = Gate()
        let long = await hold(queue, at: gate)
        do throws(StoreError) {
            try await queue.write { (writer) throws(StoreError) in writer.add("x") }
            Issue.record("nobody was in the way")
        } catch {
            #expect(error.code == .busy && error.isTransient && error.backend == "fake")
            #expect(error.message.contains("busy_timeout"))
        }
        gate.open()
        try await long.value
        await queue.close()
    }

    @Test("A change that gets its turn in time is done, however short the timeout")
    func inTime() async throws {
        let queue = try await queue(timeout: .zero)
        for _ in 0..<20 {
            let heard = await heard(by: 20, in: queue)
            #expect(heard == Array(repeating: nil, count: 20))
        }
        #expect(journal.committed.count == 400)
        await queue.close()
    }

    @Test("The watch of waiting changes starts again after it was idle")
    func watchedAgain() async throws {
        let queue = try await queue(timeout: .milliseconds(100))
        for _ in 0..<3 {
            let gate = Gate()
            let long = await hold(queue, at: gate)
            #expect(await heard(by: 2, in: queue) == [.busy, .busy])
            gate.open()
            try await long.value
            #expect(await heard(by: 1, in: queue) == [nil])
        }
        await queue.close()
    }

    @Test("A waiting change of a cancelled task is removed at once")
    func cancelled() async throws {
        let queue = try await queue(timeout: .seconds(600))
        let gate = Gate()
        let long = await hold(queue, at: gate)
        let waiting = (0..<50).map { number in
            Task { try await queue.write { (writer) throws(StoreError) in writer.add("<\(number)>") } }
        }
        let before = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await queue.write { (writer) throws(StoreError) in writer.add("before") }
        }
        try await Task.sleep(for: .milliseconds(20))
        for task in waiting { task.cancel() }
        for task in waiting + [before] {
            let error = await #expect(throws: StoreError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
        // The running change is not abandoned: its task learns the outcome.
        long.cancel()
        gate.open()
        try await long.value
        await queue.close()
        #expect(journal.committed == ["long"])
    }

    @Test("Each change is answered once when closing, cancellation, timeouts and turns coincide")
    func races() async throws {
        for round in 0..<20 {
            let queue = try await queue(timeout: .milliseconds(100))
            let tasks = (0..<60).map { number in
                Task {
                    try? await queue.write(isExclusive: number.isMultiple(of: 7)) { (writer) throws(StoreError) in
                        writer.add("<\(round) \(number)>")
                    }
                }
            }
            for (number, task) in tasks.enumerated() where number.isMultiple(of: 3) { task.cancel() }
            await queue.close()
            // A change that is never answered would hang here, and one that is answered twice would end the process.
            for task in tasks { await task.value }
        }
        #expect(Set(journal.committed).count == journal.committed.count)
    }
}
