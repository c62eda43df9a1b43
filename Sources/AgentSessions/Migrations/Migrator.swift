/// The record that a store has of itself.
package struct StoreRecord: Sendable {
    /// The format of the store.
    package let formatVersion: Int
    /// The id that tells the store from every other.
    package let storeID: ULID
    /// When the store was made.
    package let createdAt: Timestamp
    /// The build that made it.
    package let build: String

    package init(formatVersion: Int, storeID: ULID, createdAt: Timestamp, build: String) {
        self.formatVersion = formatVersion
        self.storeID = storeID
        self.createdAt = createdAt
        self.build = build
    }
}

/// What the steps of a chain work on, as far as the records of the store and of its steps go.
package protocol MigrationTarget {
    /// The format that the store's own record names; `nil` where there is no store.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where what is there is another application's.
    func formatVersion() throws(StoreError) -> Int?

    /// The steps that the store records, in the order of their application.
    func recordedMigrations() throws(StoreError) -> [AppliedMigration]

    /// Keeps the store's own record.
    func keep(_ record: StoreRecord) throws(StoreError)

    /// Keeps the record of a step.
    ///
    /// - Parameter number: The step's place among those of the store, from 1 on.
    func keep(_ migration: AppliedMigration, parent: String?, number: Int) throws(StoreError)
}

extension MigrationTarget {
    /// The steps that the store has; none where there is no store.
    ///
    /// - Throws: ``StoreError/Code/newerStore`` where its format is newer than this build's;
    ///   ``StoreError/Code/unavailable`` where what is there is another application's.
    package func applied() throws(StoreError) -> [AppliedMigration] {
        guard let version = try formatVersion() else { return [] }
        try StoreFormat.check(version)
        return try recordedMigrations()
    }
}

/// Brings a store up to date, once, however many processes open it at the same moment. An engine says how it looks and
/// how it changes; what is looked at and what is done is said here.
package protocol Migrator {
    associatedtype Target: MigrationTarget

    /// The steps that make a store what this build expects.
    var chain: MigrationChain<Target> { get }

    /// Runs `body` on what is there, and changes nothing.
    func read<Result>(_ body: (Target) throws(StoreError) -> Result) throws(StoreError) -> Result

    /// Runs `body` in a transaction that one opener has at a time, again where it lost a race or found no room.
    func write(_ body: (inout Target) throws(StoreError) -> Void) throws(StoreError)

    /// The error where there must be a store and is none.
    func storeNotFound() throws(StoreError) -> StoreError
}

extension Migrator {
    /// Whether steps have to be applied. Looks and changes nothing, so that what is not ours, and a newer store, is left
    /// as it is.
    ///
    /// - Throws: ``StoreError/Code/notFound`` where there must be a store and is none; what
    ///   ``MigrationTarget/applied()`` and ``MigrationChain/pending(after:policy:)`` throw.
    package func isBehind(_ policy: MigrationPolicy, mustExist: Bool) throws(StoreError) -> Bool {
        let applied = try read { (target) throws(StoreError) in try target.applied() }
        if mustExist, policy != .inspect, applied.isEmpty { throw try storeNotFound() }
        return try !chain.pending(after: applied, policy: policy).isEmpty
    }

    /// Applies what is missing. The look and the change are one transaction, so that of several openers one does it.
    package func applyPending(_ policy: MigrationPolicy) throws(StoreError) {
        try write { (target) throws(StoreError) in
            let applied = try target.applied()
            var number = applied.count
            for step in try chain.pending(after: applied, policy: policy) {
                try step.apply(&target)
                number += 1
                let now = Timestamp.now()
                if step.parent == nil {
                    try target.keep(
                        StoreRecord(
                            formatVersion: StoreFormat.version, storeID: try ULIDGenerator.shared.next(),
                            createdAt: now,
                            build: BuildInfo.writer))
                }
                try target.keep(
                    AppliedMigration(name: step.name, origin: step.origin, appliedAt: now, build: BuildInfo.writer),
                    parent: step.parent, number: number)
            }
        }
    }
}

extension AppliedMigration {
    /// The step that the values of a stored row make, each `nil` where what is stored is not of its column's type.
    ///
    /// - Throws: ``StoreError/Code/corrupt``, naming the row.
    package init(
        storedIn backend: String, row: Int, name: String?, origin: String?, appliedAt: Timestamp?, build: String?
    ) throws(StoreError) {
        guard let name, let origin = origin.flatMap(MigrationOrigin.init(rawValue:)), let appliedAt, let build else {
            throw .corrupt("The record of migrations", "row \(row)", backend: backend)
        }
        self.init(name: name, origin: origin, appliedAt: appliedAt, build: build)
    }
}
