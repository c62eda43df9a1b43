import AgentSessions
import AgentSessionsBackends
import AgentSessionsBenchmarks
import AgentSessionsRawEngines
import ArgumentParser

/// `bench`: the same workloads on several stores and on their engines' own C APIs.
struct BenchCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure stores, and what they cost above their engines.",
        discussion: """
            Every store is a scratch store beside the one that its URL names (a folder on the same disk, a schema \
            on the same server), which is removed afterwards; what lies at the URL itself is not touched. Without \
            --stores it is the store of --store, or memory:, sqlite: and lmdb: in the temporary folder.

            Workloads: \(Workload.all.map(\.name).joined(separator: ", ")); or a suite of them: sessions, messages, whole.

            docs/benchmarks.md says how to read the figures, and where they mislead.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("The stores.", valueName: "url"))
    var stores: [String] = []

    @Option(help: ArgumentHelp("Workloads or suites, separated by commas; all of them by default.", valueName: "list"))
    var workloads: String?

    @Option(
        help: ArgumentHelp("Numbers of clients, separated by commas, in place of each workload's own.", valueName: "n"))
    var clients: String?

    @Option(
        help: ArgumentHelp("Calls per second, separated by commas: open loops in place of closed ones.", valueName: "n")
    )
    var rate: String?

    @Option(
        help: ArgumentHelp("Chat JSON lines to store; by default the sample of `demo`, expanded.", valueName: "file"))
    var corpus: String?

    @Option(help: ArgumentHelp("How long each repetition of each workload is measured.", valueName: "s"))
    var seconds = 0.3

    @Option(help: ArgumentHelp("How often each workload is repeated on each store.", valueName: "n"))
    var repetitions = 5

    @Option(
        help: ArgumentHelp(
            "Messages that a store holds when it is measured; separated by commas, it grows from one to the next.",
            valueName: "n"))
    var sizes: String?

    @Option(help: ArgumentHelp("The seed of the expanded corpus and of the order of reads.", valueName: "n"))
    var seed: UInt64 = 1

    @Flag(inversion: .prefixedNo, help: "Measure the engines' own C APIs too.")
    var raw = true

    @Option(parsing: .unconditional, help: ArgumentHelp("Save the results as JSON.", valueName: "file"))
    var save: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Compare with results that were saved.", valueName: "file"))
    var compare: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Write a page: HTML with charts, or Markdown if the name ends in .md.", valueName: "file")
    )
    var report: String?

    func validate() throws {
        try requireValues(
            [("--corpus", corpus), ("--save", save), ("--compare", compare), ("--report", report)]
                + stores.map { ("--stores", $0) })
    }

    /// A saved benchmark is no longer than this.
    private static let savedBytes = 1 << 28

    func run(in context: ToolContext) async throws(StoreError) {
        let saved = try savedBenchmark()
        let places = try places(context)
        for output in [save, report].compactMap({ $0 }) {
            for place in places { try place.configuration.requireNoFile(ofStore: output) }
        }
        let corpus = try await loadCorpus()
        let options = try options(corpus)
        let folder = places.lazy.compactMap(\.directory).first ?? "."
        let stop = StopRequest()
        let benchmark = Benchmark(
            subjects(places, options), options, corpus: corpus, folder: folder, stop: stop)
        let bar = TimedProgress("Measuring", on: context.console)
        let measured: BenchmarkReport
        do throws(StoreError) {
            measured = try await Interruption.requesting(stop) { () throws(StoreError) in
                try await benchmark.run { bar.show($0.fraction, $0.activity) }
            }
        } catch {
            bar.clear()
            throw error
        }
        bar.clear()
        try await publish(measured, saved, context)
    }

    /// Prints and writes what was measured.
    private func publish(
        _ measured: BenchmarkReport, _ saved: SavedBenchmark?, _ context: ToolContext
    ) async throws(StoreError) {
        let comparison = saved.map { Comparison(measured, to: $0) }
        var value = measured.json
        if let comparison, case .object(let object) = value {
            value = .object(JSONObject(members: object.map { ($0.key, $0.value) } + [("comparison", comparison.json)]))
        }
        let markdown = ([measured.markdown] + (comparison.map { [$0.markdown] } ?? [])).joined(separator: "\n\n")
        if let save {
            let text = try jsonText(measured.json)
            try await ReplacingFile.write(to: save) { (output) throws(StoreError) in try output.print(text) }
        }
        if let report {
            let page = report.hasSuffix(".md") ? markdown : measured.html(comparison: comparison)
            try await ReplacingFile.write(to: report) { (output) throws(StoreError) in try output.print(page) }
        }
        if global.json {
            try context.console.print(value)
        } else {
            try context.console.output.print(markdown)
        }
        guard measured.problems.isEmpty else {
            throw StoreError(
                .corrupt, "A store did not do what it acknowledged: \(measured.problems.joined(separator: "; "))")
        }
        if measured.environment.isInterrupted {
            throw StoreError(.cancelled, "Interrupted: the report holds what was measured until then.")
        }
    }

    // MARK: Options

    private func options(_ corpus: Corpus) throws(StoreError) -> BenchmarkOptions {
        guard seconds.isFinite, seconds >= 0.01, seconds <= 3600 else {
            throw StoreError(.invalidArgument, "--seconds is \(seconds): it must be 0.01 to 3600.")
        }
        guard (1...1000).contains(repetitions) else {
            throw StoreError(.invalidArgument, "--repetitions is \(repetitions): it must be 1 to 1000.")
        }
        let sizes = try numbers(sizes, "--sizes", 10...1_000_000_000)
        let names = workloads?.split(separator: ",").map(String.init)
        return BenchmarkOptions(
            workloads: try names.map { (names) throws(StoreError) in try Workload.named(names) } ?? Workload.all,
            clients: try numbers(clients, "--clients", 1...1024),
            rates: try numbers(rate, "--rate", 1...10_000_000)?.map(Double.init) ?? [],
            duration: .microseconds(Int64(seconds * 1e6)), repetitions: repetitions, seed: seed,
            sizes: sizes ?? [corpus.storeSize])
    }

    private func numbers(
        _ text: String?, _ option: String, _ range: ClosedRange<Int>
    ) throws(StoreError) -> [Int]? {
        guard let text else { return nil }
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        let valid = numbers.compactMap { $0 }.filter { range.contains($0) }
        guard valid.count == numbers.count else {
            throw StoreError(
                .invalidArgument,
                "\(option) is \(quoted(text)): give integers from \(range.lowerBound) to \(range.upperBound), "
                    + "separated by commas.")
        }
        return valid
    }

    private func savedBenchmark() throws(StoreError) -> SavedBenchmark? {
        guard let compare else { return nil }
        let bytes = try InputFile.reading(compare) { (input) throws(StoreError) in
            var bytes: [UInt8] = []
            while bytes.count < Self.savedBytes {
                let chunk = try input.read()
                if chunk.isEmpty { break }
                bytes += chunk
            }
            return bytes
        }
        return try SavedBenchmark(parsing: String(decoding: bytes, as: UTF8.self), name: quoted(compare, limit: 200))
    }

    private func loadCorpus() async throws(StoreError) -> Corpus {
        if let corpus {
            let name = corpus.split(separator: "/").last.map(String.init) ?? corpus
            return try await Corpus.read(.file(path: corpus), name: name)
        }
        let sample = try await Corpus.read(.bytes(PackageResources.sample_conversations_jsonl), name: "sample")
        return sample.expanded(to: Self.sampleMessages, seed: seed)
    }

    /// The messages of the corpus if no file is given: enough for reads to go to different pages.
    private static let sampleMessages = 5000

    // MARK: Stores

    private func places(_ context: ToolContext) throws(StoreError) -> [ScratchLocations] {
        var urls = stores
        if urls.isEmpty, let store = global.store { urls = [store] }
        if urls.isEmpty {
            let folder = context.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
            let known = [
                "memory": "memory:", "sqlite": "sqlite://\(folder)/bench.db", "lmdb": "lmdb://\(folder)/bench",
            ]
            urls = context.registry.names.compactMap { known[$0] }
        }
        return try urls.map { (url) throws(StoreError) in try ScratchLocations(url, registry: context.registry) }
    }

    /// The harness's own cost first, then each store with its engine beside it.
    private func subjects(_ places: [ScratchLocations], _ options: BenchmarkOptions) -> [any BenchmarkSubject] {
        var subjects: [any BenchmarkSubject] = [StoreSubject.noop]
        var seen: [String: Int] = [:]
        for place in places {
            let backend = place.backend
            seen[backend, default: 0] += 1
            let number = seen[backend] ?? 1
            subjects.append(
                StoreSubject(name: number == 1 ? backend : "\(backend)-\(number)", backend: backend) {
                    () throws(StoreError) in try await place.open()
                })
            guard raw, number == 1 else { continue }
            if let engine = RawSubject(backend: backend, make: { () throws(StoreError) in try place.raw() }) {
                subjects.append(engine)
            }
        }
        return subjects
    }
}

extension Corpus {
    /// The size of a store that holds the whole corpus, of which the long session adds a tenth.
    fileprivate var storeSize: Int { max(10, messageCount * 10 / 9) }
}
