/// A session to create.
public struct NewSession: Sendable {
    /// The key, made before the first attempt, so that no retry makes another.
    public let id: ULID
    /// The agent or user.
    public let actorName: String
    /// Whatever the application keeps with the session.
    public let metadata: JSONObject
    /// The time of creation, fixed before the first attempt.
    public let createdAt: Timestamp

    /// A session to create.
    public init(id: ULID, actorName: String, metadata: JSONObject = JSONObject(), createdAt: Timestamp) {
        self.id = id
        self.actorName = actorName
        self.metadata = metadata
        self.createdAt = createdAt
    }

    /// The session as it is stored: no messages, no usage, first revision.
    public var session: Session {
        Session(id: id, actorName: actorName, metadata: metadata, createdAt: createdAt, updatedAt: createdAt)
    }
}

/// A change of a session: what is `nil` stays as it is. What it comes to, ``apply(to:)`` says.
public struct SessionChange: Sendable {
    /// A new actor name.
    public var actorName: String?
    /// New metadata, in place of all there is.
    public var metadata: JSONObject?
    /// Usage to add.
    public var usage: TokenUsage?
    /// The revision that the session must have.
    public var expectedRevision: Timestamp?
    /// The time of the change, fixed before the first attempt.
    public var time: Timestamp

    /// A change of a session.
    public init(
        actorName: String? = nil, metadata: JSONObject? = nil, usage: TokenUsage? = nil,
        expectedRevision: Timestamp? = nil, time: Timestamp
    ) {
        self.actorName = actorName
        self.metadata = metadata
        self.usage = usage
        self.expectedRevision = expectedRevision
        self.time = time
    }
}

/// Which sessions a list shows.
public struct SessionFilter: Sendable, Hashable {
    /// Only sessions of this actor; the name must be the same byte for byte.
    public var actorName: String?
    /// Only sessions created at this time or later.
    public var createdFrom: Timestamp?
    /// Only sessions created before this time.
    public var createdBefore: Timestamp?
    /// Only sessions last changed at this time or later.
    public var updatedFrom: Timestamp?
    /// Only sessions last changed before this time.
    public var updatedBefore: Timestamp?

    /// Every session, or those that the arguments leave.
    public init(
        actorName: String? = nil, createdFrom: Timestamp? = nil, createdBefore: Timestamp? = nil,
        updatedFrom: Timestamp? = nil, updatedBefore: Timestamp? = nil
    ) {
        self.actorName = actorName
        self.createdFrom = createdFrom
        self.createdBefore = createdBefore
        self.updatedFrom = updatedFrom
        self.updatedBefore = updatedBefore
    }

    /// Whether the list shows `session`. What a backend leaves to its engine must come to the same.
    public func includes(_ session: Session) -> Bool {
        if let actorName, !actorName.isIdentical(to: session.actorName) { return false }
        if let createdFrom, session.createdAt < createdFrom { return false }
        if let createdBefore, session.createdAt >= createdBefore { return false }
        if let updatedFrom, session.updatedAt < updatedFrom { return false }
        if let updatedBefore, session.updatedAt >= updatedBefore { return false }
        return true
    }
}

/// A place in the list of sessions, newest first: between a session and the next older one.
public struct SessionPosition: Sendable, Hashable, Comparable {
    /// When the session at this place was created.
    public let createdAt: Timestamp
    /// The session at this place.
    public let id: ULID

    /// The place right after the session of that id and time.
    public init(createdAt: Timestamp, id: ULID) {
        self.createdAt = createdAt
        self.id = id
    }

    /// Whether `left` is the older one, and so comes later in the list.
    public static func < (left: SessionPosition, right: SessionPosition) -> Bool {
        left.createdAt == right.createdAt ? left.id < right.id : left.createdAt < right.createdAt
    }
}

extension Session {
    /// The session's place in a list.
    public var position: SessionPosition { SessionPosition(createdAt: createdAt, id: id) }
}

/// A run of the list of sessions.
public struct SessionListRequest: Sendable {
    /// Which sessions.
    public var filter: SessionFilter
    /// Only sessions after this place.
    public var after: SessionPosition?
    /// How many sessions to leave out first; never negative.
    public var offset: Int
    /// How many sessions at the most; at least one.
    public var limit: Int

    /// A run of the list.
    public init(filter: SessionFilter = SessionFilter(), after: SessionPosition? = nil, offset: Int = 0, limit: Int) {
        self.filter = filter
        self.after = after
        self.offset = offset
        self.limit = limit
    }
}
