#if Postgres
public import AgentSessions

/// The operations of one statement, which share a round trip with others that are made at the same moment. A request that
/// is not an ordinary one falls back to the transactions of ``TransactionalSessionStore``, and so to the rules of the core.
extension PostgresSessionStore {
    public func create(_ new: NewSession) async throws(StoreError) -> Session {
        let session = new.session
        var parameters = Parameters()
        try parameters.add(session)
        let isNew = try await writes.submit(statements.create.with(parameters), session: new.id) { $0.count == 1 }
        guard isNew else { throw .sessionExists(new.id) }
        return session
    }

    public func get(_ id: ULID) async throws(StoreError) -> Session? {
        try await reads.submit(statements.session.with(Parameters(id)), session: id) { (rows) throws(StoreError) in
            rows.count > 0 ? try rows.session(0) : nil
        }
    }

    public func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        try await reads.submit(statements.list(request), session: .none) { (rows) throws(StoreError) in
            try rows.sessions()
        }
    }

    public func update(_ id: ULID, _ change: SessionChange) async throws(StoreError) -> Session {
        try change.usage?.validateIncrement()
        var parameters = Parameters()
        parameters.add(id)
        parameters.add(change.actorName)
        try parameters.add(change.metadata)
        parameters.add(change.time)
        parameters.add(change.expectedRevision)
        parameters.add(change.usage ?? .zero)
        let changed = try await writes.submit(statements.update.with(parameters), session: id) {
            (rows) throws(StoreError) in rows.count > 0 ? try rows.session(0) : nil
        }
        if let changed { return changed }
        return try await write { (writer) throws(StoreError) in try writer.update(id, change) }
    }

    public func delete(_ id: ULID, createdAt: Timestamp?) async throws(StoreError) -> Bool {
        var parameters = Parameters()
        parameters.add(id)
        parameters.add(createdAt)
        // To delete a long session takes long, so nothing shares its batch.
        return try await writes.submit(statements.delete.with(parameters), session: id, isExclusive: true) {
            $0.count == 1
        }
    }

    public func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        var query = PageQuery(request)
        while true {
            let (session, messages, next) = try await reads.submit(
                query.statement(statements), session: request.sessionID
            ) { [query] (rows) throws(StoreError) in
                var next = query
                let page = try next.page(rows)
                return (page?.session, page?.messages, next)
            }
            query = next
            guard let messages else { continue }
            return session.map { MessagePage(session: $0, messages: messages) }
        }
    }
}

extension PostgresSessionStore {
    /// Commits a change of its own, and so waits for the standbys that each change waits for: they receive the log in order.
    ///
    /// A server shows a change that it has committed as soon as it no longer waits for its standbys: because they have
    /// answered, because the session was ended or its wait cancelled, or because the server was restarted.
    public func awaitDurability() async throws(StoreError) {
        // A lock of a row is written to the log. Several transactions may hold this one at the same time, and a server that
        // accepts no writes refuses it, too.
        let rows = try await writes.submit(statements.lockRegistry, session: nil, isExclusive: true) {
            $0.count
        } recover: { (error) throws(StoreError) in
            // Whether the lock is committed means nothing: the caller has to wait again.
            throw error.readError
        }
        guard rows > 0 else {
            throw .corrupt("The record of the store", "it has no row", backend: PostgresBackend.name)
        }
    }
}
#endif
