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

    public func delete(_ id: ULID) async throws(StoreError) -> Bool {
        var parameters = Parameters()
        parameters.add(id)
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

extension Parameters {
    mutating func add(_ usage: TokenUsage) {
        add(usage.inputTokens)
        add(usage.outputTokens)
        add(usage.estimatedCost)
    }
}

extension OperationLane {
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
