/// What a read transaction offers: primitive look-ups, all of one moment.
///
/// A reader is used on one thread and never leaves the closure that it was given to.
public protocol SessionStoreReader {
    /// The session of that id.
    mutating func session(_ id: ULID) throws(StoreError) -> Session?

    /// A run of the list of sessions, newest first by `(createdAt, id)`.
    mutating func sessions(_ request: SessionListRequest) throws(StoreError) -> [Session]

    /// A run of a session's messages in the order of their sequences; `session` is the session as this transaction
    /// sees it. ``MessageRange/sequences(limit:last:)`` tells which sequences the run takes.
    mutating func messages(_ request: MessageRequest, of session: Session) throws(StoreError) -> [SessionMessage]

    /// Those messages of a session whose id is among `ids`, in any order.
    mutating func messages(of session: ULID, withIDs ids: [ULID]) throws(StoreError) -> [SessionMessage]

    /// The record of the copy that a session came with. `nil`, where a backend does not say, for none.
    mutating func copyRecord(of session: ULID) throws(StoreError) -> CopyRecord?
}

extension SessionStoreReader {
    public mutating func copyRecord(of session: ULID) throws(StoreError) -> CopyRecord? { nil }
}

/// What a write transaction offers besides: primitive changes, all of which happen or none.
///
/// A writer stores what it is given. The rules (sequences, revisions, counters, replays) have been applied before.
public protocol SessionStoreWriter: SessionStoreReader {
    /// Stores a session whose id is not in the store.
    mutating func insert(_ session: Session) throws(StoreError)

    /// Stores `session` in place of `previous`, which has the same id and time of creation.
    mutating func replace(_ previous: Session, with session: Session) throws(StoreError)

    /// Removes a session, its messages, and every index entry of both.
    mutating func remove(_ session: Session) throws(StoreError)

    /// Stores messages of one session whose sequences are not in it.
    ///
    /// - Throws: ``StoreError/messageIDTwice(_:in:)`` where an id is in the session already, which only a restore
    ///   can bring about.
    mutating func insert(_ messages: [SessionMessage]) throws(StoreError)

    /// Removes the messages of a session after a sequence, with every index entry.
    mutating func removeMessages(of session: Session, after sequence: Int) throws(StoreError)

    /// Keeps the record of the copy that a session comes with, in place of what is there. It goes with its session.
    /// Nothing, where a backend does not say, and then the store does not keep them.
    mutating func put(_ record: CopyRecord, of session: ULID) throws(StoreError)
}

extension SessionStoreWriter {
    public mutating func put(_ record: CopyRecord, of session: ULID) throws(StoreError) {}
}

/// A store whose engine has transactions. It says how to read and to write; the repositories follow from that, so
/// that every such backend obeys the same rules.
///
/// The closures are synchronous: a transaction is one visit to one thread, and nothing waits inside it. A backend may
/// run a closure more than once, each time on a fresh transaction (after a failed attempt at a shared commit), and
/// only the last run counts.
public protocol TransactionalSessionStore: SessionStore {
    /// A read transaction.
    associatedtype Reader: SessionStoreReader
    /// A write transaction.
    associatedtype Writer: SessionStoreWriter

