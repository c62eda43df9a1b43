/// What an application calls: sessions, their messages, their usage, and documents of both.
///
/// Every function may be called from any number of tasks at once. A write returns after it is as durable as the store
/// promises (``StoreCapabilities/durability``). Functions throw ``StoreError/Code/notFound`` for an absent session,
/// ``StoreError/Code/invalidArgument`` and ``StoreError/Code/limitExceeded`` for values that no store takes, and
/// what their own descriptions name.
public protocol SessionService: Sendable {
    /// What the store behind the service promises.
    var capabilities: StoreCapabilities { get }

    // MARK: Sessions

    /// Creates a session.
    ///
    /// - Parameters:
    ///   - actorName: The agent or user, such as `local/orchestrator`: 1 to 255 bytes without control characters.
    ///   - metadata: Whatever the application keeps with the session.
    ///   - id: The key; `nil` makes one that is larger than every one made before in this process.
    /// - Throws: ``StoreError/Code/alreadyExists`` where `id` is taken.
    func create(actorName: String, metadata: JSONObject, id: ULID?) async throws(StoreError) -> Session

    /// The session of that id.
    func get(_ id: ULID) async throws(StoreError) -> Session

    /// A page of sessions, newest first.
    ///
    /// - Parameters:
    ///   - filter: Which sessions.
    ///   - limit: How many at the most.
    ///   - offset: How many to leave out first. For depth use `after`, which costs the same at every depth.
    ///   - after: The cursor of the page before, from a list with the same filter.
    func list(
        _ filter: SessionFilter, limit: Int, offset: Int, after: SessionCursor?
    ) async throws(StoreError) -> SessionPage

    /// Changes a session's actor name, metadata or both.
    ///
    /// - Parameter expectedRevision: Where given, the session must not have changed since: ``Session/revision``.
    /// - Throws: ``StoreError/Code/conflict`` where it has changed.
    @discardableResult
    func update(
        _ id: ULID, actorName: String?, metadata: JSONObject?, expectedRevision: Timestamp?
    ) async throws(StoreError) -> Session

    /// Adds to a session's usage.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` for a negative part, ``StoreError/Code/limitExceeded`` where a
    ///   total would not fit 64 bits. Nothing is added then.
    @discardableResult
    func updateTokenUsage(_ id: ULID, adding usage: TokenUsage) async throws(StoreError) -> Session

    /// Deletes a session with its messages.
    func delete(_ id: ULID) async throws(StoreError)

    // MARK: Messages

    /// Appends a batch, whole or not at all, with contiguous sequences.
    ///
    /// Appending is idempotent by message id: a batch that is in the session already is given back as it was stored,
    /// and adds no usage.
    ///
    /// - Parameters:
    ///   - messages: 1 to ``StoreLimits/batchMessages`` messages.
    ///   - sessionID: The session.
    ///   - usage: Usage to add in the same transaction.
    ///   - expectedSequence: Where given, the session's last sequence must be this.
    /// - Returns: The messages as they are stored.
    /// - Throws: ``StoreError/Code/conflict`` where the last sequence is another, a message id is there with another
    ///   payload, or only a part of the batch is there.
    @discardableResult
    func append(
        _ messages: [NewMessage], to sessionID: ULID, usage: TokenUsage?, expectedSequence: Int?
    ) async throws(StoreError) -> [SessionMessage]

    /// A run of a session's messages with the session, both of one moment.
    ///
    /// - Parameters:
    ///   - id: The session.
    ///   - range: Where the run begins or ends.
    ///   - limit: How many messages at the most.
    func messages(
        in id: ULID, _ range: MessageRange, limit: Int
    ) async throws(StoreError) -> MessagePage

    /// The messages of a session from a sequence on, read as they are asked for, in constant memory.
    ///
    /// - Parameters:
    ///   - id: The session. That it is absent shows when the first message is asked for.
    ///   - sequence: The sequence after which the stream begins; 0 for the first message.
    func messageStream(in id: ULID, after sequence: Int) -> MessageStream

