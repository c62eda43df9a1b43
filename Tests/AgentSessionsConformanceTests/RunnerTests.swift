import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory
import AgentSessionsThreads
import Foundation
import Synchronization
import Testing

@Suite("Scenario runner")
struct RunnerTests {
    private func scenario(
        _ name: String = "one", level: Scenario.Level = .base, status: Scenario.Status = .binding(since: .first),
        requires: [Requirement] = [], limit: Duration = .seconds(20), _ body: @escaping Scenario.Body
    ) -> Scenario {
        Scenario(
            "test.\(name)", .errors, "0", "A rule.", level: level, status: status, requires: requires,
            timeLimit: limit, body)
    }

    private func run(_ scenarios: [Scenario], waivers: [Waiver] = []) async -> ConformanceReport {
        await ConformanceRunner(memoryStores, options: .init(seed: 1, waivers: waivers)).run(scenarios)
    }

    @Test("A failure names the expected and the actual result, and the layer that was used")
    func failures() async {
        let result = await ConformanceRunner(memoryStores).run(
            scenario { test in if test.layer == .service { test.expect(1, equals: 2, "one") } })
        #expect(result.outcome == .failed)
        #expect(result.message == "through the service: one: expected 2, found 1")
    }

    @Test("The time limit holds even if a scenario waits forever or blocks its thread", .timeLimit(.minutes(5)))
    func hangs() async {
        // A wait that ignores cancellation. It ends with the test, which would leave its tasks behind otherwise.
        let end = OneShot<Void>()
        defer { end.send(()) }
        let waits = scenario("waits", limit: .milliseconds(200)) { _ in await end.value() }
        let isOver = Mutex(false)
        defer { isOver.withLock { $0 = true } }
        let spins = scenario("spins", limit: .milliseconds(200)) { _ in
            while !isOver.withLock({ $0 }) {}
        }
        let report = await run([waits, spins, scenario("good") { _ in }])
        #expect(report.results.map(\.outcome) == [.timedOut, .timedOut, .passed])
        #expect(report.results[0].message.contains("no answer within"))
        #expect(!report.isConformant)
    }

    @Test("A wrong answer counts as one though the scenario never ends", .timeLimit(.minutes(5)))
    func failsAndHangs() async {
        let end = OneShot<Void>()
        defer { end.send(()) }
        let report = await run([
            scenario("both", limit: .milliseconds(200)) { test in
                test.fail("a wrong answer")
                await end.value()
            }
        ])
        #expect(report.results.map(\.outcome) == [.failed])
        #expect(report.results[0].message.contains("a wrong answer\nno answer within"))
    }

    @Test("A run that fails fast starts no scenario after the first failure that counts")
    func failsFast() async {
        let scenarios = [
            scenario("good") { _ in }, scenario("new", status: .advisory(since: .current)) { $0.fail("bad") },
            scenario("bad") { $0.fail("bad") }, scenario("later") { _ in }, scenario("last") { $0.fail("bad") },
        ]
        func outcomes(failFast: Bool) async -> [Outcome] {
            let options = ConformanceRunner.Options(seed: 1, width: 1, failFast: failFast)
            let report = await ConformanceRunner(memoryStores, options: options).run(scenarios)
            #expect(!report.isConformant)
            return report.results.map(\.outcome)
        }
        #expect(await outcomes(failFast: false) == [.passed, .failed, .failed, .passed, .failed])
        #expect(await outcomes(failFast: true) == [.passed, .failed, .failed, .notRun, .notRun])
    }