    /// Runs `body` in a read transaction.
    func read<Result: Sendable>(
        _ body: @escaping @Sendable (inout Reader) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result

    /// Runs `body` in a write transaction, and returns after it is as durable as the store promises. Where `body`
    /// throws, nothing is changed.
    func write<Result: Sendable>(
        _ body: @escaping @Sendable (inout Writer) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result

    /// As ``write(_:)``, for a change that may take long, such as an import. A backend where several changes share a
    /// transaction gives this one its own, after it has committed and answered what came before; elsewhere the two are
    /// the same.
    func writeExclusively<Result: Sendable>(
        _ body: @escaping @Sendable (inout Writer) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result

    /// How many bytes of a session that is restored may be read, on a thread of their own, before its transaction
    /// begins. What is longer is read inside ``writeExclusively(_:)``, in bounded memory, and may block its thread
    /// there. A backend whose transactions run on the caller's thread, or hold a lock that readers need, wants all of
    /// it before: `.max`.
    var bytesReadAhead: Int { get }
}

extension TransactionalSessionStore {
    public func writeExclusively<Result: Sendable>(
        _ body: @escaping @Sendable (inout Writer) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await write(body)
    }

    public var bytesReadAhead: Int { LongChange.bytes }

    private func write<Result: Sendable>(
        isLong: Bool, _ body: @escaping @Sendable (inout Writer) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        isLong ? try await writeExclusively(body) : try await write(body)
    }

    /// Runs a change that learns inside its transaction, before it has changed anything, whether it takes long.
    ///
    /// - Parameter body: Gives `nil`, with nothing changed, where more messages than the given number are to go; then it
    ///   is run again alone.
    private func writeByLength<Result: Sendable>(
        _ body: @escaping @Sendable (inout Writer, _ limit: Int) throws(StoreError) -> Result?
    ) async throws(StoreError) -> Result {
        let short = try await write { (writer) throws(StoreError) in try body(&writer, LongChange.messages) }
        if let short { return short }
        let long = try await writeExclusively { (writer) throws(StoreError) in try body(&writer, .max) }
        guard let long else { throw StoreError(.internalFailure, "A change that may take long was not made.") }
        return long
    }

    /// Runs a change that stores the messages of a source: they are read before the transaction where they are few, and
    /// the change goes alone where they are many.
    private func write<Result: Sendable>(
        _ session: Session, from messages: any MessageSource,
        _ body: @escaping @Sendable (inout Writer, any MessageSource) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let messages = try await messages.readAhead(of: session, atMost: bytesReadAhead)
        let isLong = !messages.isReady || session.messageCount > LongChange.messages
        return try await write(isLong: isLong) { (writer) throws(StoreError) in try body(&writer, messages) }
    }
}

// MARK: - What a call comes to inside a transaction

// For the defaults below, and for a backend that has a shorter way of its own and needs these where it does not fit.

extension SessionStoreReader {
    /// A run of a session's messages with the session; `nil` where the session is absent.
    @inlinable
    public mutating func page(_ request: MessageRequest) throws(StoreError) -> MessagePage? {
        guard let session = try session(request.sessionID) else { return nil }
        return MessagePage(session: session, messages: try messages(request, of: session))
    }
}

extension SessionStoreWriter {
    /// Changes a session as ``SessionChange/apply(to:)`` says.
    ///
    /// - Throws: ``StoreError/Code/notFound``, and what the rule throws.
    public mutating func update(_ id: ULID, _ change: SessionChange) throws(StoreError) -> Session {
        guard let session = try session(id) else { throw .sessionNotFound(id) }
        let changed = try change.apply(to: session)
        try replace(session, with: changed)
        return changed
    }

    /// Appends messages as ``AppendRequest/plan(session:stored:)`` says.
    ///
    /// - Throws: What the rule throws.
    public mutating func append(_ request: AppendRequest) throws(StoreError) -> AppendResult {
        let session = try session(request.sessionID)
        let stored = try messages(of: request.sessionID, withIDs: request.messages.map(\.id))
        switch try request.plan(session: session, stored: stored) {
        case .replay(let messages):
            return AppendResult(messages: messages, isReplay: true)
        case .write(let grown, let messages):
            // The plan has refused an absent session, so there is one to replace.
            if let session { try replace(session, with: grown) }
            try insert(messages)
            return AppendResult(messages: messages, isReplay: false)
        }
    }

    /// Stores the messages of a restored session, which has none, and the record of the copy where it is one.
    ///
    /// - Throws: What ``RestoreBatches`` and the source throw.
    mutating func insert(_ messages: any MessageSource, of session: Session) throws(StoreError) {
        if let source = messages.copiedFrom {
            try put(CopyRecord(source: source, revision: session.revision), of: session.id)
        }
        var batches = RestoreBatches(of: session, from: try messages.makeReader())
        while let batch = try batches.next() {
            try insert(batch)
        }
    }
}

// MARK: - SessionRepository

extension TransactionalSessionStore {
    public func create(_ new: NewSession) async throws(StoreError) -> Session {
        try await write { (writer) throws(StoreError) in
            guard try writer.session(new.id) == nil else { throw .sessionExists(new.id) }
            let session = new.session
            try writer.insert(session)
            return session
        }
    }

    public func get(_ id: ULID) async throws(StoreError) -> Session? {
        try await read { (reader) throws(StoreError) in try reader.session(id) }
    }

    public func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        try await read { (reader) throws(StoreError) in try reader.sessions(request) }
    }

    public func update(_ id: ULID, _ change: SessionChange) async throws(StoreError) -> Session {
        // What is wrong whatever the store holds is refused first, as where an engine is a network away.
        try change.usage?.validateIncrement()
        return try await write { (writer) throws(StoreError) in try writer.update(id, change) }
    }

    public func delete(_ id: ULID, createdAt: Timestamp?) async throws(StoreError) -> Bool {
        try await writeByLength { (writer, limit) throws(StoreError) -> Bool? in
            guard let session = try writer.session(id), createdAt == nil || session.createdAt == createdAt else {
                return false
            }
            guard session.messageCount <= limit else { return nil }
            try writer.remove(session)
            return true
        }
    }

    public func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        try await write(session, from: messages) { (writer, messages) throws(StoreError) in
            guard try writer.session(session.id) == nil else { throw .sessionExists(session.id) }
            try writer.insert(session)
            try writer.insert(messages, of: session)
        }
    }

    public func replace(
        _ session: Session, messages: any MessageSource, expectedRevision: Timestamp
    ) async throws(StoreError) {
        try await write(session, from: messages) { (writer, messages) throws(StoreError) in
            guard let previous = try writer.session(session.id) else { throw .sessionNotFound(session.id) }
            try previous.requireReplaceable(by: session, expectedRevision: expectedRevision)
            try writer.removeMessages(of: previous, after: 0)
            try writer.replace(previous, with: session)
            try writer.insert(messages, of: session)
        }
    }
}

// MARK: - Copies

extension TransactionalSessionStore {
    public func copyRecord(of id: ULID) async throws(StoreError) -> CopyRecord? {
        try await read { (reader) throws(StoreError) in try reader.copyRecord(of: id) }
    }
}

// MARK: - SessionMessageRepository

extension TransactionalSessionStore {
    public func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
        try request.usage?.validateIncrement()
        return try await write(isLong: request.isLong) { (writer) throws(StoreError) in try writer.append(request) }
    }

    public func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try await read { (reader) throws(StoreError) in try reader.page(request) }
    }

    public func rewind(_ id: ULID, _ request: RewindRequest) async throws(StoreError) -> Session {
        try await writeByLength { (writer, limit) throws(StoreError) -> Session? in
            guard let session = try writer.session(id) else { throw .sessionNotFound(id) }
            let rewound = try request.apply(to: session)
            guard session.messageCount - rewound.messageCount <= limit else { return nil }
            try writer.removeMessages(of: session, after: request.sequence)
            try writer.replace(session, with: rewound)
            return rewound
        }
    }
}
