import AgentSessions

extension Scenario {
    static let random: [Scenario] = [
        random("random.model", "Random sequences of all calls come to what the model comes to.", .all, steps: 60),
        random(
            "random.messages", "Random appends, replays, rewinds and pages come to what the model comes to.", .messages,
            steps: 60),
        random(
            "random.lists", "Random lists of sessions that come, go and change are those of the model.", .lists,
            steps: 80),
    ]

    /// How many sequences a scenario tries, and how often it runs one to make it shorter.
    private static let sequencesOfScenario = 4
    private static let shrinkingBudget = 300

    private static func random(_ id: String, _ rule: String, _ profile: RandomProfile, steps count: Int) -> Scenario {
        Scenario(id, .random, "3", rule, level: .full, timeLimit: .seconds(60)) { test in
            for number in 1...sequencesOfScenario {
                var random = SeededRandom(seed: test.randomNumber())
                let steps = profile.steps(count, using: &random)
                let start = test.clock.next()
                var runs: UInt64 = 0
                func difference(in steps: [RandomStep]) async -> (steps: Int, what: String)? {
                    runs += 1
                    var run = RandomRun(
                        test.store, layer: test.layer, profile: profile,
                        seed: test.seed &+ UInt64(number) << 32 &+ runs,
                        start: start)
                    return await run.difference(in: steps)
                }
                guard let first = await difference(in: steps) else { continue }
                let failing = Array(steps.prefix(first.steps))
                let short = await shrunk(failing, budget: shrinkingBudget) { await difference(in: $0) != nil }
                let what = await difference(in: short)?.what ?? first.what
                test.fail(
                    """
                    sequence \(number) of seed \(test.seed), in its shortest form:
                    \(short.enumerated().map { "\($0 + 1). \($1)" }.joined(separator: "\n"))
                    \(what)
                    """)
                return
            }
        }
    }
}
