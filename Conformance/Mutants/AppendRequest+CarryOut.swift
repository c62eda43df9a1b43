import AgentSessions
import AgentSessionsMemory

extension PendingMessage {
    /// The message at its place in a session.
    func stored(in session: ULID, sequence: Int, at time: Timestamp) -> SessionMessage {
        SessionMessage(
            id: id, sessionID: session, sequence: sequence, role: role, content: content, toolCallID: toolCallID,
            metadata: metadata, createdAt: time)
    }
}

extension AppendRequest {
    /// The request with other messages.
    func with(messages: [PendingMessage]) -> AppendRequest {
        AppendRequest(
            sessionID: sessionID, messages: messages, usage: usage, expectedSequence: expectedSequence, time: time,
            mayBeStored: mayBeStored)
    }

    /// The append as it should be, save for what `alter` does to the session and the messages before they are stored.
    func carryOut(
        _ tables: inout MemoryTables,
        alter: (_ before: Session, _ grown: inout Session, _ messages: inout [SessionMessage]) throws -> Void = {
            _, _, _ in
        }
    ) throws -> AppendResult {
        let session = try tables.session(sessionID)
        let stored = try tables.messages(of: sessionID, withIDs: messages.map(\.id))
        switch try plan(session: session, stored: stored) {
        case .replay(let messages):
            return AppendResult(messages: messages, isReplay: true)
        case .write(var grown, var messages):
            if let session {
                try alter(session, &grown, &messages)
                try tables.replace(session, with: grown)
            }
            try tables.insert(messages)
            return AppendResult(messages: messages, isReplay: false)
        }
    }
}
