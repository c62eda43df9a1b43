import AgentSessions
import ArgumentParser

/// `migrate`: brings a store up to date, or shows how far it is.
struct MigrateCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Apply the migrations that the store lacks, or show which it has.")

    @OptionGroup var global: GlobalOptions

    @Flag(help: "Apply nothing: only show the chain.")
    var status = false

    func run(in context: ToolContext) async throws(StoreError) {
        let policy: MigrationPolicy = status ? .inspect : .apply
        let steps = try await context.withStore(global, migrations: policy) { (store) throws(StoreError) in
            try await store.store.migrations()
        }
        let applied = steps.count { $0.appliedAt != nil }
        guard !global.json else {
            try context.console.print(["migrations": .array(steps.map(\.json)), "applied": .integer(Int64(applied))])
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
