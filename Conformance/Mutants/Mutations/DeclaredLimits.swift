import AgentSessions

extension Mutant {
    /// Limits that no store can have: each in the place of each.
    static let declaredLimits: [Mutant] =
        fields.flatMap { field, path in
            numbers.map { name, number in
                Mutant(
                    "limits.declared-\(field)-\(name)", "\(field) is declared to be \(name).",
                    caughtBy: ["limits.declared"]
                ) {
                    store in
                    store.capabilities.limits[keyPath: path] = number(StoreLimits.standard[keyPath: path])
                }
            }
        } + [
            // All of them at once, for what counts with several.
            Mutant("limits.declared-all-largest", "Each limit is the largest number.", caughtBy: ["limits.declared"]) {
                store in
                for (_, path) in fields { store.capabilities.limits[keyPath: path] = .max }
            },
            Mutant("limits.declared-all-smallest", "Each limit is the smallest number.", caughtBy: ["limits.declared"])
            {
                store in
                for (_, path) in fields { store.capabilities.limits[keyPath: path] = .min }
            },
        ]

    private static let fields: [(String, any WritableKeyPath<StoreLimits, Int> & Sendable)] = [
        ("content", \.contentBytes), ("metadata", \.metadataBytes), ("depth", \.metadataDepth),
        ("tool-call-id", \.toolCallIDBytes), ("actor", \.actorNameBytes), ("batch", \.batchMessages),
        ("page", \.pageItems),
    ]

    private static let numbers: [(String, @Sendable (Int) -> Int)] = [
        ("zero", { _ in 0 }), ("minus-one", { _ in -1 }), ("smallest", { _ in .min }), ("largest", { _ in .max }),
        ("one-too-large", { $0 + 1 }),
    ]
}
