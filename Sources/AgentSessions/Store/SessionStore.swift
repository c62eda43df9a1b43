/// An open store: both repositories on one engine.
///
/// A store is safe to use from any number of tasks at once. Close it when it is no longer needed; a call after that
/// throws ``StoreError/Code/closed``.
public protocol SessionStore: SessionRepository, SessionMessageRepository {
    /// The backend's name, as it stands in a store URL.
    var backendName: String { get }

    /// What this store, as it is configured, promises.
    var capabilities: StoreCapabilities { get }

    /// The settings in force, read back from the engine rather than repeated from the configuration, and the engine's
    /// version as `engine`. No value is a secret.
    func effectiveSettings() async throws(StoreError) -> [StoreSetting]

    /// The chain of migrations, and which of its steps this store has.
    func migrations() async throws(StoreError) -> [MigrationStatus]

    /// Where the data is, to tell whether two stores are one; `nil` where the backend cannot tell.
    func identity() async throws(StoreError) -> StoreIdentity?

    /// The id of the store itself, which it got when it was made and keeps; `nil` where the backend gives none, and then a
    /// copy does not remember what it took from there.
    func storeID() async throws(StoreError) -> ULID?

    /// Makes room for records of copies, where there is none yet.
    ///
    /// - Returns: Whether this store keeps them: whether a session that is restored or replaced with a
    ///   ``MessageSource/copiedFrom`` gets its record in the same transaction.
    func keepCopyRecords() async throws(StoreError) -> Bool

    /// The record of the copy that a session came with, or was last replaced by; `nil` where there is none. It may be of a
    /// state that the session has left behind: ``CopyRecord/revision`` tells.
    func copyRecord(of id: ULID) async throws(StoreError) -> CopyRecord?

    /// Waits until everything that reads of this store have shown so far is as durable as the store promises.
    ///
    /// Some engines show a change that they may still lose: one that was to wait for another server, say, and whose wait
    /// was broken off. After a change whose outcome was unknown, nothing that a look at the store finds is taken for the
    /// outcome before this has returned. A backend whose reads show only what is durable does nothing here, as the
    /// default does. A store around another one passes the call on.
    ///
    /// - Throws: A transient error where it cannot be told in time; the look is made again then.
    func awaitDurability() async throws(StoreError)

    /// Looks for damage that only the engine can see: its own check of its files, indexes against rows, rows that
    /// nothing belongs to. ``StoreVerification`` adds the checks that every store can be put to.
    ///
    /// It changes nothing, takes bounded memory, and bears writers at the same time.
    ///
    /// - Returns: What was looked at, and what was found. A backend that does not say has no checks of its own.
    func engineChecks() async throws(StoreError) -> [VerificationCheck]

    /// Waits for the changes under way, refuses new ones, and lets go of files, connections and threads. A second call
    /// does nothing.
    func close() async
}

extension SessionStore {
    public func identity() async throws(StoreError) -> StoreIdentity? { nil }

    public func storeID() async throws(StoreError) -> ULID? { nil }

    public func keepCopyRecords() async throws(StoreError) -> Bool { false }

    public func copyRecord(of id: ULID) async throws(StoreError) -> CopyRecord? { nil }

    public func engineChecks() async throws(StoreError) -> [VerificationCheck] { [] }

    public func awaitDurability() async throws(StoreError) {}
}

/// A setting that is in force.
public struct StoreSetting: Sendable, Hashable {
    /// The name, as configuration has it where it is configurable.
    public let name: String
    /// The value as the engine reports it.
    public let value: String

    /// A setting that is in force.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
