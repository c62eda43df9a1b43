import Logging
import Synchronization
import Testing

@testable import AgentSessions

@Suite("Opening under a retry policy")
struct OpeningTests {
    private static let quick = RetryPolicy(
        maximumAttempts: 5, baseDelay: .milliseconds(1), maximumDelay: .milliseconds(2))
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// Opens a store that fails `count` times, and gives the number of attempts.
    private func attempts(
        failing count: Int, with code: StoreError.Code, _ policy: RetryPolicy = quick
    ) async -> (made: Int, error: StoreError?) {
        let made = Mutex(0)
        do throws(StoreError) {
            try await policy.opening(logger: logger) { () throws(StoreError) in
                let number = made.withLock { made in
                    made += 1
                    return made
                }
                if number <= count { throw StoreError(code, "attempt \(number)") }
            }
            return (made.withLock { $0 }, nil)
        } catch {
            return (made.withLock { $0 }, error)
        }
    }

    @Test(
        "An opening that fails temporarily is retried until it succeeds", arguments: [StoreError.Code.busy, .timeout])
    func passing(_ code: StoreError.Code) async {
        for count in 0..<5 {
            let (made, error) = await attempts(failing: count, with: code)
            #expect(made == count + 1 && error == nil)
        }
    }

    @Test(
        "An opening that fails permanently returns its error at once",
        arguments: [StoreError.Code.unavailable, .corrupt, .newerStore, .notFound, .invalidArgument, .outcomeUnknown])
    func final(_ code: StoreError.Code) async {
        let (made, error) = await attempts(failing: 9, with: code)
        #expect(made == 1 && error?.code == code)
    }

    @Test("The attempts and time of an opening are bounded, and the last error is returned")
    func bounded() async {
        let (made, error) = await attempts(failing: 99, with: .busy)
        #expect(made == 5 && error?.message == "attempt 5")
        let once = await attempts(failing: 99, with: .busy, .never)
        #expect(once.made == 1 && once.error?.code == .busy)
        let short = RetryPolicy(maximumAttempts: 1000, baseDelay: .milliseconds(50), totalTime: .milliseconds(100))
        #expect(await attempts(failing: 999, with: .busy, short).made < 100)
    }

    @Test("A backend can decide which errors of an opening are temporary")
    func backend() async throws {
        let made = Mutex(0)
        await #expect(throws: StoreError.self) {
            let isPassing: (StoreError) -> Bool = { $0.code == .corrupt }
            try await Self.quick.opening(logger: logger, isPassing: isPassing) { () throws(StoreError) in
                made.withLock { $0 += 1 }
                throw StoreError(.corrupt, "x")
            }
        }
        #expect(made.withLock { $0 } == 5)
    }

    @Test("A cancelled task does not wait for the next attempt to open")
    func cancelled() async {
        let logger = logger
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            let policy = RetryPolicy(baseDelay: .seconds(3600), maximumDelay: .seconds(3600), totalTime: .seconds(9000))
            do throws(StoreError) {
                try await policy.opening(logger: logger) { () throws(StoreError) in
                    start.finish()
                    throw StoreError(.busy, "locked")
                }
                return nil as StoreError.Code?
            } catch {
                return error.code
            }
        }
        for await _ in started {}
        task.cancel()
        #expect(await task.value == .cancelled)
    }
}
