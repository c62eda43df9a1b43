public import AgentSessions

/// A benchmark: every workload on every subject, in turn, again and again.
///
/// Each repetition opens every subject at a fresh place. Subjects take turns at each workload, and begin with another
/// one each time, so that what disturbs the machine for a while disturbs all of them.
public struct Benchmark: Sendable {
    /// How far a benchmark is.
    public struct Progress: Sendable {
        /// From 0 to 1, by the time that workloads take.
        public let fraction: Double
        /// What is being done, such as `message_append on sqlite`.
        public let activity: String
    }

    private let subjects: [any BenchmarkSubject]
    private let options: BenchmarkOptions
    private let data: BenchmarkData
    private let folder: String
    private let stop: StopRequest

    /// A benchmark.
    ///
    /// - Parameters:
    ///   - subjects: What to measure.
    ///   - options: How.
    ///   - corpus: What the subjects are filled with.
    ///   - folder: Where scratch stores are, for the report.
    ///   - stop: Ends the benchmark early.
    public init(
        _ subjects: [any BenchmarkSubject], _ options: BenchmarkOptions, corpus: Corpus, folder: String,
        stop: StopRequest = StopRequest()
    ) {
        self.subjects = subjects
        self.options = options
        data = BenchmarkData(corpus: corpus, seed: options.seed)
        self.folder = folder
        self.stop = stop
    }

    /// Runs it.
    ///
    /// - Parameter progress: Told before each step.
    /// - Returns: What was measured, up to where it was stopped.
    /// - Throws: What opening and filling a store throws. A workload that fails is reported as a result.
    public func run(
        progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) async throws(StoreError) -> BenchmarkReport {
        var recorder = Recorder(
            BenchmarkEnvironment(options, corpus: data.corpus, folder: folder), steps: stepCount, progress: progress)
        for repetition in 0..<options.repetitions where !stop.isRequested {
            var open: [OpenEntry] = []
            let outcome: Result<Void, StoreError>
            do throws(StoreError) {
                try await repeatOnce(repetition, &open, &recorder)
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            // Whatever happened, nothing is left behind.
            for entry in open { await entry.opened.close() }
            if case .failure(let error) = outcome, error.code != .cancelled { throw error }
        }
        return recorder.report(isInterrupted: stop.isRequested)
    }

    /// A subject that is open.
    private struct OpenEntry {
        let subject: any BenchmarkSubject
        let opened: any OpenSubject
        let tier: DurabilityTier
    }

    private func repeatOnce(
        _ repetition: Int, _ open: inout [OpenEntry], _ recorder: inout Recorder
    ) async throws(StoreError) {
        for subject in subjects {
            try stop.check()
            let opened = try await subject.open(data, stop: stop)
            open.append(OpenEntry(subject: subject, opened: opened, tier: await opened.tier))
            if repetition == 0 {
                recorder.disclose(subject, await opened.tier, try await opened.settings())
            }
        }
        for size in options.sizes {
            try await fill(&open, until: size, &recorder)
            var turn = repetition
            for workload in options.workloads where workload.name != Workload.bulkLoad.name {
                for load in options.loads(of: workload) {
                    for index in open.indices {
                        try stop.check()
                        let entry = open[(index + turn) % open.count]
                        recorder.step("\(workload.name) on \(entry.subject.name)")
                        let measured = try await entry.opened.run(workload, load)
                        // What was cut short is not what was asked for.
                        try stop.check()
                        guard let measured else { continue }
                        recorder.record(
                            measured, of: entry.subject, entry.tier, key(entry.subject, workload, load, size))
                    }
                    turn += 1
                }
            }
        }
    }

    private func fill(_ open: inout [OpenEntry], until size: Int, _ recorder: inout Recorder) async throws(StoreError) {
        var unable: [String] = []
        for entry in open {
            try stop.check()
            recorder.step("loading \(entry.subject.name)")
            let report = recorder.loading(entry.subject.name, of: size)
            guard let measured = try await entry.opened.load(until: size, progress: report) else {
                unable.append(entry.subject.name)
                continue
            }
            guard options.workloads.contains(where: { $0.name == Workload.bulkLoad.name }) else { continue }
            let key = ResultKey(
                store: entry.subject.name, workload: Workload.bulkLoad.name, clients: 1, dataMessages: size)
            recorder.record(measured, of: entry.subject, entry.tier, key)
        }
        for entry in open where unable.contains(entry.subject.name) { await entry.opened.close() }
        open.removeAll { unable.contains($0.subject.name) }
    }

    private func key(_ subject: any BenchmarkSubject, _ workload: Workload, _ load: Load, _ size: Int) -> ResultKey {
        var rate: Double?
        if case .open(let given) = load.mode { rate = given }
        return ResultKey(
            store: subject.name, workload: workload.name, clients: load.clients, rate: rate, dataMessages: size)
    }

    private var stepCount: Int {
        let runs = options.workloads.filter { $0.name != Workload.bulkLoad.name }
            .reduce(0) { $0 + options.loads(of: $1).count }
        return options.repetitions * options.sizes.count * subjects.count * (runs + 1)
    }
}

/// Gathers what is measured.
private struct Recorder {
    private var environment: BenchmarkEnvironment
    private var results: [BenchmarkResult] = []
    private var places: [ResultKey: Int] = [:]
    private var done = 0
    private let steps: Int
    private let progress: @Sendable (Benchmark.Progress) -> Void

    init(_ environment: BenchmarkEnvironment, steps: Int, progress: @escaping @Sendable (Benchmark.Progress) -> Void) {
        self.environment = environment
        self.steps = max(1, steps)
        self.progress = progress
    }

    mutating func disclose(_ subject: any BenchmarkSubject, _ tier: DurabilityTier, _ settings: [StoreSetting]) {
        environment.stores.append(
            .init(store: subject.name, backend: subject.backend, tier: tier, settings: settings))
    }

    mutating func step(_ activity: String) {
        progress(.init(fraction: Double(done) / Double(steps), activity: activity))
        done += 1
    }

    /// Progress within the loading of a large store.
    func loading(_ store: String, of size: Int) -> @Sendable (Int) -> Void {
        { [progress, steps, done] loaded in
            let part = Double(min(loaded, size)) / Double(max(1, size))
            progress(
                .init(fraction: (Double(done - 1) + part) / Double(steps), activity: "loading \(store): \(loaded)"))
        }
    }

    mutating func record(
        _ measured: Repetition, of subject: any BenchmarkSubject, _ tier: DurabilityTier, _ key: ResultKey
    ) {
        if let place = places[key] {
            results[place].repetitions.append(measured)
        } else {
            places[key] = results.count
            results.append(
                BenchmarkResult(
                    key: key, backend: subject.backend, isRaw: subject.isRaw, tier: tier, repetitions: [measured]))
        }
    }

    func report(isInterrupted: Bool) -> BenchmarkReport {
        var environment = environment
        environment.isInterrupted = isInterrupted
        return BenchmarkReport(environment: environment, results: results)
    }
}
