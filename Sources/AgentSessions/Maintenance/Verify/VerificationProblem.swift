/// Damage in a store: what is wrong, and where. It holds no content of a message.
public struct VerificationProblem: Sendable, Hashable {
    /// What kind of damage it is. New kinds may come with a new version.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind, as reports show it.
        public let description: String

        /// A kind of this name. Backends outside this package may add their own.
        public init(_ name: String) { description = name }

        /// Sequences of a session are missing between others.
        public static let gap = Kind("gap")
        /// `message_count` is not the sequence of the session's last message.
        public static let messageCount = Kind("messageCount")
        /// Messages exist whose session does not.
        public static let orphan = Kind("orphan")
        /// An index lacks an entry for a row that exists.
        public static let missingIndexEntry = Kind("missingIndexEntry")
        /// An index has an entry for a row that does not exist, or is another one.
        public static let danglingIndexEntry = Kind("danglingIndexEntry")
        /// A row or record cannot be read as what the store writes.
        public static let undecodable = Kind("undecodable")
        /// Two messages of a session have the same id.
        public static let duplicateID = Kind("duplicateID")
        /// A value is not valid in any store.
        public static let outsideLimits = Kind("outsideLimits")
        /// The engine's own check of its files or tables found damage.
        public static let engine = Kind("engine")
        /// A table, index or constraint is missing or not in force.
        public static let schema = Kind("schema")
    }

    /// What kind of damage it is.
    public let kind: Kind
    /// What is wrong, for people.
    public let detail: String
    /// The session, where it is known.
    public let sessionID: ULID?
    /// The message, where it is known.
    public let messageID: ULID?
    /// The sequence of the message in its session, where it is known; of several, the first.
    public let sequence: Int?
    /// The expected value, if it is short.
    public let expected: String?
    /// The value that was found.
    public let actual: String?

    /// Damage in a store.
    ///
    /// - Parameter detail: What is wrong, without the content of a message.
    public init(
        _ kind: Kind, _ detail: String, sessionID: ULID? = nil, messageID: ULID? = nil, sequence: Int? = nil,
        expected: String? = nil, actual: String? = nil
    ) {
        self.kind = kind
        self.detail = detail
        self.sessionID = sessionID
        self.messageID = messageID
        self.sequence = sequence
        self.expected = expected
        self.actual = actual
    }

    /// What can be done about it.
    public var hint: String {
        switch kind {
        case .gap, .messageCount, .undecodable, .duplicateID:
            "Restore the session from an export or a backup; the sessions that are not named are undamaged."
        case .orphan:
            "Restore the session from an export or a backup, or remove the messages with the engine's own tools."
        case .missingIndexEntry, .danglingIndexEntry:
            "The rows may be undamaged: rebuild the index with the engine's own tools, or copy the store to a new one."
        case .outsideLimits:
            "Another program wrote it: change it to a valid value."
        case .schema:
            "Bring the table, index or constraint back as docs/reference describes it, and verify again."
        default:
            "Look at the disk, and restore the store from a backup."
        }
    }

    /// Whether both name the same damage, perhaps found in two ways.
    func isSame(as other: VerificationProblem) -> Bool {
        kind == other.kind && sessionID == other.sessionID && sequence == other.sequence
            && (messageID == other.messageID || messageID == nil || other.messageID == nil)
            && (sessionID != nil || detail == other.detail)
    }
}

extension VerificationProblem: CustomStringConvertible {
    /// The kind, where it is, and what is wrong, on one line.
    public var description: String {
        let location = [
            sessionID.map { "session \($0)" }, messageID.map { "message \($0)" }, sequence.map { "sequence \($0)" },
        ]
        return ([kind.description] + location.compactMap { $0 }).joined(separator: ", ") + ": " + detail
    }
}