    @Test("A log and the report as it stands name the scenario that is under way")
    func underWay() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = "\(folder.path)/run.jsonl"
        let seen = Mutex<[String]>([])
        let scenarios = [
            scenario("good") { _ in },
            scenario("asks") { test in
                if test.layer == .repository { seen.withLock { $0.append(readText(path)) } }
                test.fail("bad")
            },
        ]
        let partial = Mutex<[ConformanceReport]>([])
        let options = ConformanceRunner.Options(seed: 5, width: 1, logFile: path)
        let report = await ConformanceRunner(memoryStores, options: options).run(
            scenarios, partial: { report in partial.withLock { $0.append(report) } })
        let lines = { (text: String) in
            try text.split(separator: "\n").map { try JSONObject(parsing: String($0)) }
        }
        let early = try lines(try #require(seen.withLock { $0.first }))
        #expect(early.map { $0["began"]?.stringValue } == ["test.good@1", nil, "test.asks@1"])
        let late = try lines(readText(path))
        #expect(late.map { $0["outcome"]?.stringValue } == [nil, "passed", nil, "failed", nil])
        #expect(late[0]["seed"]?.integerValue == 5)
        #expect(late[4]["conformant"]?.boolValue == false)
        // A single scenario, as a test target runs it, adds to the log.
        _ = await ConformanceRunner(memoryStores, options: options).run(scenarios[0])
        #expect(try lines(readText(path)).count == 7)

        let reports = partial.withLock { $0 }
        #expect(reports.count == 4)
        #expect(reports[2].results.map(\.outcome) == [.passed, .notRun])
        #expect(reports[0].results[1].message.contains("not begun"))
        #expect(reports[2].results[1].message.contains("under way"))
        #expect(reports[3].results.map(\.outcome) == report.results.map(\.outcome))
    }

    @Test("A log that cannot be written runs nothing, and says so")
    func unwritableLog() async {
        let options = ConformanceRunner.Options(logFile: "/nowhere/at/all")
        let report = await ConformanceRunner(memoryStores, options: options).run([scenario { _ in }])
        #expect(report.results.map(\.outcome) == [.notRun])
        #expect(report.results[0].message.contains("/nowhere/at/all"))
    }

    @Test("The same seed gives a scenario the same random numbers and ids")
    func seeds() async {
        func numbers(_ seed: UInt64) async -> String {
            await ConformanceRunner(memoryStores, options: .init(seed: seed)).run(
                scenario { test in test.fail("\(test.randomNumber()) \(test.newID()) \(test.clock.next())") }
            ).message
        }
        let first = await numbers(7)
        #expect(await numbers(7) == first)
        #expect(await numbers(8) != first)
    }

    @Test("A run without scenarios, or without a base scenario, is never conformant")
    func verdicts() async {
        #expect(await run([]).isConformant == false)
        let passing = scenario("passing") { _ in }
        #expect(await run([passing]).isConformant)
        let missing: Scenario.Body = { test in _ = try await test.startHelper(.hold) }
        let base = await run([passing, scenario("base", missing)])
        #expect(base.results[1].outcome == .notRun)
        #expect(!base.isConformant)
        #expect(await run([passing, scenario("full", level: .full, missing)]).isConformant)
    }

    @Test("A store that does not open runs no scenario and is not conformant")
    func unopened() async {
        let broken = Stores { _ in throw StoreError(.unavailable, "There is no such place.") }
        let report = await ConformanceRunner(broken).run([scenario { _ in }])
        #expect(report.results.map(\.outcome) == [.notRun])
        #expect(report.results[0].message.contains("There is no such place."))
        #expect(!report.isConformant)
    }

    @Test("An ability that is not declared must be absent, and one that works undeclared is a failure")
    func declarations() async {
        let needs = Scenario(
            "test.needs", .errors, "0", "A rule.", requires: [.ability(.reopen)], layers: [.repository]
        ) { _ in }
        let transient = await run([needs])
        #expect(transient.results[0].outcome == .unsupported)
        let shared = KeptStore()
        let kept = await ConformanceRunner(Stores { _ in shared }).run(needs)
        #expect(kept.outcome == .unexpectedPass)
    }

    @Test("A waiver accepts a failure until it expires, and must be removed when the scenario passes")
    func waivers() async {
        let failing = scenario("failing", level: .full) { test in test.fail("no") }
        let passing = scenario("passing") { _ in }
        let now = Timestamp.now()
        func waiver(_ id: String, _ difference: Int64) -> Waiver {
            Waiver(id, reason: "issue 1", expires: now.advanced(by: difference))
        }
        let waived = await run([failing, passing], waivers: [waiver("test.failing@1", 3_600_000_000)])
        #expect(waived.results[0].outcome == .waived)
        #expect(waived.isConformant)
        let expired = await run([failing, passing], waivers: [waiver("test.failing@1", -1)])
        #expect(expired.results[0].outcome == .failed)
        #expect(!expired.isConformant)
        let needless = await run([passing], waivers: [waiver("test.passing@1", 3_600_000_000)])
        #expect(needless.results[0].outcome == .unexpectedPass)
        #expect(!needless.isConformant)
    }

