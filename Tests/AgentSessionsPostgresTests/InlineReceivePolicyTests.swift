#if Postgres
import Testing

@testable import AgentSessionsPostgres

/// When the thread that asks waits for the server, without a server.
@Suite("waiting on the caller's thread")
struct InlineReceivePolicyTests {
    private let soon = Duration.microseconds(60)
    private let late = Duration.milliseconds(1)

    /// How many callers are turned away before the next one may wait.
    private func pause(_ patience: inout InlineReceivePolicy) -> Int {
        var count = 0
        while !patience.begin() { count += 1 }
        return count
    }

    @Test("one caller waits at a time")
    func alone() {
        var patience = InlineReceivePolicy()
        let (first, second) = (patience.begin(), patience.begin())
        #expect(first && !second)
        patience.end(after: soon)
        let third = patience.begin()
        #expect(third)
    }

    @Test("answers that come late are waited for less and less, until one comes soon")
    func lateness() {
        var patience = InlineReceivePolicy()
        var pauses: [Int] = []
        for _ in 0..<10 {
            pauses.append(pause(&patience))
            patience.end(after: late)
        }
        #expect(pauses == [0, 8, 16, 32, 64, 128, 256, 512, 1024, 1024])
        for time in [soon, late] {
            _ = pause(&patience)
            patience.end(after: time)
            pauses.append(pause(&patience))
            patience.end(after: soon)
        }
        #expect(pauses.suffix(2) == [0, 8])
    }
}
#endif
