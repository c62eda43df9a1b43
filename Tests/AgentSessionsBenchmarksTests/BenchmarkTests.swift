import AgentSessions
import AgentSessionsMemory
import Synchronization
import Testing

@testable import AgentSessionsBenchmarks

@Suite("Benchmark")
struct BenchmarkTests {
    private static let corpus = Corpus(
        name: "test",
        (0..<3).map { number in
            (0..<30).map { NewMessage($0.isMultiple(of: 2) ? .user : .assistant, "Message \($0) of \(number).") }
        })

    private func options(
        _ workloads: [Workload] = Workload.all, clients: [Int]? = [1, 2], rates: [Double] = [], repetitions: Int = 1,
        sizes: [Int] = [100]
    ) -> BenchmarkOptions {
        BenchmarkOptions(
            workloads: workloads, clients: clients, rates: rates, duration: .milliseconds(5), repetitions: repetitions,
            sizes: sizes)
    }

    private func memory(
        _ name: String = "memory", _ lie: LyingStore.Lie? = nil, removed: SharedCounter = SharedCounter()
    ) -> StoreSubject {
        StoreSubject(name: name, backend: "memory") { () throws(StoreError) in
            let store: any SessionStore = if let lie { LyingStore(lie) } else { MemorySessionStore() }
            return ScratchStore(store) {
                4096
            } remove: {
                _ = removed.next()
            }
        }
    }

    private func run(
        _ subjects: [any BenchmarkSubject], _ options: BenchmarkOptions, stop: StopRequest = StopRequest(),
        progress: @escaping @Sendable (Benchmark.Progress) -> Void = { _ in }
    ) async throws -> BenchmarkReport {
        try await Benchmark(subjects, options, corpus: Self.corpus, folder: "/tmp", stop: stop).run(progress: progress)
    }

    // MARK: What is measured

    @Test("Every workload runs on every store and is verified, and the stores are removed afterwards")
    func everything() async throws {
        let removed = SharedCounter()
        let report = try await run([StoreSubject.noop, memory(removed: removed)], options(repetitions: 2))
        #expect(report.problems == [])
        #expect(removed.value == 2)
        for store in ["noop", "memory"] {
            for workload in Workload.all {
                let found = report.results.filter { $0.key.store == store && $0.key.workload == workload.name }
                #expect(found.count == (workload.name == "bulk_load" ? 1 : 2), "\(workload.name) on \(store)")
                for result in found {
                    #expect(result.repetitions.count == 2)
                    #expect(result.repetitions.allSatisfy { $0.operations > 0 && $0.seconds > 0 && $0.errors == 0 })
                }
            }
        }
    }

    @Test("The suites hold the seven benchmarks of the original")
    func suites() throws {
        let names = { (suite: String) in try Workload.named([suite]).map(\.name) }
        #expect(try names("sessions") == ["session_create", "session_get", "session_list"])
        for name in ["message_append", "export", "token_update", "import"] {
            #expect(try names("messages").contains(name))
        }
        #expect(throws: StoreError.self) { try Workload.named(["message_appned"]) }
    }

    @Test("A batch of 20 counts as 20 operations, and its latency is that of the call")
    func batches() async throws {
        let report = try await run([memory()], options([.messageAppendBatch20], clients: [1]))
        let repetition = try #require(report.results.first?.repetitions.first)
        #expect(repetition.operations == 20 * Int(repetition.latencies.count))
    }

    @Test("An open loop has a result for each rate")
    func openLoop() async throws {
        let report = try await run([memory()], options([.messageAppend], rates: [500, 1000]))
        #expect(report.results.map(\.key.rate) == [500, 1000])
    }

    @Test("A store grows from size to size and is measured at each")
    func sizes() async throws {
        let report = try await run([memory()], options(Workload.scale, clients: [1], sizes: [1000, 100]))
        #expect(report.problems == [])
        #expect(Set(report.results.map(\.key.dataMessages)) == [100, 1000])
        #expect(report.results.count == 6)
    }

    @Test("The same seed makes the same corpus, and another seed makes another")
    func seeds() {
        let texts = { (seed: UInt64) in Self.corpus.expanded(to: 500, seed: seed).flattened().messages.map(\.content) }
        #expect(texts(1) == texts(1))
        #expect(texts(1) != texts(2))
        #expect(texts(1).count >= 500)
    }

