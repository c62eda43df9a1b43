public import AgentSessions

/// What a benchmark measured, and what on.
public struct BenchmarkReport: Sendable {
    /// The machine, the stores and the options.
    public let environment: BenchmarkEnvironment
    /// A result for each store, workload and load.
    public let results: [BenchmarkResult]

    /// What was wrong with answers or with what was stored, a line each.
    public var problems: [String] {
        results.compactMap { result in
            result.problem.map { "\(result.key.workload) on \(result.key.store), \(result.key.clients) clients: \($0)" }
        }
    }

    /// What everyone who reads the figures must know about this run.
    public var warnings: [String] {
        var warnings: [String] = []
        if environment.isInterrupted {
            warnings.append("The benchmark was interrupted: it holds what was measured until then.")
        }
        if !BenchmarkEnvironment.isOptimised {
            warnings.append("This is a debug build: its figures say nothing about speed. Build with -c release.")
        }
        if environment.filesystem == "tmpfs" || environment.filesystem == "ramfs" {
            warnings.append(
                "The stores are on \(environment.filesystem), which has no disk: durable commits cost nothing there.")
        }
        if environment.loadAverage > 0.5 {
            let load = environment.loadAverage.formatted(decimals: 1)
            warnings.append(
                "The machine was shared: its load average was \(load) on \(environment.cores) cores at the start.")
        }
        return warnings + problems.map { "Not to be trusted: \($0)" }
    }
}

// MARK: - Ranking

/// Results that may stand beside each other: one workload and load, one durability tier, the fastest first.
public struct Ranking: Sendable {
    /// What a ranking is of.
    public struct Subject: Sendable, Hashable {
        public let workload: String
        public let clients: Int
        public let rate: Double?
        public let dataMessages: Int
        public let tier: DurabilityTier
    }

    /// What the ranking is of.
    public let subject: Subject
    /// The results, the fastest first; those that cannot be trusted or fell behind last.
    public let results: [BenchmarkResult]

    /// Ranks results.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/invalidArgument`` where they are not of one workload, load and tier:
    ///   a store that does not wait for the disk is no faster than one that does, it does less.
    public init(_ results: [BenchmarkResult]) throws(StoreError) {
        guard let subject = results.first?.rankingSubject, results.allSatisfy({ $0.rankingSubject == subject }) else {
            throw StoreError(
                .invalidArgument,
                "These results cannot be ranked together: they are not of one workload, load and durability tier.")
        }
        self.subject = subject
        self.results = results.sorted { left, right in
            left.isRankable == right.isRankable
                ? left.operationsPerSecond > right.operationsPerSecond : left.isRankable
        }
    }
}

extension BenchmarkResult {
    fileprivate var rankingSubject: Ranking.Subject {
        Ranking.Subject(
            workload: key.workload, clients: key.clients, rate: key.rate, dataMessages: key.dataMessages, tier: tier)
    }
}

extension BenchmarkReport {
    /// The rankings, in the order in which workloads ran; each tier has its own.
    public var rankings: [Ranking] {
        var subjects: [Ranking.Subject] = []
        var groups: [Ranking.Subject: [BenchmarkResult]] = [:]
        for result in results {
            let subject = result.rankingSubject
            if groups[subject] == nil { subjects.append(subject) }
            groups[subject, default: []].append(result)
        }
        return subjects.compactMap { subject in try? Ranking(groups[subject] ?? []) }
    }

    /// How much of its raw engine's rate a store reaches, with the same number of clients; for a raw engine these are
    /// changes that share a commit. `nil` where the engine was not measured so.
    public func ratioToRaw(_ result: BenchmarkResult) -> Double? {
        guard !result.isRaw, result.isRankable else { return nil }
        let raw = results.first {
            $0.isRaw && $0.backend == result.backend && $0.tier == result.tier && $0.isRankable
                && $0.rankingSubject == result.rankingSubject
        }
        return raw.map { result.operationsPerSecond / $0.operationsPerSecond }
    }
}

// MARK: - Figures as text

extension Double {
    /// With so many decimals, rounded.
    func formatted(decimals: Int) -> String {
        guard isFinite, abs(self) < 1e15 else { return "\(self)" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int64((abs(self) * scale).rounded())
        let whole = scaled / Int64(scale)
        let sign = self < 0 && scaled > 0 ? "-" : ""
        guard decimals > 0 else { return sign + "\(whole)" }
        let fraction = String(scaled % Int64(scale))
        return sign + "\(whole)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }

    /// With three digits that count, and commas between thousands: `43,600`, `868`, `12.3`, `0.042`.
    var short: String {
        switch abs(self) {
        case 1000...: grouped(Int64(rounded()))
        case 100...: formatted(decimals: 0)
        case 10...: formatted(decimals: 1)
        case 1...: formatted(decimals: 2)
        default: formatted(decimals: 3)
        }
    }

    private func grouped(_ value: Int64) -> String {
        let digits = Array(String(value.magnitude))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + text
    }
}
