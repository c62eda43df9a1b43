import Testing

@testable import AgentSessionsThreads

@Suite("A pending operation")
struct PendingOperationTests {
    private enum Failure: Error { case notRun, refused, rolledBack }

    private func operation() -> TypedOperation<Int, Int, Failure> {
        TypedOperation(notRun: .notRun) { (total) throws(Failure) in
            total += 1
            guard total % 2 == 0 else { throw .refused }
            return total
        }
    }

    @Test("is answered with the outcome of its last run")
    func lastRun() async throws {
        let operation = operation()
        var total = 0
        operation.run(&total)
        #expect(operation.hasFailed)
        operation.run(&total)
        #expect(!operation.hasFailed)
        operation.answer()
        #expect(try await bounded { await operation.outcome() } == .success(2))
        #expect(total == 2)
    }

    @Test("is answered with a failure that was put in place of its outcome")
    func failed() async throws {
        let operation = operation()
        var total = 1
        operation.run(&total)
        #expect(!operation.hasFailed)
        operation.fail(.rolledBack)
        #expect(operation.hasFailed)
        operation.answer()
        #expect(try await bounded { await operation.outcome() } == .failure(.rolledBack))
    }

    @Test("says so where it is answered before it was run")
    func notRun() async throws {
        let operation = operation()
        #expect(operation.hasFailed)
        operation.answer()
        #expect(try await bounded { await operation.outcome() } == .failure(.notRun))
    }

    @Test("answers a task that waits already, from another thread, whatever its type")
    func waiting() async throws {
        let operation = operation()
        let outcome = Task { try await bounded { await operation.outcome() } }
        let pending: any PendingOperation<Int, Failure> = operation
        _ = try WorkerThread {
            var total = 41
            pending.run(&total)
            pending.answer()
        }
        #expect(try await outcome.value == .success(42))
    }
}
