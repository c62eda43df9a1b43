import AgentSessions
import AgentSessionsConformance
import AgentSessionsSQLite
import MutatedMemory
import MutationSwitch

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// Runs the kit on a mutated store, for the program that mutates: which mutant is on says the environment.
//
//     mutation-run cover STORE SEED                         each scenario alone, and which mutants' code it reaches
//     mutation-run kill STORE SEED LIMIT_MS SCENARIO…       until the first failure
//     mutation-run helper STORE NAME FOLDER TASK            a process beside that of a scenario
//
// Each answer is a line of words between tabs.

/// The stores that are mutated.
struct MutatedStores: StoreFactory {
    let name: String

    func open(_ place: StorePlace) async throws(StoreError) -> any SessionStore {
        switch name {
        // No two limits are the same, so that one in the place of another shows.
        case "memory": return MemorySessionStore(limits: StoreLimits(actorNameBytes: 254, pageItems: 9_000))
        default: return try await SQLiteSessionStore.open(SQLiteConfiguration(path: "\(place.folder)/store.db"))
        }
    }

    func helperCommand(_ task: String, at place: StorePlace) -> [String]? {
        // A store in memory is no other process's.
        guard name != "memory", let program = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(program) }
        return [String(cString: program), "helper", name, place.name, place.folder, task]
    }
}

/// Writes a line of words to standard output at once.
@Sendable func answer(_ words: String...) {
    let line = words.map { String($0.map { $0 == "\t" || $0.isNewline ? " " : $0 }) }.joined(separator: "\t") + "\n"
    let bytes = Array(line.utf8)
    _ = write(1, bytes, bytes.count)
}

/// Runs each scenario alone.
func cover(_ stores: MutatedStores, seed: UInt64) async {
    let runner = ConformanceRunner(stores, options: .init(seed: seed, width: 1))
    var numbers = [Int32](repeating: 0, count: 1 << 16)
    _ = mutation_take_reached(&numbers, Int32(numbers.count))
    for scenario in Scenario.all {
        let result = await runner.run(scenario)
        let count = Int(mutation_take_reached(&numbers, Int32(numbers.count)))
        let milliseconds = Int(result.duration / .milliseconds(1))
        answer(
            "covered", scenario.id, result.outcome.rawValue, "\(milliseconds)",
            numbers[..<count].map { "\($0)" }.joined(separator: ","), result.message)
    }
}

/// Runs scenarios until one fails.
func kill(_ stores: MutatedStores, seed: UInt64, milliseconds: Int, _ names: Set<String>, order: [String]) async {
    let places = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
    let scenarios = Scenario.all.filter { names.contains($0.id) }
        .sorted { places[$0.id, default: 0] < places[$1.id, default: 0] }
    var options = ConformanceRunner.Options(seed: seed)
    options.timeLimit = .milliseconds(milliseconds)
    let report = await ConformanceRunner(stores, options: options).run(scenarios) { result in
        // On the right store each of them was run: a store that cannot be opened any more is found by that.
        guard result.outcome.isFailure || result.outcome == .notRun else { return }
        answer("failed", result.scenario.id, result.message)
        _exit(0)
    }
    answer(report.results.isEmpty ? "nothing" : "survived")
}

// A group of its own, so that the processes of scenarios can be ended with it.
if CommandLine.arguments.dropFirst().first != "helper" { setpgid(0, 0) }
let words = Array(CommandLine.arguments.dropFirst())
switch words.first {
case "cover" where words.count == 3:
    await cover(MutatedStores(name: words[1]), seed: UInt64(words[2]) ?? 1)
case "kill" where words.count > 4:
    await kill(
        MutatedStores(name: words[1]), seed: UInt64(words[2]) ?? 1, milliseconds: Int(words[3]) ?? 5000,
        Set(words[4...]), order: Array(words[4...]))
case "helper" where words.count == 5:
    exit(
        await HelperProcess.main(
            task: words[4], factory: MutatedStores(name: words[1]), place: StorePlace(name: words[2], folder: words[3]))
    )
default:
    answer("error", "see the head of the file for what it takes")
    exit(64)
}
