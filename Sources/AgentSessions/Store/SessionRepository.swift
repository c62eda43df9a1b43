/// The sessions of a store. A backend author implements this protocol and ``SessionMessageRepository``;
/// applications call a ``SessionService``.
///
/// A backend whose engine has transactions gets all of it from ``TransactionalSessionStore``. Arguments have been
/// checked by the service (``StoreLimits``); what is left to the repository is to keep each call atomic and durable.
/// Every call either throws an error that says nothing was written, returns after the change is as durable as
/// ``StoreCapabilities/durability`` says, or throws ``StoreError/Code/outcomeUnknown``.
public protocol SessionRepository: Sendable {
    /// Stores a session without messages.
    ///
    /// - Throws: ``StoreError/Code/alreadyExists`` where the id is taken.
    func create(_ session: NewSession) async throws(StoreError) -> Session

    /// The session of that id, or `nil` where there is none.
    func get(_ id: ULID) async throws(StoreError) -> Session?

    /// Sessions, newest first by `(createdAt, id)`, without reading a message.
    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session]

    /// Changes a session in one transaction and gives it back as it is then.
    ///
    /// The rules are those of ``SessionChange/apply(to:)``.
    ///
    /// - Throws: ``StoreError/Code/notFound``; whatever the rules throw, with nothing changed.
    func update(_ id: ULID, _ change: SessionChange) async throws(StoreError) -> Session

    /// Removes a session with its messages and every index entry of both.
    ///
    /// - Parameters:
    ///   - id: The session.
    ///   - createdAt: Where given, the session must have been created at this time: one of the same id that was made
    ///     since stays. The look and the removal are one transaction.
    /// - Returns: Whether there was such a session.
    func delete(_ id: ULID, createdAt: Timestamp?) async throws(StoreError) -> Bool

    /// Stores a session with all its messages, ids, times and counters as they are given, in one transaction.
    ///
    /// - Parameters:
    ///   - session: The session; its ``Session/messageCount`` is the number of messages that `messages` gives.
    ///   - messages: The messages in the order of their sequences 1, 2, 3 …, read as they are written. The source was
    ///     checked before, yet the store checks the sequences and the count again.
    /// - Throws: ``StoreError/Code/alreadyExists`` where the id is taken; whatever the source throws.
    func restore(_ session: Session, messages: any MessageSource) async throws(StoreError)

    /// Puts a session with all its messages in the place of the one of the same id, in one transaction: there is no
    /// moment at which the session is absent, or has some of either's messages.
    ///
    /// The rules are those of ``Session/requireReplaceable(by:expectedRevision:)``.
    ///
    /// - Parameters:
    ///   - session: The session as it is to be; its ``Session/messageCount`` is the number of messages that `messages`
    ///     gives.
    ///   - messages: The messages, as for ``restore(_:messages:)``.
    ///   - expectedRevision: The revision that the session in its place must have.
    /// - Throws: ``StoreError/Code/notFound`` where there is none to replace; whatever the rules or the source throw,
    ///   with nothing changed.
    func replace(
        _ session: Session, messages: any MessageSource, expectedRevision: Timestamp
    ) async throws(StoreError)
}

extension SessionRepository {
    /// Removes a session with its messages, whenever it was created.
    ///
    /// - Returns: Whether there was such a session.
    public func delete(_ id: ULID) async throws(StoreError) -> Bool { try await delete(id, createdAt: nil) }
}

/// The messages of a store's sessions.
public protocol SessionMessageRepository: Sendable {
    /// Appends a batch to a session in one transaction.
    ///
    /// The rules are those of ``AppendRequest/plan(session:stored:)``.
    ///
    /// - Throws: ``StoreError/Code/notFound`` where the session is absent; whatever the rules throw, with nothing
    ///   written.
    func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult

    /// A run of a session's messages with the session, both of one moment; `nil` where the session is absent.
    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage?

    /// Removes every message after a sequence in one transaction, and gives the session as it is then.
    ///
    /// The rules are those of ``RewindRequest/apply(to:)``.
    ///
    /// - Throws: ``StoreError/Code/notFound``; whatever the rules throw, with nothing changed.
    func rewind(_ id: ULID, _ request: RewindRequest) async throws(StoreError) -> Session
}