    /// The messages of a session as they come: what is there, then what is appended.
    ///
    /// - Parameters:
    ///   - id: The session. That it is absent shows when the first message is asked for.
    ///   - sequence: The sequence after which to begin; 0 for the first message. A session that has fewer messages throws
    ///     ``StoreError/Code/conflict``.
    ///   - pollInterval: The time between two looks for appends of other processes, at least 50 milliseconds; each costs
    ///     one small read.
    func follow(_ id: ULID, after sequence: Int, pollInterval: Duration) -> SessionFollower

    /// What a model is shown of a session: its leading instructions, and as many of its last turns as fit a budget.
    ///
    /// A turn begins with a user's message. The window is cut between turns, and only where no tool's result loses the call
    /// that it answers (as far as the call is stored; calls are looked for under `tool_calls` in the metadata of assistants'
    /// messages, as in the chat format). Leading `system` and `developer` messages stay, and count. The session is read from
    /// its end, page by page, no further than it takes.
    ///
    /// - Parameters:
    ///   - id: The session.
    ///   - budget: What the messages may cost together, 0 or more.
    ///   - cost: What a message costs, 0 or more: the model's tokenizer, or ``MessageCost/estimate(_:)``.
    /// - Throws: ``StoreError/Code/limitExceeded`` where the instructions and the last turn alone are over the budget; the
    ///   message says by how much. ``StoreError/Code/conflict`` where the session is rewound again and again meanwhile.
    func context(
        _ id: ULID, budget: Int, cost: @escaping @Sendable (SessionMessage) -> Int
    ) async throws(StoreError) -> ContextWindow

    /// The number of messages in a session.
    func count(_ id: ULID) async throws(StoreError) -> Int

    /// Removes every message after a sequence; 0 clears the session. Usage stays as it is. The sequences are given out
    /// again, and the id of a removed message counts as new.
    ///
    /// - Parameters:
    ///   - id: The session.
    ///   - sequence: The last sequence that stays.
    ///   - expectedRevision: Where given, the session's revision must be this.
    ///   - expectedSequence: Where given, the session's last sequence must be this.
    /// - Throws: ``StoreError/Code/conflict`` where an expectation is not met.
    @discardableResult
    func rewind(
        _ id: ULID, to sequence: Int, expectedRevision: Timestamp?, expectedSequence: Int?
    ) async throws(StoreError) -> Session

    // MARK: Documents

    /// A session with all its messages as a document, made as it is read, in constant memory: native documents are
    /// JSON with a checksum. That the session is absent shows when the first bytes are asked for.
    func exportSession(_ id: ULID, format: DocumentFormat) -> SessionExport

    /// Stores every session of a document, each whole or not at all, under fresh ids.
    ///
    /// Everything is checked before anything is written: size, shape, schema version, checksum, sequences, limits.
    ///
    /// - Parameters:
    ///   - source: The document.
    ///   - format: How the sessions are written.
    ///   - options: How many sessions to take, and whom to tell of the progress.
    /// - Throws: ``StoreError/Code/unsupportedSchemaVersion``, ``StoreError/Code/checksumMismatch``,
    ///   ``StoreError/Code/invalidArgument``, ``StoreError/Code/limitExceeded``.
    func importSessions(
        _ source: DocumentSource, format: DocumentFormat, options: ImportOptions
    ) async throws(StoreError) -> ImportResult
}

// MARK: - Calls made of other calls

extension SessionService {
    public func follow(_ id: ULID, after sequence: Int, pollInterval: Duration) -> SessionFollower {
        SessionFollower(id, after: sequence, pollInterval: pollInterval) { (range, limit) throws(StoreError) in
            try await messages(in: id, range, limit: capabilities.limits.page(limit))
        }
    }

    /// The messages of a session as they come, with a look for appends of other processes every two seconds.
    public func follow(_ id: ULID, after sequence: Int = 0) -> SessionFollower {
        follow(id, after: sequence, pollInterval: SessionFollower.standardInterval)
    }

    public func context(
        _ id: ULID, budget: Int, cost: @escaping @Sendable (SessionMessage) -> Int
    ) async throws(StoreError) -> ContextWindow {
        let limits = capabilities.limits
        return try await ContextReading(budget: budget, cost: cost) { (range, limit) throws(StoreError) in
            try await messages(in: id, range, limit: limits.page(limit))
        }.window()
    }

