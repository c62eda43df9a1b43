import AgentSessions
import AgentSessionsConformance
import AgentSessionsTestSupport
import Foundation
import Synchronization
import Testing

@Suite("Scenarios in processes of their own")
struct ChildProcessTests {
    /// Stores that end their process when they are to rewind, in a program of its own.
    private final class Stores: StoreFactory {
        let command: [String]
        private let removed = Mutex<[StorePlace]>([])

        init(_ ending: String) throws {
            command = [try BuiltProgram("conformance-selftest").path, "helper", ending]
        }

        var removedPlaces: [StorePlace] { removed.withLock { $0 } }

        func open(_ place: StorePlace) async throws(StoreError) -> any SessionStore {
            throw StoreError(.internalFailure, "A store was opened in the process of the runner.")
        }

        func destroy(_ place: StorePlace) async throws(StoreError) {
            removed.withLock { $0.append(place) }
        }

        func helperCommand(_ task: String, at place: StorePlace) -> [String]? {
            command + [place.name, place.folder, task]
        }
    }

    private func scenarios(_ names: String...) throws -> [Scenario] {
        try names.map { name in try #require(Scenario.all.first { $0.id == "\(name)@1" }, "\(name)") }
    }

    private func run(
        _ stores: Stores, _ scenarios: [Scenario], timeLimit: Duration? = nil, width: Int = 1, failFast: Bool = false
    ) async -> ConformanceReport {
        let options = ConformanceRunner.Options(
            seed: 1, width: width, timeLimit: timeLimit, failFast: failFast, inChildProcesses: true)
        return await ConformanceRunner(stores, options: options).run(scenarios)
    }

    private func three() throws -> [Scenario] {
        try scenarios("create.fields", "rewind.removes-the-end", "append.sequences")
    }

    @Test("A store that traps is a result of the scenario, with what it said, and the run goes on")
    func traps() async throws {
        let stores = try Stores("traps")
        let report = await run(stores, try three())
        #expect(report.results.map(\.outcome) == [.passed, .crashed, .passed])
        let message = report.results[1].message
        #expect(message.contains("got signal") && message.contains("Fatal error: a rewind of"), "\(message)")
        #expect(report.backend == "memory" && report.engine.contains("memory"))
        #expect(!report.isConformant)
        // What the process did not come to remove.
        let places = stores.removedPlaces
        #expect(places.count == 1)
        for place in places { #expect(!FileManager.default.fileExists(atPath: place.folder)) }
    }

    @Test("A store that exits is told by its status, wherever it was")
    func exits() async throws {
        let report = await run(try Stores("exits"), try three())
        #expect(report.results.map(\.outcome) == [.passed, .crashed, .passed])
        #expect(report.results[1].message.contains("exited with status 3"), "\(report.results[1].message)")
    }

    @Test("A store that hangs is ended, and is no crash", .timeLimit(.minutes(5)))
    func hangs() async throws {
        let report = await run(try Stores("hangs"), try three(), timeLimit: .seconds(1))
        #expect(report.results.map(\.outcome) == [.passed, .timedOut, .passed])
        #expect(report.results[1].message.contains("no answer within 1.0 seconds"), "\(report.results[1].message)")
    }

    @Test("A process that says nothing any more is ended", .timeLimit(.minutes(10)))
    func stops() async throws {
        let report = await run(try Stores("stops"), try three(), timeLimit: .milliseconds(200))
        #expect(report.results.map(\.outcome) == [.passed, .timedOut, .passed])
        #expect(report.results[1].message.contains("said nothing"), "\(report.results[1].message)")
    }

    @Test("Several processes at a time tell each its own crashes")
    func several() async throws {
        let rewinds = try scenarios(
            "rewind.removes-the-end", "rewind.other-fields", "rewind.revision", "rewind.sequences-again")
        let report = await run(try Stores("traps"), rewinds + (try three()), width: 3)
        let outcomes = report.results.map(\.outcome)
        #expect(outcomes == [.crashed, .crashed, .crashed, .crashed, .passed, .crashed, .passed])
    }

    @Test("A crash is a failure that ends a run which is to fail fast, and one that a waiver accepts")
    func failsFast() async throws {
        let report = await run(try Stores("traps"), try three().reversed(), failFast: true)
        #expect(report.results.map(\.outcome) == [.passed, .crashed, .notRun])
        let waiver = Waiver(
            "rewind.removes-the-end@1", reason: "issue 1", expires: Timestamp.now().advanced(by: 3_600_000_000))
        let options = ConformanceRunner.Options(seed: 1, waivers: [waiver], inChildProcesses: true)
        let waived = await ConformanceRunner(try Stores("traps"), options: options).run(try three()[1])
        #expect(waived.outcome == .waived)
    }

    @Test("What a store prints is no answer")
    func prints() async throws {
        let report = await run(try Stores("prints"), try three())
        #expect(report.results.map(\.outcome) == [.passed, .passed, .passed])
    }

    @Test("A scenario that the helper's program does not know is not run, and a program that fails is named")
    func unknown() async throws {
        let own = Scenario("test.own", .errors, "0", "A rule.") { _ in }
        let report = await run(try Stores("prints"), [own])
        #expect(report.results.map(\.outcome) == [.notRun])
        #expect(report.results[0].message.contains("does not know this scenario"))
        let none = await run(try Stores("no-such-ending"), try three())
        #expect(none.results.map(\.outcome) == [.notRun, .notRun, .notRun])
        #expect(none.results[0].message.contains("exited with status 64"), "\(none.results[0].message)")
    }

    @Test("A factory without a command runs its scenarios in this process")
    func withoutCommand() async throws {
        let told = Mutex<[Outcome]>([])
        let options = ConformanceRunner.Options(seed: 1, inChildProcesses: true)
        let own = Scenario("test.own", .errors, "0", "A rule.") { test in test.fail("here") }
        let report = await ConformanceRunner(memoryStores, options: options).run([own]) { result in
            told.withLock { $0.append(result.outcome) }
        }
        #expect(report.results.map(\.message) == ["here"])
        #expect(told.withLock { $0 } == [.failed])
    }
}
