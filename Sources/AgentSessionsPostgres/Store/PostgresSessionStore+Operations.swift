#if Postgres
public import AgentSessions

/// The operations of one round trip, which share it with others that are made at the same moment. What is out of the
/// ordinary falls back to the transactions of ``TransactionalSessionStore``, and so to the rules of the core.
extension PostgresSessionStore {
    public func create(_ new: NewSession) async throws(StoreError) -> Session {
        var parameters = Parameters()
        parameters.add(new.id)
        parameters.add(new.actorName)
        try parameters.add(new.metadata)
        parameters.add(new.createdAt)
        let isNew = try await writes.run(Command(statements.create, parameters), session: new.id) { $0.count == 1 }
        guard isNew else { throw .sessionExists(new.id) }
        return new.session
    }

    public func get(_ id: ULID) async throws(StoreError) -> Session? {
        var parameters = Parameters()
        parameters.add(id)
        return try await reads.run(Command(statements.session, parameters), session: id) { (rows) throws(StoreError) in
            rows.count > 0 ? try rows.session(0) : nil
        }
    }

    public func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        try await reads.run(statements.list(request), session: .none) { (rows) throws(StoreError) in
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
        let changed = try await writes.run(Command(statements.update, parameters), session: id) {
            (rows) throws(StoreError) in rows.count > 0 ? try rows.session(0) : nil
        }
        if let changed { return changed }
        return try await write { (writer) throws(StoreError) in try writer.update(id, change) }
    }

    public func delete(_ id: ULID, createdAt: Timestamp?) async throws(StoreError) -> Bool {
        var parameters = Parameters()
        parameters.add(id)
        parameters.add(createdAt)
        // A long session takes its time to go, so it keeps nobody else waiting.
        return try await writes.run(Command(statements.delete, parameters), session: id, isAlone: true) {
            $0.count == 1
        }
    }

    public func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        var query = PageQuery(request)
        while true {
            let (session, messages, next) = try await reads.run(
                query.command(statements), session: request.sessionID
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
    /// Commits a change of its own, and so waits for the standbys that each change waits for: they get the log in order.
    ///
    /// A server shows a change that it has committed as soon as it waits no longer for its standbys, be it that they
    /// have answered, that the session was ended or its wait cancelled, or that the server was started anew.
    public func awaitDurability() async throws(StoreError) {
        // A lock of a row is written to the log. Others may hold this one at the same time, and a server that takes no
        // writes refuses it as it refuses those.
        let rows = try await writes.run(Command(statements.lockRegistry), session: nil, isAlone: true) {
            $0.count
        } recover: { (failure) throws(StoreError) in
            // Whether the lock is committed means nothing: it has to be waited for again.
            throw failure.readError
        }
        guard rows > 0 else {
            throw .corrupt("The record of the store", "it has no row", backend: PostgresBackend.name)
        }
    }
}

extension Parameters {
    mutating func add(_ usage: TokenUsage) {
        add(usage.inputTokens)
        add(usage.outputTokens)
        add(usage.estimatedCost)
    }
}

extension StatementBatcher {
    /// Runs a statement whose failures are errors.
    func run<Success: Sendable>(
        _ command: Command, session: ULID?, isAlone: Bool = false,
        decode: @escaping TypedOperation<Success>.Decode
    ) async throws(StoreError) -> Success {
        let isWriting = rules.isWriting
        return try await run(command, session: session, isAlone: isAlone, decode: decode) {
            (failure) throws(StoreError) in throw isWriting ? failure.writeError : failure.readError
        }
    }
}
#endif
