#if Postgres
public import AgentSessions

/// The reads and changes of an open transaction, on its connection. It never leaves the closure that receives it. Each
/// call is a round trip.
public struct PostgresTransaction: SessionStoreWriter {
    let connection: PostgresConnection
    let statements: StoreStatements
    /// Whether the transaction may change the store, so that a session that it reads is locked for it.
    let isWriting: Bool

    // MARK: Reading

    public func session(_ id: ULID) throws(StoreError) -> Session? {
        let rows = try query(isWriting ? statements.lockSession : statements.session, Parameters(id))
        return rows.count > 0 ? try rows.session(0) : nil
    }

    public func sessions(_ request: SessionListRequest) throws(StoreError) -> [Session] {
        try query(statements.list(request)).sessions()
    }

    public func messages(_ request: MessageRequest, of session: Session) throws(StoreError) -> [SessionMessage] {
        var pageQuery = PageQuery(request)
        while true {
            let rows = try query(pageQuery.statement(statements))
            if let messages = try pageQuery.page(rows)?.messages { return messages }
        }
    }

    public func messages(of session: ULID, withIDs ids: [ULID]) throws(StoreError) -> [SessionMessage] {
        var parameters = Parameters()
        parameters.add(session)
        parameters.add(ids)
        return try query(statements.messagesByID, parameters).messages(of: session)
    }

    // MARK: Writing

    public func insert(_ session: Session) throws(StoreError) {
        var parameters = Parameters()
        try parameters.add(session)
        try query(statements.insertSession.with(parameters)) { error in
            error.isUniqueViolation ? .sessionExists(session.id) : error.storeError
        }
    }

    public func replace(_ previous: Session, with session: Session) throws(StoreError) {
        var parameters = Parameters()
        try parameters.add(session)
        _ = try query(statements.replaceSession, parameters)
    }

    public func remove(_ session: Session) throws(StoreError) {
        // The messages go with it: ON DELETE CASCADE.
        var parameters = Parameters()
        parameters.add(session.id)
        parameters.add(session.createdAt)
        _ = try query(statements.delete, parameters)
    }

    /// Bytes of content and metadata in one statement, far below what a message of the protocol can hold.
    private static let statementBytes = 4 << 20
    private static let statementMessages = 1000

    public func insert(_ messages: [SessionMessage]) throws(StoreError) {
        var rest = messages[...]
        while let first = rest.first {
            var count = 0
            var bytes = 0
            for message in rest.prefix(Self.statementMessages) where bytes < Self.statementBytes {
                bytes += message.payloadBytes
                count += 1
            }
            try insert(rest.prefix(count), into: first.sessionID)
            rest = rest.dropFirst(count)
        }
    }

    private func insert(_ messages: ArraySlice<SessionMessage>, into session: ULID) throws(StoreError) {
        var parameters = Parameters()
        parameters.add(session)
        parameters.add(messages.map(\.id))
        parameters.add(numbers: messages.map(\.sequence))
        parameters.add(times: messages.map(\.createdAt))
        try parameters.add(
            payloads: messages.map(\.role), messages.map(\.content), messages.map(\.toolCallID),
            messages.map(\.metadata))
        try query(statements.insertMessages.with(parameters)) { error in
            // The name of the constraint ends alike in each partition.
            guard error.isUniqueViolation, error.constraint?.hasSuffix("_pkey") ?? false else {
                return error.storeError
            }
            return StoreError(
                .conflict, "The id of a message is duplicated in the session. Give each message an id of its own.",
                backend: PostgresBackend.name, nativeCode: error.state)
        }
    }

    public func removeMessages(of session: Session, after sequence: Int) throws(StoreError) {
        var parameters = Parameters()
        parameters.add(session.id)
        parameters.add(sequence)
        _ = try query(statements.removeMessages, parameters)
    }

    // MARK: Statements

    private func query(_ statement: Statement, _ parameters: Parameters) throws(StoreError) -> PostgresResult {
        try query(statement.with(parameters))
    }

    /// Sends a statement and receives its answer.
    ///
    /// - Parameter translate: Makes a store's error of the server's.
    @discardableResult
    func query(
        _ statement: Statement, translate: (ServerError) -> StoreError = \.storeError
    ) throws(StoreError) -> PostgresResult {
        do throws(PipelineError) {
            return try connection.query(statement)
        } catch .refused(_, let error) {
            throw translate(error)
        } catch {
            // The transaction is still open, so nothing of it is stored.
            throw error.readError
        }
    }
}

extension Parameters {
    /// Adds all of a session, in the order of ``RowLayout/sessionColumns``.
    mutating func add(_ session: Session) throws(StoreError) {
        add(session.id)
        add(session.actorName)
        add(session.messageCount)
        add(session.usage)
        try add(session.metadata)
        add(session.createdAt)
        add(session.updatedAt)
    }

    /// Adds what the caller gave of a message, in the order of ``RowLayout/payloadColumns``.
    mutating func add(
        payload role: MessageRole, _ content: String, _ toolCallID: String?, _ metadata: JSONObject
    ) throws(StoreError) {
        add(role.name)
        add(content)
        add(toolCallID)
        try add(metadata)
    }

    /// Adds what the caller gave of messages, an array for each of ``RowLayout/payloadColumns``.
    mutating func add(
        payloads roles: [MessageRole], _ contents: [String], _ toolCallIDs: [String?], _ metadata: [JSONObject]
    ) throws(StoreError) {
        add(texts: roles.map(\.name))
        add(texts: contents)
        add(texts: toolCallIDs)
        try add(objects: metadata)
    }

    mutating func add(_ usage: TokenUsage) {
        add(usage.inputTokens)
        add(usage.outputTokens)
        add(usage.estimatedCost)
    }
}
#endif
