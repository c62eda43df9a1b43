public import AgentSessions

/// A process beside that of the kit, which has the same store open.
public struct HelperProcess: Sendable {
    /// What the helper's program calls: does the task that the kit gave it, and tells the kit on standard output.
    ///
    /// - Returns: The exit status.
    public static func main(task: String, factory: some StoreFactory, place: StorePlace) async -> Int32 {
        64
    }
}
