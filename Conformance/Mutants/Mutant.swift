/// A wrong store: one realistic mistake in a store that is right in everything else. The kit must find it, by the
/// scenarios of the rule that it breaks.
public struct Mutant: Sendable, Identifiable {
    /// The name, such as `append.lost-update`.
    public let id: String
    /// What the store does wrong, in one sentence.
    public let mistake: String
    /// The scenarios of the rule that it breaks, ids without their version. Each of them must fail on it.
    public let caughtBy: [String]
    /// Makes the mistake for one place. What it keeps is shared by all instances of the store at that place; the
    /// function that it gives is called for each instance.
    let mutate: @Sendable () -> @Sendable (inout StoreMethods) -> Void

    /// A mutant whose mistake needs a memory of its own: `remembering` makes it, once for a place.
    init<Memory: Sendable>(
        _ id: String, _ mistake: String, caughtBy: [String],
        remembering memory: @autoclosure @escaping @Sendable () -> Memory,
        _ mutate: @escaping @Sendable (inout StoreMethods, Memory) -> Void
    ) {
        self.id = id
        self.mistake = mistake
        self.caughtBy = caughtBy
        self.mutate = {
            let memory = memory()
            return { mutate(&$0, memory) }
        }
    }

    /// A mutant.
    init(
        _ id: String, _ mistake: String, caughtBy: [String],
        _ mutate: @escaping @Sendable (inout StoreMethods) -> Void
    ) {
        self.init(id, mistake, caughtBy: caughtBy, remembering: ()) { store, _ in mutate(&store) }
    }

    /// Every mutant, group by group.
    public static let all: [Mutant] =
        creation + identity + listing + cursors + deletion + updating + usage + appending + batches + replaying
        + repeating + paging + rewinding + replacing + copying + documents + texts + metadata + limits + errors
        + lifecycle + reopening + instances + concurrency + capabilities + lookalikes + restoring + exactness
        + declaredLimits + tables

    /// Those that are made of tables: each value, on each way, by each mistake.
    public static let tables: [Mutant] = values + statements + boundaries + neighbours

    /// Opens the wrong stores.
    public var stores: MutantStores { MutantStores(self) }
}