    @Test("A corpus is read from chat lines, whatever the order of its sessions")
    func corpora() async throws {
        let lines = (0..<5).map { "{\"messages\":[{\"role\":\"user\",\"content\":\"\($0)\"}]}" }.joined(separator: "\n")
        let corpus = try await Corpus.read(.bytes(Array(lines.utf8)), name: "lines")
        #expect(corpus.flattened().messages.map(\.content) == ["0", "1", "2", "3", "4"])
        #expect(corpus.conversations == 5)
        await #expect(throws: StoreError.self) {
            try await Corpus.read(.bytes(Array("{\"messages\":[]}".utf8)), name: "empty")
        }
    }

    // MARK: What is not believed

    @Test("A store that returns wrong data is detected", arguments: LyingStore.Lie.allCases)
    func lies(_ lie: LyingStore.Lie) async throws {
        let report = try await run([memory("liar", lie)], options(lie.workloads, clients: [1]))
        #expect(!report.problems.isEmpty)
        #expect(report.results.filter { $0.problem != nil }.allSatisfy { !$0.isRankable })
        #expect(report.markdown.contains("not verified"))
    }

    @Test("Stores of different durability tiers are never ranked together")
    func tiers() async throws {
        let durable = StoreSubject(name: "durable", backend: "durable") { () throws(StoreError) in
            ScratchStore(LyingStore(.tier))
        }
        let report = try await run([memory(), durable], options([.sessionGet], clients: [1]))
        #expect(report.results.map(\.tier).sorted() == [.memory, .powerLoss])
        #expect(throws: StoreError.self) { try Ranking(report.results) }
        #expect(report.rankings.map { $0.results.map(\.key.store) } == [["memory"], ["durable"]])
        #expect(report.markdown.contains("## T2") && report.markdown.contains("## T0"))
    }

    @Test("An interruption keeps the measurements and closes the stores")
    func interruption() async throws {
        let stop = StopRequest()
        let removed = SharedCounter()
        let report = try await run(
            [memory(removed: removed)], options([.sessionCreate, .sessionGet], clients: [1], repetitions: 3), stop: stop
        ) { progress in
            if progress.activity.hasPrefix("session_get") { stop.request() }
        }
        #expect(report.environment.isInterrupted)
        #expect(report.results.map(\.key.workload) == ["session_create"])
        #expect(report.results.first?.repetitions.count == 1)
        #expect(removed.value == 1)
        #expect(report.warnings.contains { $0.contains("interrupted") })
    }

    @Test("A store that cannot be opened ends the benchmark, and the open stores are closed")
    func unopenable() async throws {
        let removed = SharedCounter()
        let broken = StoreSubject(name: "broken", backend: "broken") { () throws(StoreError) in
            throw StoreError(.unavailable, "no")
        }
        await #expect(throws: StoreError.self) { try await run([memory(removed: removed), broken], options()) }
        #expect(removed.value == 1)
    }

    @Test("Calls that the service retries are counted")
    func retries() async throws {
        let count = RetryCount()
        let policy = RetryPolicy(maximumAttempts: 3, baseDelay: .zero)
        let service = PersistentSessionService(LyingStore(.busy), retryPolicy: policy, logger: count.logger)
        await #expect(throws: StoreError.self) { try await service.get(ULIDGenerator.shared.next()) }
        #expect(count.take() == 2)
        #expect(count.take() == 0)
    }

    // MARK: What is written

    @Test("The JSON report has the keys of the contract")
    func json() async throws {
        let report = try await run([memory()], options([.messageAppend], clients: [2], repetitions: 3))
        let json = report.json
        let environment = try #require(json["environment"]?.objectValue)
        for key in [
            "build", "cores", "memory_bytes", "filesystem", "corpus", "seed", "stores", "interrupted", "system",
            "processor", "load_average", "warm_up_seconds", "repetitions",
        ] {
            #expect(environment[key] != nil, "\(key)")
        }
        let store = try #require(environment["stores"]?[0])
        #expect(store["tier"] == "T0")
        #expect(store["settings"]?["engine"] != nil)
        let results = try #require(json["results"]?.arrayValue)
        #expect(results.count == 1)
        let result = try #require(results.first)
        #expect(result["store"] == "memory")
        #expect(result["workload"] == "message_append")
        #expect(result["clients"] == 2)
        #expect(result["bytes_on_disk"] == 4096)
        for key in [
            "backend", "tier", "operations", "seconds", "operations_per_second", "p50_us", "p99_us", "p999_us",
            "max_us", "errors", "retries", "cpu_seconds", "peak_rss_bytes", "data_messages",
        ] {
            #expect(result[key] != nil && result[key] != .null, "\(key)")
        }
        #expect(result["repetitions"]?.arrayValue?.count == 3)
        // A saved benchmark can be read again, and is the same as itself.
        let saved = try SavedBenchmark(parsing: try #require(json.objectValue).losslessText(), name: "saved")
        let comparison = Comparison(report, to: saved)
        // Rates are saved with two decimals.
        #expect(comparison.lines.count == 1)
        let change = try #require(comparison.lines.first?.change)
        #expect(abs(change) < 0.001)
        #expect(comparison.unmatched.isEmpty)
        #expect(comparison.lines.first?.verdict != .slower && comparison.lines.first?.verdict != .faster)
    }

    @Test("A saturated open loop shows no latency")
    func saturated() async throws {
        let slow = StoreSubject(name: "slow", backend: "slow") { () throws(StoreError) in
            ScratchStore(LyingStore(.slow))
        }
        let report = try await run([slow], options([.sessionGet], rates: [100_000]))
        let result = try #require(report.json["results"]?[0])
        #expect(result["saturated"] == true)
        #expect(result["p99_us"] == .null)
        #expect(report.markdown.contains("saturated"))
    }

    @Test("The HTML page holds charts and tables and needs no network")
    func page() async throws {
        let report = try await run([StoreSubject.noop, memory("<b>&")], options(clients: [1], sizes: [100, 200]))
        let page = report.html()
        #expect(page.hasPrefix("<!DOCTYPE html>"))
        for part in ["<svg", "Throughput by clients", "Latency", "Cost against data size", "&lt;b&gt;&amp;"] {
            #expect(page.contains(part), "\(part)")
        }
        for part in ["http:", "https:", "<script", "src=", "<b>&", "nan", "inf\""] {
            #expect(!page.contains(part), "\(part)")
        }
    }
}
