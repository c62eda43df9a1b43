#if Postgres
public import AgentSessions

extension PostgresSessionStore {
    /// The largest batch that is one statement, in bytes. A larger one is a transaction of several statements, each far
    /// below what a message of the protocol can hold.
    private static let statementBytes = 8 << 20

    /// What came of the statement.
    private enum Outcome: Sendable {
        /// It stored the batch: the first sequence, and the session's new revision.
        case stored(first: Int, at: Timestamp)
        /// It did nothing, as the request is not an ordinary one.
        case unclear
    }

    public func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
        try request.usage?.validateIncrement()
        guard !request.messages.isEmpty, Self.isOneStatement(request), !request.mayBeStored else {
            return try await appendByRules(request)
        }
        let outcome = try await writes.submit(
            try statement(for: request), session: request.sessionID, isExclusive: request.messages.count > 100
        ) { (rows) throws(StoreError) -> Outcome in
            try Self.outcome(rows, of: request)
        } recover: { (error) throws(StoreError) -> Outcome in
            // A message with one of the ids is stored, or was being stored at the same moment.
            if case .refused(_, let refusal) = error, refusal.isUniqueViolation { return .unclear }
            throw error.writeError
        }
        guard case .stored(let first, let revision) = outcome else { return try await appendByRules(request) }
        let messages = request.messages.enumerated().map { place, message in
            message.stored(in: request.sessionID, sequence: first + place, at: revision)
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
        else {
            throw .damagedSession(request.sessionID, "its counters are out of range", backend: PostgresBackend.name)
        }
        return .stored(first: first, at: revision)
    }

    private func statement(for request: AppendRequest) throws(StoreError) -> Statement {
        var parameters = Parameters()
        parameters.add(request.sessionID)
        let messages = request.messages
        let single = messages.count == 1 ? messages.first : nil
        if let single { parameters.add(single.id) } else { parameters.add(messages.map(\.id)) }
        parameters.add(request.time)
        parameters.add(request.expectedSequence)
        parameters.add(request.usage ?? .zero)
        guard let single else {
            parameters.add(messages.count)
            try parameters.add(
                payloads: messages.map(\.role), messages.map(\.content), messages.map(\.toolCallID),
                messages.map(\.metadata))
            return statements.appendBatch.with(parameters)
        }
        try parameters.add(payload: single.role, single.content, single.toolCallID, single.metadata)
        return statements.append.with(parameters)
    }

    /// Reads what is stored, in a transaction that holds the session's lock, and does what the rules say.
    private func appendByRules(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
        try await write { (writer) throws(StoreError) in try writer.append(request) }
    }
}
#endif
