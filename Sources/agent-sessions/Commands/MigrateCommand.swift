import AgentSessions
import AgentSessionsBackends
import ArgumentParser

/// `migrate`: brings a store up to date, or shows how far it is.
struct MigrateCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Apply the migrations that the store lacks, or show those that it has.")

    @OptionGroup var global: GlobalOptions

    @Flag(help: "Apply nothing: only show the chain.")
    var status = false

    func run(in context: ToolContext) async throws(StoreError) {
        let (steps, exists) = try await steps(context)
        let applied = steps.count { $0.appliedAt != nil }
        guard !global.json else {
            try context.console.print([
                "migrations": .array(steps.map(\.json)), "applied": .integer(Int64(applied)), "exists": .bool(exists),
            ])
            return
        }
        var table = Table([.text("MIGRATION"), .text("ORIGIN"), .text("APPLIED (UTC)"), .text("BY")])
        table.rows = steps.map { step in
            [
                visible(step.name), step.origin.rawValue, step.appliedAt?.shortText ?? "not yet",
                visible(step.build ?? ""),
            ]
        }
        try context.console.output.print("\(table.text)\n\n\(applied) of \(counted(steps.count, "step")) applied.")
        if !exists {
            try context.console.output.print(
                "The store does not exist yet: `migrate`, `create`, `import` or `demo` makes it with these steps.")
        }
    }

    /// The chain, and whether the store exists. Reading the chain does not make a store.
    private func steps(_ context: ToolContext) async throws(StoreError) -> ([MigrationStatus], exists: Bool) {
        guard status else {
            return try await context.withStore(global, migrations: .apply) { (store) throws(StoreError) in
                (try await store.store.migrations(), true)
            }
        }
        guard try context.configuration(global).storeExists() else { return (MigrationStatus.ofNewStore, false) }
        return try await context.withExistingStore(global, migrations: .inspect) { (store) throws(StoreError) in
            let steps = try await store.store.migrations()
            return (steps, steps.contains { $0.appliedAt != nil })
        }
    }
}

extension MigrationStatus {
    fileprivate var json: JSONValue {
        [
            "name": .string(name), "parent": parent.json, "origin": .string(origin.rawValue),
            "applied_at": (appliedAt?.description).json, "build": build.json,
        ]
    }
}
