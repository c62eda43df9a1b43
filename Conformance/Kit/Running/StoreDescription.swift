import AgentSessions

/// What a store says of itself.
struct StoreDescription: Sendable {
    var backend = ""
    var engine = ""
    var settings: [StoreSetting] = []
    /// Why there is no store to run scenarios on.
    var problem: String?

    func report(of results: [ScenarioResult], seed: UInt64) -> ConformanceReport {
        ConformanceReport(backend: backend, engine: engine, settings: settings, seed: seed, results: results)
    }

    /// Opens a store and asks it what it is.
    static func of(_ factory: any StoreFactory, on stage: Stage) async -> StoreDescription {
        do {
            let place = try stage.makePlace()
            let threads = try ScenarioThreads(count: 2)
            defer { threads.finish() }
            let found = await within(.seconds(30), on: threads, watch: stage.watch) { () -> StoreDescription in
                var description = StoreDescription()
                do throws(StoreError) {
                    let store = try await factory.open(place)
                    description.backend = store.backendName
                    let settings = try await store.effectiveSettings()
                    description.engine = settings.first { $0.name == "engine" }?.value ?? ""
                    description.settings = settings.filter { $0.name != "engine" }
                    await store.close()
                    try await factory.destroy(place)
                } catch {
                    description.problem = "the store cannot be opened: \(error)"
                }
                return description
            }
            stage.remove(place)
            return found ?? StoreDescription(problem: "the store does not open within 30 seconds")
        } catch {
            return StoreDescription(problem: "\(error)")
        }
    }
}
