/// Notices when so much was read in long runs, as an export does, that an engine's cache should be emptied: those pages
/// are not read again soon, and would fill the memory of the process.
package struct ScanTracker: Sendable {
    /// A run of fewer bytes is not long: pages that are read often, such as the end of a conversation, stay cached.
    private static let longRun = 64 << 10
    /// Bytes of long runs that may stay cached.
    private static let bound = 4 << 20

    private var bytes = 0

    package init() {}

    /// Whether it is time to empty the cache, and to start with a new tracker.
    package var areMany: Bool { bytes >= Self.bound }

    /// Counts a run of so many bytes.
    ///
    /// - Returns: Whether it was a long one.
    package mutating func add(run: Int) -> Bool {
        guard run >= Self.longRun else { return false }
        bytes += run
        return true
    }
}
