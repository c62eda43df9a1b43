import Testing

@testable import AgentSessions

@Suite("Append plan")
struct AppendPlanTests {
    private func pending(_ numbers: ClosedRange<UInt64>, content: String = "text") -> [PendingMessage] {
        numbers.map { PendingMessage(id: ulid($0), role: .user, content: content) }
    }

    private func request(
        _ messages: [PendingMessage], usage: TokenUsage? = nil, expected: Int? = nil, at time: Timestamp = time(50)
    ) -> AppendRequest {
        AppendRequest(sessionID: ulid(1), messages: messages, usage: usage, expectedSequence: expected, time: time)
    }

    private func stored(_ pending: [PendingMessage], after sequence: Int = 0) -> [SessionMessage] {
        pending.enumerated().map { $1.stored(in: ulid(1), sequence: sequence + $0 + 1, at: time(3)) }
    }

    private func code(
        _ request: AppendRequest, _ session: Session?, _ stored: [SessionMessage]
    ) throws -> StoreError.Code {
        try syncError { () throws(StoreError) in try request.plan(session: session, stored: stored) }.code
    }

    @Test("New messages get the next sequences and one time, and the session grows")
    func write() throws {
        let session = makeSession(7, usage: TokenUsage(inputTokens: 1), updatedAt: time(10))
        let plan = try request(pending(10...12), usage: TokenUsage(inputTokens: 2), expected: 7)
            .plan(session: session, stored: [])
        guard case .write(let grown, let messages) = plan else { throw StoreError(.internalFailure, "no write") }
        #expect(messages.map(\.sequence) == [8, 9, 10])
        #expect(messages.map(\.createdAt) == [time(50), time(50), time(50)])
        #expect(messages.allSatisfy { $0.sessionID == session.id })
        #expect(grown.messageCount == 10)
        #expect(grown.usage.inputTokens == 3)
        #expect(grown.updatedAt == time(50))
        #expect(grown.createdAt == session.createdAt)
    }

    @Test("The revision grows even if the clock stands still or goes back", arguments: [10, 9, -1_000_000])
    func stuckClock(microseconds: Int64) throws {
        let session = makeSession(0, updatedAt: time(10))
        let plan = try request(pending(1...1), at: time(microseconds)).plan(session: session, stored: [])
        guard case .write(let grown, let messages) = plan else { throw StoreError(.internalFailure, "no write") }
        #expect(grown.updatedAt == time(11))
        #expect(messages.first?.createdAt == time(11))
    }

    @Test("There is no revision after the last timestamp")
    func endOfTime() throws {
        let session = makeSession(0, updatedAt: .latest)
        #expect(try code(request(pending(1...1)), session, []) == .limitExceeded)
    }

    @Test("An append to an absent session fails as not found")
    func absent() throws {
        #expect(try code(request(pending(1...1)), nil, []) == .notFound)
    }

    @Test("A replay gives the stored messages, whatever was expected and in whatever order the store finds them")
    func replay() throws {
        let messages = pending(10...12)
        let there = stored(messages, after: 4)
        let again = request(messages, usage: TokenUsage(inputTokens: .max), expected: 4)
        let plan = try again.plan(
            session: makeSession(9, usage: TokenUsage(inputTokens: .max)), stored: [there[2], there[0], there[1]])
        guard case .replay(let replayed) = plan else { throw StoreError(.internalFailure, "no replay") }
        #expect(replayed == there)
    }

    @Test("A part of a batch, another payload, another order and messages from elsewhere are conflicts")
    func conflicts() throws {
        let messages = pending(10...12)
        let there = stored(messages)
        let session = makeSession(20)
        #expect(try code(request(messages), session, [there[0]]) == .conflict)
        #expect(try code(request(messages), session, [there[1], there[2]]) == .conflict)
        #expect(try code(request(pending(10...12, content: "other")), session, there) == .conflict)
        #expect(try code(request(messages.reversed()), session, there) == .conflict)
        let apart = [
            messages[0].stored(in: ulid(1), sequence: 1, at: time()),
            messages[1].stored(in: ulid(1), sequence: 2, at: time()),
            messages[2].stored(in: ulid(1), sequence: 4, at: time()),
        ]
        #expect(try code(request(messages), session, apart) == .conflict)
    }

