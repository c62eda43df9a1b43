import AgentSessions
import AgentSessionsConformance
import AgentSessionsThreads
import Synchronization
import Testing

@Suite("The measure of the machine", .serialized)
struct YardstickTests {
    @Test("A machine on which many threads want to run is slower", .timeLimit(.minutes(2)))
    func load() async throws {
        Yardstick.shared.begin()
        defer { Yardstick.shared.end() }
        let isOver = Mutex(false)
        defer { isOver.withLock { $0 = true } }
        for _ in 0..<16 {
            try WorkerThread.start { while !isOver.withLock({ $0 }) {} }
        }
        let end = ContinuousClock.now + .seconds(60)
        while Yardstick.shared.slowness < 2, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(100)) }
        #expect(Yardstick.shared.slowness >= 2)
    }
}
