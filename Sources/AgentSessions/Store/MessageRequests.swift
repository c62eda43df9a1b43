/// A batch to append to a session.
public struct AppendRequest: Sendable {
    /// The session.
    public let sessionID: ULID
    /// The messages in order: at least one, no id twice.
    public let messages: [PendingMessage]
    /// Usage to add in the same transaction.
    public var usage: TokenUsage?
    /// The sequence that the batch must follow: the number of messages that the session must have.
    public var expectedSequence: Int?
    /// The time of the change, fixed before the first attempt.
    public var time: Timestamp
    /// Whether this is a further attempt, and an earlier one may have been stored. Then the batch is stored only where
    /// it is certain that it was not; see ``plan(session:stored:)``.
    public var mayBeStored: Bool

    /// A batch to append.
    public init(
        sessionID: ULID, messages: [PendingMessage], usage: TokenUsage? = nil, expectedSequence: Int? = nil,
        time: Timestamp, mayBeStored: Bool = false
    ) {
        self.sessionID = sessionID
        self.messages = messages
        self.usage = usage
        self.expectedSequence = expectedSequence
        self.time = time
        self.mayBeStored = mayBeStored
    }
}

/// What an append stored, or had stored before.
public struct AppendResult: Sendable {
    /// The messages of the batch as they are in the store.
    public let messages: [SessionMessage]
    /// Whether the batch was there already, so that nothing was written.
    public let isReplay: Bool

    /// What an append stored.
    public init(messages: [SessionMessage], isReplay: Bool) {
        self.messages = messages
        self.isReplay = isReplay
    }
}

/// Which of a session's messages to read. Whatever the run, messages come in the order of their sequences.
public enum MessageRange: Sendable, Hashable {
    /// The messages after a sequence. As sequences have no gaps, this is an offset too; 0 begins at the first.
    case after(Int)
    /// The last messages before a sequence.
    case before(Int)
    /// The last messages.
    case last
}

/// A run of a session's messages.
public struct MessageRequest: Sendable {
    /// The session.
    public let sessionID: ULID
    /// Where the run begins or ends.
    public var range: MessageRange
    /// How many messages at the most; at least one.
    public var limit: Int
    /// A bound on memory: the run ends with the message that brings the bytes of content and metadata to this number
    /// or beyond it, counted from the run's fixed end (from the back for ``MessageRange/before(_:)`` and
    /// ``MessageRange/last``). At least one message is given, where there is one.
    public var byteLimit: Int

    /// A run of a session's messages.
    public init(sessionID: ULID, range: MessageRange, limit: Int, byteLimit: Int = .max) {
        self.sessionID = sessionID
        self.range = range
        self.limit = limit
        self.byteLimit = byteLimit
    }
}

/// A run of messages with the session that they belong to, both of one moment.
public struct MessagePage: Sendable {
    /// The session.
    public let session: Session
    /// Messages in the order of their sequences.
    public let messages: [SessionMessage]

    /// A run of messages of a session.
    public init(session: Session, messages: [SessionMessage]) {
        self.session = session
        self.messages = messages
    }
}

/// How to take back the end of a session. What it comes to, ``apply(to:)`` says.
public struct RewindRequest: Sendable {
    /// The last sequence that stays; 0 removes every message.
    public let sequence: Int
    /// The revision that the session must have.
    public var expectedRevision: Timestamp?
    /// The last sequence that the session must have.
    public var expectedSequence: Int?
    /// The time of the change, fixed before the first attempt.
    public var time: Timestamp

    /// A rewind to `sequence`.
    public init(
        to sequence: Int, expectedRevision: Timestamp? = nil, expectedSequence: Int? = nil, time: Timestamp
    ) {
        self.sequence = sequence
        self.expectedRevision = expectedRevision
        self.expectedSequence = expectedSequence
        self.time = time
    }
}

/// A batch that can be read several times over, one attempt at a transaction each.
public protocol MessageSource: Sendable {
    /// Whether the messages are in memory, and few: to read them waits for nothing and takes milliseconds at the most.
    /// A source that does not say may be a file.
    var isReady: Bool { get }

    /// The store that the session is copied from with these messages, where it is one: its ``SessionStore/storeID()``. A
    /// store that keeps records of copies (``SessionStore/keepCopyRecords()``) remembers it. `nil`, where a source does not
    /// say.
    var copiedFrom: ULID? { get }

    /// Begins to read at the first message.
    func makeReader() throws(StoreError) -> any MessageReader
}

extension MessageSource {
    public var isReady: Bool { false }
    public var copiedFrom: ULID? { nil }
}

/// One reading of a ``MessageSource``. It is used on one thread, and may block it to read from a file.
public protocol MessageReader {
    /// The next message, or `nil` after the last.
    mutating func next() throws(StoreError) -> SessionMessage?
}