    @Test("Each part of the payload is compared, byte for byte")
    func payload() throws {
        let original = PendingMessage(
            id: ulid(9), role: .tool, content: "é", toolCallID: "call", metadata: ["n": 1])
        let there = [original.stored(in: ulid(1), sequence: 1, at: time())]
        let session = makeSession(1)
        guard case .replay = try request([original]).plan(session: session, stored: there) else {
            throw StoreError(.internalFailure, "no replay")
        }
        for other in [
            PendingMessage(id: ulid(9), role: .user, content: "é", toolCallID: "call", metadata: ["n": 1]),
            PendingMessage(id: ulid(9), role: .tool, content: "e\u{301}", toolCallID: "call", metadata: ["n": 1]),
            PendingMessage(id: ulid(9), role: .tool, content: "é", toolCallID: nil, metadata: ["n": 1]),
            PendingMessage(id: ulid(9), role: .tool, content: "é", toolCallID: "", metadata: ["n": 1]),
            PendingMessage(id: ulid(9), role: .tool, content: "é", toolCallID: "call", metadata: ["n": 1.0]),
            PendingMessage(id: ulid(9), role: .tool, content: "é", toolCallID: "call"),
        ] {
            #expect(try code(request([other]), session, there) == .conflict)
        }
    }

    @Test("An expected sequence must be the last one", arguments: [-1, 0, 6, 8, Int.max])
    func expectation(sequence: Int) throws {
        let error = try syncError { () throws(StoreError) in
            try request(pending(1...1), expected: sequence).plan(session: makeSession(7), stored: [])
        }
        #expect(error.code == .conflict)
        #expect(error.message.contains("is 7, not \(sequence)"))
    }

    @Test("Usage that does not fit and a count at the end of its range are errors")
    func overflow() throws {
        let full = makeSession(1, usage: TokenUsage(outputTokens: .max))
        #expect(try code(request(pending(1...1), usage: TokenUsage(outputTokens: 1)), full, []) == .limitExceeded)
        #expect(try code(request(pending(1...1), usage: TokenUsage(outputTokens: -1)), full, []) == .invalidArgument)
        #expect(try code(request(pending(1...1)), makeSession(.max), []) == .corrupt)
    }
}

@Suite("Session changes and rewinds")
struct SessionChangeTests {
    @Test("A change keeps the fields that it does not name")
    func change() throws {
        var session = makeSession(3, usage: TokenUsage(inputTokens: 5), updatedAt: time(10))
        session.metadata = ["a": 1]
        let renamed = try SessionChange(actorName: "b", time: time(20)).apply(to: session)
        #expect(renamed.actorName == "b")
        #expect(renamed.metadata == ["a": 1])
        #expect(renamed.usage == session.usage)
        #expect(renamed.updatedAt == time(20))
        let emptied = try SessionChange(metadata: [:], expectedRevision: time(10), time: time(5)).apply(to: session)
        #expect(emptied.metadata.isEmpty)
        #expect(emptied.updatedAt == time(11))
        #expect(emptied.messageCount == 3)
    }

    @Test("A stale revision is a conflict before anything else is checked")
    func stale() throws {
        let change = SessionChange(
            usage: TokenUsage(inputTokens: -1), expectedRevision: time(9), time: time(20))
        let session = makeSession(updatedAt: time(10))
        #expect(try syncError { () throws(StoreError) in try change.apply(to: session) }.code == .conflict)
    }

    @Test("A rewind keeps usage and advances the revision", arguments: [0, 2, 5])
    func rewind(sequence: Int) throws {
        let session = makeSession(5, usage: TokenUsage(inputTokens: 5), updatedAt: time(10))
        let rewound = try RewindRequest(
            to: sequence, expectedRevision: time(10), expectedSequence: 5, time: time(1)
        ).apply(to: session)
        #expect(rewound.messageCount == sequence)
        #expect(rewound.usage == session.usage)
        #expect(rewound.updatedAt == time(11))
    }

    @Test("A rewind beyond the session, or from another state, is refused")
    func badRewind() throws {
        let session = makeSession(5, updatedAt: time(10))
        func code(_ request: RewindRequest) throws -> StoreError.Code {
            try syncError { () throws(StoreError) in try request.apply(to: session) }.code
        }
        #expect(try code(RewindRequest(to: 6, time: time())) == .invalidArgument)
        #expect(try code(RewindRequest(to: -1, time: time())) == .invalidArgument)
        #expect(try code(RewindRequest(to: 1, expectedRevision: time(11), time: time())) == .conflict)
        #expect(try code(RewindRequest(to: 1, expectedSequence: 4, time: time())) == .conflict)
    }

    @Test("A filter includes its lower bounds")
    func filter() {
        let session = makeSession(updatedAt: time(10))
        #expect(SessionFilter().includes(session))
        #expect(SessionFilter(actorName: "local/tester", createdFrom: time(), createdBefore: time(1)).includes(session))
        #expect(SessionFilter(updatedFrom: time(10), updatedBefore: time(11)).includes(session))
        for other in [
            SessionFilter(actorName: "local"), SessionFilter(createdFrom: time(1)),
            SessionFilter(createdBefore: time()),
            SessionFilter(updatedFrom: time(11)), SessionFilter(updatedBefore: time(10)),
        ] {
            #expect(!other.includes(session))
        }
    }
}
