/// A wrong store: one realistic mistake in a store that is right in everything else. The kit must find it, by the
/// scenarios of the rule that it breaks.
public struct Saboteur: Sendable, Identifiable {
    /// The name, such as `append.lost-update`.
    public let id: String
    /// What the store does wrong, in one sentence.
    public let mistake: String
    /// The scenarios of the rule that it breaks, ids without their version. Each of them must fail on it.
    public let caughtBy: [String]
    /// Makes the mistake for one place. What it keeps is shared by all instances of the store at that place; the
    /// function that it gives is called for each instance.
    let sabotage: @Sendable () -> @Sendable (inout StoreMethods) -> Void

    /// A saboteur whose mistake needs a memory of its own: `remembering` makes it, once for a place.
    init<Memory: Sendable>(
        _ id: String, _ mistake: String, caughtBy: [String],
        remembering memory: @autoclosure @escaping @Sendable () -> Memory,
        _ sabotage: @escaping @Sendable (inout StoreMethods, Memory) -> Void
    ) {
        self.id = id
        self.mistake = mistake
        self.caughtBy = caughtBy
        self.sabotage = {
            let memory = memory()
            return { sabotage(&$0, memory) }
        }
    }

    /// A saboteur.
    init(
        _ id: String, _ mistake: String, caughtBy: [String],
        _ sabotage: @escaping @Sendable (inout StoreMethods) -> Void
    ) {
        self.init(id, mistake, caughtBy: caughtBy, remembering: ()) { store, _ in sabotage(&store) }
    }

    /// Every saboteur, group by group.
    public static let all: [Saboteur] =
        creation + identity + listing + cursors + deletion + updating + usage + appending + batches + replaying
        + repeating + paging + rewinding + replacing + copying + documents + texts + metadata + limits + errors
        + lifecycle + reopening + instances + concurrency + capabilities + lookalikes + restoring + exactness

    /// Opens the wrong stores.
    public var stores: SabotagedStores { SabotagedStores(self) }
}