    @Test("A failed advisory clause is reported and changes no verdict until the next minor version")
    func advisories() async {
        let advisory = scenario("advisory", status: .advisory(since: .current)) { test in test.fail("no") }
        let report = await run([advisory, scenario("good") { _ in }])
        #expect(report.results[0].outcome == .failed)
        #expect(report.isConformant)
        let version = ContractVersion(1, 1)
        #expect(Scenario.Status.advisory(since: .first).isBinding(in: version))
    }

    @Test("Every one of more than 200 scenarios has an id of its own, a rule and a clause")
    func catalogue() {
        #expect(Scenario.all.count >= 200)
        #expect(Set(Scenario.all.map(\.id)).count == Scenario.all.count)
        for scenario in Scenario.all {
            #expect(scenario.id.contains("@"))
            #expect(scenario.rule.hasSuffix(".") && !scenario.clause.isEmpty, "\(scenario.id)")
            #expect(!scenario.layers.isEmpty)
        }
    }

    @Test("A scratch folder that cannot be made is an error with its path, and removing a folder removes its contents")
    func folders() throws {
        let error = #expect(throws: StoreError.self) { try TemporaryFolder(in: "/nowhere/at/all") }
        #expect(error?.code == .unavailable && error?.message.contains("/nowhere/at/all") == true)
        let outer = try TemporaryFolder()
        let inner = try TemporaryFolder("inner", in: outer.path)
        #expect(inner.path.hasPrefix("\(outer.path)/inner-"))
        outer.remove()
        #expect(throws: StoreError.self) { try TemporaryFolder(in: inner.path) }
    }

    @Test("The reports tell a scenario without an answer from one with a wrong answer")
    func reportedOutcomes() throws {
        let outcomes: [Outcome] = [.passed, .failed, .timedOut, .crashed, .unexpectedPass]
        let results = outcomes.map { ScenarioResult(scenario($0.rawValue) { _ in }, $0, message: "why \($0.rawValue)") }
        let report = ConformanceReport(backend: "b", engine: "e", settings: [], seed: 1, results: results)
        #expect(outcomes.map(\.isFailure) == [false, true, true, true, true])
        for bad in results.dropFirst() {
            let one = ConformanceReport(backend: "b", engine: "e", settings: [], seed: 1, results: [results[0], bad])
            #expect(!one.isConformant, "\(bad.outcome)")
        }
        #expect(report.junit.contains("failures=\"2\" errors=\"2\""))
        #expect(report.junit.contains("<error message=\"crashed: A rule.&#10;why crashed\" type=\"crashed\"/>"))
        #expect(report.json["totals"]?["timedOut"]?.integerValue == 1)
        let page = HTMLReport([report.json]).page
        #expect(page.contains("Failures (4)") && page.contains("timed out") && page.contains("why crashed"))
    }

    @Test("The reports hold the keys of the contract, escape what they show and need no network")
    func reports() async throws {
        let report = await run([
            scenario("good") { _ in }, scenario("bad") { test in test.fail("<b>&\"' \u{1}") },
        ])
        let json = try JSONObject(parsing: report.json.losslessText())
        #expect(
            Set(json.keys) == [
                "contract", "backend", "engine", "settings", "seed", "conformant", "totals", "scenarios",
            ])
        #expect(json["conformant"]?.boolValue == false)
        #expect(json["totals"]?["failed"]?.integerValue == 1)
        #expect(
            json["scenarios"]?[1]?.objectValue.map { Set($0.keys) }
                == ["id", "group", "outcome", "seconds", "message"])
        #expect(report.junit.contains("failures=\"1\""))
        #expect(report.junit.contains("&lt;b&gt;&amp;&quot;&#39; \u{FFFD}"))
        let page = HTMLReport([report.json, report.json]).page
        #expect(page.contains("&lt;b&gt;"))
        #expect(!page.contains("<b>&\"") && !page.contains("http"))
    }
}

private func readText(_ path: String) -> String {
    (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
}

/// A store that is there again after it was closed, and does not say so.
private struct KeptStore: ForwardingSessionStore {
    let base: any SessionStore = MemorySessionStore()

    func close() async {}
}
