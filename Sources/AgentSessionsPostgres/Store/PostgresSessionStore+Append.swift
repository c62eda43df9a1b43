#if Postgres
public import AgentSessions

extension PostgresSessionStore {
    /// Bytes of a batch up to which it is one statement. A larger one is a transaction of several, each far below what a
    /// message of the protocol may hold.
    private static let statementBytes = 8 << 20

    /// What the statement came to.
    private enum Outcome: Sendable {
        /// It stored the batch: the first sequence, and the session's new revision.
        case stored(first: Int, at: Timestamp)
        /// It did nothing, as something is out of the ordinary.
        case unclear
    }

    public func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
        try request.usage?.validateIncrement()
        guard !request.messages.isEmpty, Self.isOneStatement(request), !request.mayBeStored else {
            return try await appendByRules(request)
        }
        let outcome = try await writes.run(
            try command(for: request), session: request.sessionID, isAlone: request.messages.count > 100
        ) { (rows) throws(StoreError) -> Outcome in
            try Self.outcome(rows, of: request)
        } recover: { (failure) throws(StoreError) -> Outcome in
            // A message of the batch is stored already, or was at the same moment.
            if case .refused(_, let error) = failure, error.isUniqueViolation { return .unclear }
            throw failure.writeError
        }
        guard case .stored(let first, let revision) = outcome else { return try await appendByRules(request) }
        let messages = request.messages.enumerated().map { place, message in
            SessionMessage(
                id: message.id, sessionID: request.sessionID, sequence: first + place, role: message.role,
                content: message.content, toolCallID: message.toolCallID, metadata: message.metadata,
                createdAt: revision)
        }
        return AppendResult(messages: messages, isReplay: false)
    }

    /// Whether a batch is small enough for one statement.
    static func isOneStatement(_ request: AppendRequest) -> Bool {
        var left = statementBytes
        return request.messages.allSatisfy { message in
            left -= message.payloadBytes
            return left >= 0
        }
    }

    private static func outcome(_ rows: PostgresResult, of request: AppendRequest) throws(StoreError) -> Outcome {
        guard rows.count > 0 else { return .unclear }
        guard let first = rows.number(0, 0).flatMap({ Int(exactly: $0) }), first > 0, let revision = rows.time(0, 1),
            !first.addingReportingOverflow(request.messages.count).overflow
        else { throw .damagedSession(request.sessionID, "its counters are out of range") }
        return .stored(first: first, at: revision)
    }

    private func command(for request: AppendRequest) throws(StoreError) -> Command {
        var parameters = Parameters()
        parameters.add(request.sessionID)
        if request.messages.count == 1, let message = request.messages.first {
            parameters.add(message.id)
            parameters.add(request.time)
            parameters.add(message.role.name)
            parameters.add(message.content)
            parameters.add(message.toolCallID)
            try parameters.add(message.metadata)
        } else {
            parameters.add(request.messages.map(\.id))
            parameters.add(request.time)
            parameters.add(texts: request.messages.map(\.role.name))
            parameters.add(texts: request.messages.map(\.content))
            parameters.add(texts: request.messages.map(\.toolCallID))
            try parameters.add(objects: request.messages.map(\.metadata))
            parameters.add(request.messages.count)
        }
        parameters.add(request.expectedSequence)
        parameters.add(request.usage ?? .zero)
        return Command(request.messages.count == 1 ? statements.append : statements.appendBatch, parameters)
    }

    /// Looks at what is stored, in a transaction that holds the session's lock, and does what the rules say.
    private func appendByRules(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
        try await write { (writer) throws(StoreError) in try writer.append(request) }
    }
}
#endif