    /// What a model is shown of a session, by the estimate of ``MessageCost/estimate(_:)``.
    public func context(_ id: ULID, budget: Int) async throws(StoreError) -> ContextWindow {
        try await context(id, budget: budget, cost: { MessageCost.estimate($0) })
    }
}

// MARK: - Shorter calls

extension SessionService {
    /// Creates a session with a fresh id.
    public func create(actorName: String, metadata: JSONObject = JSONObject()) async throws(StoreError) -> Session {
        try await create(actorName: actorName, metadata: metadata, id: nil)
    }

    /// The first page of sessions, newest first, or the one after a cursor.
    ///
    /// - Parameters:
    ///   - filter: Which sessions.
    ///   - limit: How many at the most; without it 50, or as many as a page may have where that is fewer.
    ///   - after: The cursor of the page before.
    public func list(
        _ filter: SessionFilter = SessionFilter(), limit: Int? = nil, after: SessionCursor? = nil
    ) async throws(StoreError) -> SessionPage {
        try await list(filter, limit: limit ?? capabilities.limits.page(50), offset: 0, after: after)
    }

    /// Changes a session, whatever its revision.
    @discardableResult
    public func update(
        _ id: ULID, actorName: String? = nil, metadata: JSONObject? = nil
    ) async throws(StoreError) -> Session {
        try await update(id, actorName: actorName, metadata: metadata, expectedRevision: nil)
    }

    /// Appends one message.
    ///
    /// The rules are those of ``append(_:to:usage:expectedSequence:)``.
    @discardableResult
    public func appendMessage(
        _ message: NewMessage, to sessionID: ULID, usage: TokenUsage? = nil, expectedSequence: Int? = nil
    ) async throws(StoreError) -> SessionMessage {
        let stored = try await append(
            [message], to: sessionID, usage: usage, expectedSequence: expectedSequence)
        guard let first = stored.first else {
            throw StoreError(.internalFailure, "The store gave back no message for an append to \(sessionID).")
        }
        return first
    }

    /// Appends a batch, whole or not at all.
    @discardableResult
    public func append(_ messages: [NewMessage], to sessionID: ULID) async throws(StoreError) -> [SessionMessage] {
        try await append(messages, to: sessionID, usage: nil, expectedSequence: nil)
    }

    /// Messages by limit and offset, in order.
    ///
    /// - Parameters:
    ///   - id: The session.
    ///   - limit: How many at the most; without it 100, or as many as a page may have where that is fewer.
    ///   - offset: How many to leave out first.
    public func messages(
        in id: ULID, limit: Int? = nil, offset: Int = 0
    ) async throws(StoreError) -> MessagePage {
        guard offset >= 0 else {
            throw StoreError(.invalidArgument, "The offset is \(offset): give 0 or more.")
        }
        return try await messages(in: id, .after(offset), limit: limit ?? capabilities.limits.page(100))
    }

    /// The last messages of a session, in order.
    public func lastMessages(_ count: Int, in id: ULID) async throws(StoreError) -> MessagePage {
        try await messages(in: id, .last, limit: count)
    }

    /// The messages of a session from the first on.
    public func messageStream(in id: ULID) -> MessageStream {
        messageStream(in: id, after: 0)
    }

    /// Removes every message after a sequence, whatever the session's revision.
    @discardableResult
    public func rewind(_ id: ULID, to sequence: Int) async throws(StoreError) -> Session {
        try await rewind(id, to: sequence, expectedRevision: nil, expectedSequence: nil)
    }

    /// A session with all its messages as a native document.
    public func exportSession(_ id: ULID) -> SessionExport {
        exportSession(id, format: .native)
    }

    /// Stores the one session of a native document under a fresh id.
    ///
    /// - Throws: What ``importSessions(_:format:options:)`` throws, and ``StoreError/Code/invalidArgument`` where the
    ///   source holds more than one document, or none.
    public func importSession(_ source: DocumentSource) async throws(StoreError) -> ULID {
        let result = try await importSessions(source, format: .native, options: ImportOptions(maximumSessions: 1))
        guard let id = result.ids.first else {
            throw StoreError(
                .invalidArgument, "The document is empty: there is no session in it. Nothing was stored.")
        }
        return id
    }
}
