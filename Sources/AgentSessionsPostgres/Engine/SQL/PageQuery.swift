#if Postgres
internal import AgentSessions

/// Makes a statement of a request for a page of messages, and a page of its rows.
struct PageQuery {
    private let request: MessageRequest
    /// The number of stored bytes to ask for.
    private var storedBytes: Int64

    init(_ request: MessageRequest) {
        // A page has at least one message where the session has one: the first reaches a bound of one byte.
        var request = request
        request.byteLimit = max(request.byteLimit, 1)
        self.request = request
        storedBytes = Int64(clamping: request.byteLimit)
    }

    func statement(_ statements: StoreStatements) -> Statement {
        var parameters = Parameters()
        parameters.add(request.sessionID)
        let isWithin = storedBytes != .max
        let statement: Statement
        switch request.range {
        case .after(let sequence):
            statement = isWithin ? statements.messagesAfterWithin : statements.messagesAfter
            parameters.add(sequence)
        case .before(let sequence):
            statement = isWithin ? statements.messagesBeforeWithin : statements.messagesBefore
            parameters.add(sequence)
        case .last:
            statement = isWithin ? statements.messagesBeforeWithin : statements.messagesBefore
            parameters.add(Int64.max)
        }
        parameters.add(request.limit)
        if isWithin { parameters.add(storedBytes) }
        return statement.with(parameters)
    }

    /// The page; `nil` where more bytes have to be asked for, as some of those that came are escapes, which do not count.
    ///
    /// - Throws: ``StoreError/Code/corrupt``.
    mutating func page(_ rows: PostgresResult) throws(StoreError) -> (session: Session?, messages: [SessionMessage])? {
        var session: Session?
        for row in 0..<rows.count where !rows.isMessage(row) { session = try rows.session(row) }
        var messages = try rows.messages(of: request.sessionID)
        if storedBytes != .max {
            var bytes = 0
            var count = 0
            for message in messages where bytes < request.byteLimit {
                bytes += message.payloadBytes
                count += 1
            }
            messages.removeLast(messages.count - count)
            let couldBeLonger = bytes < request.byteLimit && count < request.limit && count > 0
            if couldBeLonger, !isAtEnd(messages, of: session) {
                // The stored form of a text has at most twice its bytes, so this happens once.
                storedBytes = storedBytes > Int64.max / 2 ? .max : storedBytes * 2
                return nil
            }
        }
        if request.range.isFromTheBack { messages.reverse() }
        return (session, messages)
    }

    /// Whether there is no message beyond the last that was read.
    private func isAtEnd(_ messages: [SessionMessage], of session: Session?) -> Bool {
        guard let last = messages.last, let session else { return true }
        return request.range.isFromTheBack ? last.sequence <= 1 : last.sequence >= session.messageCount
    }
}
#endif
