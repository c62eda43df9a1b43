public import AgentSessions

extension ConformanceReport {
    /// The report as JSON, with the keys `contract`, `backend`, `engine`, `settings`, `seed`, `conformant`, `totals` and
    /// `scenarios`.
    public var json: JSONObject {
        [
            "contract": .string("\(contract)"),
            "backend": .string(backend),
            "engine": .string(engine),
            "settings": .object(JSONObject(members: settings.map { ($0.name, .string($0.value)) })),
            "seed": .integer(Int64(bitPattern: seed)),
            "conformant": .bool(isConformant),
            "totals": .object(
                JSONObject(members: Outcome.allCases.map { ($0.rawValue, .integer(Int64(totals[$0] ?? 0))) })),
            "scenarios": .array(results.map { .object($0.json) }),
        ]
    }
}

extension ScenarioResult {
    /// The result as it stands in a report.
    var json: JSONObject {
        [
            "id": .string(scenario.id), "group": .string(scenario.group.rawValue),
            "outcome": .string(outcome.rawValue), "seconds": .double(milliseconds / 1000),
            "message": .string(message),
        ]
    }

    /// How long it took, in milliseconds and whole microseconds.
    var milliseconds: Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds * 1_000_000 + attoseconds / 1_000_000_000_000) / 1000
    }
}
