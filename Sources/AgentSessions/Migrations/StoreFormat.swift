/// This build, as stores and documents record it.
public enum BuildInfo {
    /// The version of this package.
    public static let version = "0.1.0"
    /// The name and version that a store or a document records.
    public static let writer = "agent-sessions/\(version)"
}

/// The format that stores of this build have. A store of a higher number is refused.
public enum StoreFormat {
    /// The format that this build writes.
    public static let version = 1

    /// The names of the steps that every backend has; what a step does is the backend's own.
    public enum Step {
        /// The store's own record: its id, format version and build, and the table of applied migrations.
        public static let resourceRegistry = "b1_001_resource_registry"
        /// The tables of sessions and messages.
        public static let sessionPersistence = "a7_001_session_persistence"
    }

    /// Checks the version that a store records.
    ///
    /// - Throws: ``StoreError/Code/newerStore`` where it is higher than this build's.
    public static func check(_ version: Int) throws(StoreError) {
        guard version <= self.version else {
            throw .newerStore("its format is \(version), and this build knows up to \(self.version)")
        }
    }
}
