extension Scenario {
    /// Every scenario of the kit, group by group.
    public static let all: [Scenario] = [
        creation, listing, deletion, appending, paging, documents, usage, records, identity, updating, batches, replay,
        repeating, streams, rewinding, replacing, copying, limitScenarios, declaredLimits, texts, cursors, reopening,
        concurrency, instances, processes, faults, capabilities, errors, lifecycle, cancellation, lookalikes, restoring,
        members, pageBytes, values, neighbours, random, histories,
    ].flatMap { $0 }
}
