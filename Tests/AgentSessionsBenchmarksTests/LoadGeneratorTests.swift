import AgentSessions
import Synchronization
import Testing

@testable import AgentSessionsBenchmarks

@Suite("Load generator")
struct LoadGeneratorTests {
    private let clock = ManualClock()
    private let millisecond: UInt64 = 1_000_000

    private func open(
        _ rate: Double, seconds: UInt64, _ client: ScriptedClient, stop: StopRequest = StopRequest()
    ) async -> LoadOutcome {
        await LoadGenerator(clock: clock, stop: stop).run(
            .open(rate: rate), [client], warmUp: 0, duration: seconds * 1000 * millisecond)
    }

    @Test("The calls of an open loop are due at even intervals")
    func schedule() {
        let schedule = ArrivalSchedule(start: 5, rate: 1000, warmUp: 2 * millisecond, duration: 8 * millisecond)
        #expect(schedule.arrivals == 10)
        #expect((0..<10).map { schedule.time(of: $0) } == (0..<10).map { 5 + UInt64($0) * millisecond })
        #expect(schedule.measured == 5 + 2 * millisecond)
        #expect(schedule.end == 5 + 10 * millisecond)
    }

    @Test("A store that keeps up has the latency of its calls")
    func keepingUp() async throws {
        let outcome = await open(100, seconds: 1, ScriptedClient(clock) { _ in 3_000_000 })
        #expect(outcome.operations == 100)
        #expect(!outcome.isSaturated)
        #expect(outcome.latencies.maximum == 3 * millisecond)
        let median = try #require(outcome.latencies.percentile(50))
        #expect(abs(median - 3000) <= 3)
    }

    @Test("A stall adds to the latency of every call that was due meanwhile")
    func noCoordinatedOmission() async throws {
        // The tenth call takes 100 ms; each of the hundred that were due meanwhile waits for its remaining time.
        let client = ScriptedClient(clock) { [millisecond] index in index == 10 ? 100 * millisecond : 0 }
        let outcome = await open(1000, seconds: 1, client)
        #expect(outcome.operations == 1000)
        #expect(!outcome.isSaturated)
        #expect(outcome.latencies.maximum == 100 * millisecond)
        // 51 calls waited 50 ms or longer: a closed loop would have seen one.
        let waited = try #require(outcome.latencies.percentile(95))
        #expect(waited > 48_000 && waited < 52_000)
    }

    @Test("A store that falls behind is reported as saturated, and the load stops when its time is over")
    func saturation() async {
        let outcome = await open(1000, seconds: 1, ScriptedClient(clock) { _ in 2_000_000 })
        #expect(outcome.isSaturated)
        #expect(outcome.operations <= 501)
    }

    @Test("Calls during the warm-up are not measured")
    func warmUp() async {
        let client = ScriptedClient(clock) { [millisecond] index in index < 10 ? 9 * millisecond : millisecond }
        let outcome = await LoadGenerator(clock: clock, stop: StopRequest()).run(
            .closed, [client], warmUp: 90 * millisecond, duration: 100 * millisecond)
        #expect(outcome.operations == 100)
        #expect(outcome.latencies.count == 100)
        #expect(outcome.latencies.maximum == millisecond)
        #expect(outcome.nanoseconds == 100 * millisecond)
    }

    @Test("Failures are counted apart, have no latency, and end a client whose calls all fail")
    func failures() async {
        let client = ScriptedClient(clock) { _ in nil }
        let outcome = await LoadGenerator(clock: clock, stop: StopRequest()).run(
            .closed, [client], warmUp: 0, duration: 1000 * millisecond)
        #expect(outcome.errors == 100)
        #expect(outcome.operations == 0)
        #expect(outcome.latencies.count == 0)
        #expect(outcome.firstError?.code == .busy)
    }

    @Test(
        "A request to stop ends the load after the current call",
        arguments: [LoadMode.closed, .open(rate: 1000)])
    func stopping(_ mode: LoadMode) async {
        let stop = StopRequest()
        let client = ScriptedClient(clock) { [millisecond] index in
            if index == 6 { stop.request() }
            return millisecond
        }
        let outcome = await LoadGenerator(clock: clock, stop: stop).run(
            mode, [client], warmUp: 0, duration: 1000 * millisecond)
        #expect(outcome.operations == 7)
        #expect(!outcome.isSaturated)
    }
}

/// A clock that stands still until a task sleeps or works.
final class ManualClock: LoadClock {
    private let time = Mutex<UInt64>(1_000_000_000)

    func now() -> UInt64 { time.withLock { $0 } }

    func sleep(until time: UInt64) async {
        self.time.withLock { $0 = max($0, time) }
    }

    func advance(_ nanoseconds: UInt64) { time.withLock { $0 += nanoseconds } }
}

/// A client whose calls take as long as a script says, or fail if it says `nil`.
struct ScriptedClient: WorkloadClient {
    private let clock: ManualClock
    private let script: @Sendable (Int) -> UInt64?
    private var calls = 0

    init(_ clock: ManualClock, _ script: @escaping @Sendable (Int) -> UInt64?) {
        self.clock = clock
        self.script = script
    }

    mutating func call() async throws(StoreError) -> Int {
        defer { calls += 1 }
        guard let time = script(calls) else { throw StoreError(.busy, "scripted") }
        clock.advance(time)
        return 1
    }

    func check() async throws(StoreError) {}
}
