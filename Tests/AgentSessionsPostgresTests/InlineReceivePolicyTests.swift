#if Postgres
import Testing

@testable import AgentSessionsPostgres

/// When a caller's thread receives the answer itself, without a server.
@Suite("receiving inline")
struct InlineReceivePolicyTests {
    private let soon = Duration.microseconds(60)
    private let late = Duration.milliseconds(1)

    /// How many callers are turned away before the next one may wait.
    private func pause(_ policy: inout InlineReceivePolicy) -> Int {
        var count = 0
        while !policy.begin() { count += 1 }
        return count
    }

    @Test("one caller receives at a time")
    func alone() {
        var policy = InlineReceivePolicy()
        let (first, second) = (policy.begin(), policy.begin())
        #expect(first && !second)
        policy.end(after: soon)
        let third = policy.begin()
        #expect(third)
    }

    @Test("is tried less and less where answers come late, until one comes soon")
    func lateness() {
        var policy = InlineReceivePolicy()
        var pauses: [Int] = []
        for _ in 0..<10 {
            pauses.append(pause(&policy))
            policy.end(after: late)
        }
        #expect(pauses == [0, 8, 16, 32, 64, 128, 256, 512, 1024, 1024])
        for time in [soon, late] {
            _ = pause(&policy)
            policy.end(after: time)
            pauses.append(pause(&policy))
            policy.end(after: soon)
        }
        #expect(pauses.suffix(2) == [0, 8])
    }
}
#endif
