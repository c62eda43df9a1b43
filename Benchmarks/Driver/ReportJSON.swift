public import AgentSessions

extension BenchmarkReport {
    /// The report with the keys of the contract.
    public var json: JSONValue {
        [
            "environment": environment.json,
            "results": .array(
                results.map { result in
                    var members = result.members
                    members.append(("ratio_to_raw", .number(ratioToRaw(result), decimals: 4)))
                    return .object(JSONObject(members: members))
                }),
        ]
    }
}

extension BenchmarkResult {
    fileprivate var members: [(String, JSONValue)] {
        let operations = repetitions.reduce(0) { $0 + $1.operations }
        let cpu = repetitions.reduce(0) { $0 + $1.cpuSeconds }
        var members: [(String, JSONValue)] = [
            ("store", .string(key.store)), ("backend", .string(backend)), ("raw", .bool(isRaw)),
            ("workload", .string(key.workload)), ("clients", .integer(Int64(key.clients))),
            ("loop", key.rate == nil ? "closed" : "open"), ("rate", .number(key.rate, decimals: 3)),
            ("data_messages", .integer(Int64(key.dataMessages))), ("tier", .string(tier.rawValue)),
            ("operations", .integer(Int64(operations))),
            ("seconds", .number(repetitions.reduce(0) { $0 + $1.seconds }, decimals: 6)),
            ("operations_per_second", .number(operationsPerSecond, decimals: 2)),
            ("operations_per_second_min", .number(rates.min(), decimals: 2)),
            ("operations_per_second_max", .number(rates.max(), decimals: 2)),
            ("spread", .number(spread, decimals: 4)),
        ]
        members += latencies.members(isSaturated: isSaturated)
        members += [
            ("errors", .integer(Int64(repetitions.reduce(0) { $0 + $1.errors }))),
            ("retries", .integer(Int64(repetitions.reduce(0) { $0 + $1.retries }))),
            ("cpu_seconds", .number(cpu, decimals: 4)),
            ("peak_rss_bytes", .integer(Int64(repetitions.map(\.peakRSSBytes).max() ?? 0))),
            ("bytes_on_disk", .count(repetitions.compactMap(\.bytesOnDisk).max())),
            ("saturated", .bool(isSaturated)), ("verified", .bool(problem == nil)),
            ("problem", problem.map { .string($0) } ?? .null),
            ("repetitions", .array(repetitions.map { .object(JSONObject(members: $0.members)) })),
        ]
        return members
    }
}

extension Repetition {
    fileprivate var members: [(String, JSONValue)] {
        [
            ("operations", .integer(Int64(operations))), ("seconds", .number(seconds, decimals: 6)),
            ("operations_per_second", .number(operationsPerSecond, decimals: 2)),
            ("errors", .integer(Int64(errors))), ("retries", .integer(Int64(retries))),
            ("cpu_seconds", .number(cpuSeconds, decimals: 4)), ("peak_rss_bytes", .integer(Int64(peakRSSBytes))),
            ("bytes_on_disk", .count(bytesOnDisk)), ("saturated", .bool(isSaturated)),
        ] + latencies.members(isSaturated: isSaturated)
    }
}

extension Latencies {
    /// Where an open loop fell behind there is no latency to tell: it would be the length of the run.
    fileprivate func members(isSaturated: Bool) -> [(String, JSONValue)] {
        let maximum = count > 0 ? Double(maximum) / 1000 : nil
        return [
            ("p50_us", percentile(50)), ("p99_us", percentile(99)), ("p999_us", percentile(99.9)), ("max_us", maximum),
        ].map { name, value in (name, .number(isSaturated ? nil : value, decimals: 3)) }
    }
}

extension BenchmarkEnvironment {
    fileprivate var json: JSONValue {
        [
            "build": .string(build), "started_at": .string(startedAt.description), "system": .string(system),
            "processor": .string(processor), "cores": .integer(Int64(cores)),
            "memory_bytes": .integer(Int64(memoryBytes)), "load_average": .number(loadAverage, decimals: 2),
            "filesystem": .string(filesystem),
            "corpus": [
                "name": .string(corpus), "messages": .integer(Int64(corpusMessages)),
                "bytes": .integer(Int64(corpusBytes)),
            ],
            "seed": .string(String(options.seed)), "seconds": .number(options.duration / .seconds(1), decimals: 3),
            "warm_up_seconds": .number(options.warmUp / .seconds(1), decimals: 3),
            "repetitions": .integer(Int64(options.repetitions)),
            "order": "stores take turns at each workload and begin with another one each time",
            "interrupted": .bool(isInterrupted),
            "stores": .array(
                stores.map { store in
                    [
                        "store": .string(store.store), "backend": .string(store.backend),
                        "tier": .string(store.tier.rawValue),
                        "settings": .object(
                            JSONObject(members: store.settings.map { ($0.name, JSONValue.string($0.value)) })),
                    ]
                }),
        ]
    }
}

extension JSONValue {
    /// A number rounded to so many decimals; `null` for none.
    static func number(_ value: Double?, decimals: Int) -> JSONValue {
        guard let value, value.isFinite else { return .null }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        return .double((value * scale).rounded() / scale)
    }

    fileprivate static func count(_ value: Int?) -> JSONValue { value.map { .integer(Int64($0)) } ?? .null }
}
