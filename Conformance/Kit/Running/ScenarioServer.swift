import AgentSessions
import AgentSessionsThreads

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The side of the process that runs scenarios: does what it is told, a line each, until nobody is there to tell it more.
enum ScenarioServer {
    static func serve(
        _ orders: ScenarioOrders, _ scenarios: [Scenario], _ factory: any StoreFactory, in folder: String
    ) async -> Int32 {
        // What the store and its engine print must not stand between the answers.
        let answers = fcntl(1, F_DUPFD_CLOEXEC, 3)
        guard answers >= 0, dup2(2, 1) >= 0 else { return 1 }
        let say: @Sendable (ScenarioAnswer) -> Void = { answer in
            guard let line = try? answer.line else { return }
            var rest = Array((line + "\n").utf8)[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(answers, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                // Nobody is there any more who reads it.
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
        let (requests, queue) = AsyncStream.makeStream(of: String.self)
        do {
            try WorkerThread.start {
                // Ended with the process that tells it what to do, whatever the store is at.
                while let line = readLine() { queue.yield(line) }
                _exit(2)
            }
            let stage = try Stage(in: folder) { say(.place($0)) }
            defer { stage.finish() }
            let runner = try ScenarioThreads(count: 2)
            defer { runner.finish() }
            let lane = InProcessLane(factory, options: orders.options, stage: stage)
            await Task(executorPreference: runner) {
                for await request in requests {
                    say(.began)
                    await say(answer(to: request, scenarios, lane))
                }
            }.value
            return 0
        } catch {
            return 1
        }
    }

    private static func answer(
        to request: String, _ scenarios: [Scenario], _ lane: InProcessLane
    ) async -> ScenarioAnswer {
        if request == ScenarioOrders.describe { return .described(await lane.describe()) }
        guard let scenario = scenarios.first(where: { $0.id == request }) else {
            return .played(
                .notRun, .zero,
                message: "the helper's program does not know this scenario: give it to HelperProcess.main",
                didHang: false)
        }
        let played = await lane.play(scenario)
        let result = played.result
        return .played(result.outcome, result.duration, message: result.message, didHang: played.didHang)
    }
}
