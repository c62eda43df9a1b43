import AgentSessions
import AgentSessionsMemory

extension Session {
    /// The session with other fields that a change never touches.
    func with(id: ULID? = nil, createdAt: Timestamp? = nil) -> Session {
        Session(
            id: id ?? self.id, actorName: actorName, messageCount: messageCount, usage: usage, metadata: metadata,
            createdAt: createdAt ?? self.createdAt, updatedAt: updatedAt)
    }
}

extension MemorySessionStore {
    /// Changes the row of a session behind every rule.
    func changeSession(_ id: ULID, _ body: @escaping @Sendable (inout Session) -> Void) async throws {
        try await change { tables in
            guard let session = try tables.session(id) else { return }
            var changed = session
            body(&changed)
            try tables.replace(session, with: changed)
        }
    }
}

extension StoreMethods {
    /// Ids come back from every read as `alter` makes them.
    mutating func alterIDs(_ alter: @escaping @Sendable (ULID) -> ULID) {
        alterSessions { $0.with(id: alter($0.id)) }
        alterMessages { $0.with(id: alter($0.id)) }
    }
}

extension Sequence<Session> {
    /// The run of sessions in the order of the list that a request asks for: filter, offset, limit.
    func page(_ request: SessionListRequest) -> [Session] {
        Array(filter(request.filter.includes).dropFirst(request.offset).prefix(request.limit))
    }

    /// Newest first by `(createdAt, id)`.
    func newestFirst() -> [Session] {
        sorted { $0.position > $1.position }
    }

    /// Those after the place of a request.
    func after(_ request: SessionListRequest) -> [Session] {
        filter { session in request.after.map { session.position < $0 } ?? true }
    }
}

extension Int {
    /// The sum, or the largest number.
    func plus(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
