/// A part of the stores that is mutated, the store that the kit is run on for it, and what is asked of the kit there.
///
/// This file is the one place that names the sources. They are found by their names, so that they may move.
public struct Area: Sendable {
    /// Sources of one target.
    public struct Sources: Sendable {
        /// The target's folder under `Sources`.
        let target: String
        /// The names of the files. They may be in any folder of the target.
        let files: [String]
        /// Of files that hold other things too, the declarations that are mutated.
        var only: [String: [String]] = [:]
        /// Declarations that are left alone, each with the reason.
        var except: [String: String] = [:]
        /// A folder each of whose files must be in some area.
        var whole: String?
    }

    /// The name, as the command line and the report have it.
    public let name: String
    /// Which store the runner opens.
    public let store: String
    /// What is mutated.
    public let sources: [Sources]

    /// What share of the mutants of all areas of a store the kit must kill, in percent, by the store's name. Those that are
    /// the same program do not count.
    public static let minimums: [(store: String, percent: Double)] = [("memory", 97), ("sqlite", 95)]

    /// The areas in the order in which they are run.
    public static let all = [memory, rules, sqlite]

    private static let memory = Area(
        name: "memory", store: "memory",
        sources: [
            // How a URL opens a store is a matter of the registry, and no scenario's: `MemoryBackend.swift` stays.
            Sources(
                target: "AgentSessionsMemory",
                files: ["MemoryTables.swift", "MemorySessionStore.swift", "MemorySessionStore+Verify.swift"])
        ])

    private static let rules = Area(
        name: "rules", store: "memory",
        sources: [
            Sources(
                target: "AgentSessions",
                files: [
                    "AppendPlan.swift", "MessagePage+Checks.swift", "RestoreBatches.swift", "StoreLimits+Checks.swift",
                    "JSONObject+Normalised.swift", "MessageRequests.swift", "SessionRequests.swift",
                    "TransactionalSessionStore.swift", "StoreLimits.swift", "Session.swift", "SessionMessage.swift",
                    "TokenUsage.swift", "NewMessage.swift", "LongChange.swift", "Replacement.swift",
                    "SessionChanges.swift",
                ],
                // Not what compares records: it is the kit's eye, and no store's mistake.
                only: [
                    "Session.swift": ["Session.nextRevision(at:)"],
                    "SessionMessage.swift": ["SessionMessage.holds(_:)", "isIdentical(_:_:)"],
                    "StoreLimits.swift": ["StoreLimits.lowered(to:)"],
                ],
                whole: "Rules")
        ])

    private static let sqlite = Area(
        name: "sqlite", store: "sqlite",
        sources: [
            Sources(
                target: "AgentSessionsSQLite",
                files: [
                    "SQLiteTransaction.swift", "SQLiteTransaction+Copies.swift", "SessionListQuery.swift",
                    "RowReading.swift", "TableColumns.swift", "SQLiteStatement.swift",
                ]
            ),
            // What a row holds is read by these; the memory store has no use for them.
            Sources(target: "AgentSessions", files: ["StoredValueDecoding.swift", "StoredRows.swift"]),
        ])
}
