import AgentSessions

/// A message of the store, whatever its place.
struct MessageKey: Hashable {
    let session: ULID
    let id: ULID
}

extension SessionMessage {
    /// What the message is known by.
    var key: MessageKey { MessageKey(session: sessionID, id: id) }
}
