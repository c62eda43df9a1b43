#if Postgres
import AgentSessions
@testable import AgentSessionsPostgres
import AgentSessionsPostgresServer
import Testing

/// Texts that a careless store loses or changes.
private let hostileTexts = [
    "", "\u{0}", "a\u{0}b\u{0}\u{0}", "\u{1}", "\u{1}0", "\u{0}\u{1}1", "é e\u{301}", "👩‍👩‍👧‍👦", "'; DROP TABLE sessions; --",
    "\\x00 \\n %s {}", "\u{FEFF}\u{202E}", "\r\n\t\u{7F}", String(repeating: "ab\u{0}", count: 5000),
]

@Suite("Postgres store", .enabled(if: PostgresCluster.isInstalled, "PostgreSQL is not installed"))
struct StoreBehaviourTests {
    @Test("A Postgres store keeps a session and its messages", arguments: Layout.allCases)
    func roundTrip(_ layout: Layout) async throws {
        try await layout.withService { service in
            let metadata: JSONObject = [
                "big": .integer(.max), "small": .integer(.min), "d": .double(0.1), "n": "a\u{0}",
            ]
            let created = try await service.create(actorName: "local/orchestrator", metadata: metadata)
            let read = try await service.get(created.id)
            #expect(read == created)
            let usage = TokenUsage(inputTokens: 3, outputTokens: 4, estimatedCost: 5)
            let first = try await service.append(
                [NewMessage(.user, "hello", metadata: metadata)], to: created.id, usage: usage, expectedSequence: nil)
            let more = try await service.append(
                [NewMessage(.assistant, "a", toolCallID: "call\u{0}"), NewMessage(.tool, "b")], to: created.id,
                usage: usage, expectedSequence: 1)
            #expect((first + more).map(\.sequence) == [1, 2, 3])
            let page = try await service.messages(in: created.id, .after(0), limit: 10)
            #expect(page.messages == first + more)
            #expect(page.session.messageCount == 3)
            #expect(page.session.usage == TokenUsage(inputTokens: 6, outputTokens: 8, estimatedCost: 10))
            #expect(page.session.updatedAt == more.last?.createdAt)
            let seen = try await service.list()
            #expect(seen.sessions == [page.session])
        }
    }

    @Test("Any text comes back from Postgres unchanged", arguments: Layout.allCases)
    func hostileText(_ layout: Layout) async throws {
        try await layout.withService { service in
            let session = try await service.create(actorName: "hostile")
            let batch = hostileTexts.map {
                NewMessage(.user, $0, toolCallID: $0.utf8.count < 256 ? $0 : nil, metadata: ["t": .string($0)])
            }
            let stored = try await service.append(batch, to: session.id)
            for text in hostileTexts { _ = try await service.appendMessage(NewMessage(.user, text), to: session.id) }
            let page = try await service.messages(in: session.id, .after(0), limit: 100)
            #expect(Array(page.messages.prefix(batch.count)) == stored)
            for (message, text) in zip(page.messages, hostileTexts + hostileTexts) {
                #expect(Array(message.content.utf8) == Array(text.utf8))
            }
        }
    }

    @Test(
        "Stored text is readable in psql as it was written, apart from U+0000 and U+0001",
        arguments: [Layout.plain, .partitioned])
    func readable(_ layout: Layout) async throws {
        let configuration = try layout.configuration()
        let cluster = try PostgresCluster.shared()
        func cell(_ sql: String) async throws -> String {
            try await cluster.sql(sql.replacing("s.", with: configuration.schema + "."))
        }
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store)
            let metadata: JSONObject = ["big": .integer(.max), "d": .double(1), "small": .integer(.min), "t": "é"]
            let session = try await service.create(actorName: "local/é", metadata: metadata)
            let message = try await service.appendMessage(
                NewMessage(.tool, "Grüße, \\x00 👋", toolCallID: "call 1", metadata: metadata), to: session.id)
            _ = try await service.appendMessage(NewMessage(.user, "a\u{0}b\u{1}"), to: session.id)
            #expect(try await cell("SELECT id || '|' || actor_name FROM s.sessions") == "\(session.id)|local/é")
            let row =
                "id || '|' || session_id || '|' || sequence || '|' || role || '|' || content || '|' || tool_call_id"
            #expect(
                try await cell("SELECT \(row) FROM s.session_messages WHERE sequence = 1")
                    == "\(message.id)|\(session.id)|1|tool|Grüße, \\x00 👋|call 1")
            for table in ["sessions", "session_messages"] {
                #expect(
                    try await cell(
                        "SELECT metadata->>'big' || ' ' || (metadata->>'small') || ' ' || (metadata->>'d') "
                            + "FROM s.\(table) LIMIT 1")
                        == "\(Int64.max) \(Int64.min) 1.0")
            }
            #expect(
                try await cell(
                    "SELECT encode(convert_to(content, 'UTF8'), 'hex') FROM s.session_messages WHERE sequence = 2")
                    == "610130620131")
            let time = try await cell(
                "SELECT extract(epoch FROM created_at) * 1000000 FROM s.session_messages WHERE sequence = 1")
            #expect(time.hasPrefix("\(message.createdAt.microseconds)"))
        }
    }

    @Test("An append that is sent again gives the stored messages", arguments: Layout.allCases)
    func replay(_ layout: Layout) async throws {
        try await layout.withService { service in
            let session = try await service.create(actorName: "replay")
            let id = try ULIDGenerator.shared.next()
            let usage = TokenUsage(inputTokens: 1)
            let message = NewMessage(.user, "once", id: id)
            let first = try await service.append([message], to: session.id, usage: usage, expectedSequence: nil)
            let again = try await service.append([message], to: session.id, usage: usage, expectedSequence: nil)
            #expect(again == first)
            let batch = try (0..<3).map { NewMessage(.user, "\($0)", id: try ULIDGenerator.shared.next()) }
            let stored = try await service.append(batch, to: session.id, usage: nil, expectedSequence: 1)
            let replayed = try await service.append(batch, to: session.id, usage: nil, expectedSequence: 1)
            #expect(replayed == stored)
            let now = try await service.get(session.id)
            #expect(now.messageCount == 4)
            #expect(now.usage.inputTokens == 1)
            await expectError(.conflict) {
                try await service.appendMessage(NewMessage(.user, "other", id: id), to: session.id)
            }
            await expectError(.conflict) {
                try await service.append([NewMessage(.user, "new"), message], to: session.id)
            }
            await expectError(.conflict) {
                try await service.append([NewMessage(.user, "x")], to: session.id, usage: nil, expectedSequence: 3)
            }
            let after = try await service.get(session.id)
            #expect(after == now)
        }
    }

    @Test("A Postgres store refuses what breaks a rule and changes nothing", arguments: Layout.allCases)
    func refusals(_ layout: Layout) async throws {
        try await layout.withService { service in
            let absent = try ULIDGenerator.shared.next()
            await expectError(.notFound) { try await service.appendMessage(NewMessage(.user, "x"), to: absent) }
            await expectError(.notFound) { try await service.get(absent) }
            await expectError(.notFound) { try await service.delete(absent) }
            await expectError(.notFound) {
                try await service.update(absent, actorName: "x", metadata: nil, expectedRevision: nil)
            }
            await expectError(.notFound) { try await service.rewind(absent, to: 0) }
            let session = try await service.create(actorName: "limits")
            await expectError(.alreadyExists) {
                try await service.create(actorName: "again", metadata: [:], id: session.id)
            }
            let full = try await service.updateTokenUsage(
                session.id, adding: TokenUsage(inputTokens: .max, outputTokens: .max, estimatedCost: .max))
            #expect(full.usage == TokenUsage(inputTokens: .max, outputTokens: .max, estimatedCost: .max))
            await expectError(.limitExceeded) {
                try await service.updateTokenUsage(session.id, adding: TokenUsage(outputTokens: 1))
            }
            await expectError(.limitExceeded) {
                try await service.append(
                    [NewMessage(.user, "x")], to: session.id, usage: TokenUsage(estimatedCost: 1),
                    expectedSequence: nil)
            }
            await expectError(.invalidArgument) {
                _ = try await service.store.update(
                    session.id, SessionChange(usage: TokenUsage(inputTokens: -1), time: .now()))
            }
            await expectError(.conflict) {
                try await service.update(
                    session.id, actorName: "x", metadata: nil, expectedRevision: session.revision)
            }
            let now = try await service.get(session.id)
            #expect(now == full)
        }
    }

    @Test("A Postgres store updates, rewinds and deletes sessions", arguments: Layout.allCases)
    func changes(_ layout: Layout) async throws {
        try await layout.withService { service in
            let session = try await service.create(actorName: "before")
            let renamed = try await service.update(
                session.id, actorName: "after", metadata: ["k": 1], expectedRevision: session.revision)
            #expect(renamed.actorName == "after" && renamed.metadata == ["k": 1])
            #expect(renamed.revision > session.revision)
            let messages = try await service.append((1...10).map { NewMessage(.user, "\($0)") }, to: session.id)
            let rewound = try await service.rewind(session.id, to: 4, expectedRevision: nil, expectedSequence: 10)
            #expect(rewound.messageCount == 4)
            let again = try await service.appendMessage(
                NewMessage(.user, "5 anew", id: messages[4].id), to: session.id)
            #expect(again.sequence == 5)
            await expectError(.invalidArgument) { try await service.rewind(session.id, to: 6) }
            try await service.delete(session.id)
            await expectError(.notFound) { try await service.get(session.id) }
            let page = try await service.store.messages(
                MessageRequest(sessionID: session.id, range: .last, limit: 10))
            #expect(page == nil)
        }
    }

    @Test("A deleted session takes its messages with it")
    func cascade() async throws {
        let cluster = try PostgresCluster.shared()
        let configuration = cluster.configuration()
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "x")
            _ = try await service.append((1...50).map { NewMessage(.user, "\($0)") }, to: session.id)
            try await service.delete(session.id)
            let left = try await cluster.sql("SELECT count(*) FROM \(configuration.schema).session_messages")
            #expect(left == "0")
        }
    }

    @Test("Pages are read by sequence, from the front and the back, within a byte limit", arguments: Layout.allCases)
    func pages(_ layout: Layout) async throws {
        try await layout.withService { service in
            let session = try await service.create(actorName: "pages")
            let texts = (1...30).map { $0 % 3 == 0 ? String(repeating: "\u{0}", count: 100) : "message \($0)" }
            let all = try await service.append(texts.map { NewMessage(.user, $0) }, to: session.id)
            func read(_ range: MessageRange, _ limit: Int, bytes: Int = .max) async throws -> [Int] {
                let request = MessageRequest(sessionID: session.id, range: range, limit: limit, byteLimit: bytes)
                let page = try #require(try await service.store.messages(request))
                #expect(page.messages == page.messages.map { all[$0.sequence - 1] })
                return page.messages.map(\.sequence)
            }
            #expect(try await read(.after(0), 5) == Array(1...5))
            #expect(try await read(.after(28), 5) == [29, 30])
            #expect(try await read(.after(30), 5).isEmpty)
            #expect(try await read(.before(6), 3) == [3, 4, 5])
            #expect(try await read(.before(1000), 3) == [28, 29, 30])
            #expect(try await read(.last, 4) == [27, 28, 29, 30])
            for bytes in [Int.min, 0, 1, 50, 150, 500, 100_000] {
                for fromTheBack in [false, true] {
                    var expected: [Int] = []
                    var sum = 0
                    for message in fromTheBack ? all.reversed() : all where expected.isEmpty || sum < bytes {
                        expected.append(message.sequence)
                        sum += message.payloadBytes
                    }
                    if fromTheBack { expected.reverse() }
                    #expect(try await read(fromTheBack ? .last : .after(0), 1000, bytes: bytes) == expected)
                }
            }
            var streamed: [SessionMessage] = []
            for try await message in service.messageStream(in: session.id) { streamed.append(message) }
            #expect(streamed == all)
        }
    }

    @Test("A Postgres store lists each session once, newest first", arguments: Layout.allCases)
    func list(_ layout: Layout) async throws {
        try await layout.withService { service in
            let time = try #require(Timestamp(microseconds: 1_700_000_000_000_000))
            let next = Timestamp(microseconds: 1_700_000_000_000_001) ?? time
            var made: [ULID] = []
            for index in 0..<45 {
                let id = try ULIDGenerator.shared.next()
                let new = NewSession(id: id, actorName: index % 2 == 0 ? "even" : "odd", createdAt: time)
                made.append(try await service.store.create(new).id)
            }
            var seen: [ULID] = []
            var cursor: SessionCursor?
            repeat {
                let page = try await service.list(SessionFilter(), limit: 10, after: cursor)
                seen += page.sessions.map(\.id)
                cursor = page.next
                _ = try await service.create(actorName: "later")
                _ = try await service.updateTokenUsage(made[3], adding: TokenUsage(inputTokens: 1))
            } while cursor != nil
            #expect(seen.filter(Set(made).contains) == made.reversed())
            let even = try await service.list(
                SessionFilter(actorName: "even", createdFrom: time, createdBefore: next),
                limit: 100)
            #expect(even.sessions.count == 23)
            let changed = try await service.list(
                SessionFilter(actorName: "odd", updatedFrom: next), limit: 100)
            #expect(changed.sessions.map(\.id) == [made[3]])
            let skipped = try await service.list(SessionFilter(actorName: "odd"), limit: 100, offset: 20, after: nil)
            #expect(skipped.sessions.count == 2)
        }
    }

    @Test("A Postgres store restores a session of any length, or nothing of it", arguments: Layout.allCases)
    func restore(_ layout: Layout) async throws {
        try await layout.withService { service in
            let store = service.store
            let time = Timestamp.now()
            let session = Session(
                id: try ULIDGenerator.shared.next(), actorName: "restored", messageCount: 1234,
                usage: TokenUsage(inputTokens: 7), createdAt: time, updatedAt: time)
            let messages = try (1...1234).map { sequence in
                SessionMessage(
                    id: try ULIDGenerator.shared.next(), sessionID: session.id, sequence: sequence, role: .user,
                    content: "text \(sequence)\u{0}", metadata: ["n": .integer(Int64(sequence))], createdAt: time)
            }
            await expectError(.invalidArgument) {
                try await store.restore(session, messages: ArraySource(Array(messages.dropLast())))
            }
            #expect(try await store.get(session.id) == nil)
            try await store.restore(session, messages: ArraySource(messages))
            #expect(try await store.get(session.id) == session)
            let page = try await service.messages(in: session.id, .after(0), limit: 10_000)
            #expect(page.messages == messages)
            await expectError(.alreadyExists) { try await store.restore(session, messages: ArraySource(messages)) }
        }
    }

    @Test(
        "The error for a damaged row names it",
        arguments: [
            ("UPDATE s.sessions SET actor_name = E'\\x01x'", StoreError.Code.corrupt),
            ("UPDATE s.sessions SET message_count = -1", .corrupt),
            ("UPDATE s.sessions SET updated_at = 'infinity'", .corrupt),
            ("UPDATE s.sessions SET input_tokens = -1", .corrupt),
            ("UPDATE s.sessions SET metadata = '[]'", .corrupt),
            ("UPDATE s.session_messages SET metadata = '1' WHERE sequence = 2", .corrupt),
            ("UPDATE s.session_messages SET role = 'No Role' WHERE sequence = 2", .corrupt),
            ("UPDATE s.session_messages SET content = E'\\x01' WHERE sequence = 2", .corrupt),
            ("UPDATE s.session_messages SET tool_call_id = E'\\x01' WHERE sequence = 2", .corrupt),
            ("UPDATE s.session_messages SET created_at = '-infinity' WHERE sequence = 2", .corrupt),
            ("UPDATE s.session_messages SET id = 'x' WHERE sequence = 2", .corrupt),
            ("DELETE FROM s.session_messages WHERE sequence = 2", .corrupt),
            ("UPDATE s.sessions SET message_count = 2", .corrupt),
        ])
    func damage(_ sql: String, _ code: StoreError.Code) async throws {
        let cluster = try PostgresCluster.shared()
        let configuration = cluster.configuration()
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "x")
            _ = try await service.append((1...3).map { NewMessage(.user, "\($0)") }, to: session.id)
            try await cluster.sql(sql.replacing(" s.", with: " \(configuration.schema)."))
            await expectError(code) { try await service.messages(in: session.id, .after(0), limit: 10) }
        }
    }

    @Test("An append detects a counter that is too low")
    func damagedCounter() async throws {
        let cluster = try PostgresCluster.shared()
        let configuration = cluster.configuration()
        try await withStore(configuration) { store in
            let service = PersistentSessionService(store)
            let session = try await service.create(actorName: "x")
            _ = try await service.append((1...3).map { NewMessage(.user, "\($0)") }, to: session.id)
            try await cluster.sql("UPDATE \(configuration.schema).sessions SET message_count = 1")
            await expectError(.corrupt) { try await service.appendMessage(NewMessage(.user, "x"), to: session.id) }
            try await cluster.sql("UPDATE \(configuration.schema).sessions SET message_count = -5")
            await expectError(.corrupt) { try await service.appendMessage(NewMessage(.user, "x"), to: session.id) }
        }
    }

    @Test("A duplicated id within a batch is refused")
    func twiceInBatch() async throws {
        try await Layout.plain.withService { service in
            let session = try await service.create(actorName: "x")
            let message = PendingMessage(id: try ULIDGenerator.shared.next(), role: .user, content: "x")
            await expectError(.conflict) {
                _ = try await service.store.append(
                    AppendRequest(sessionID: session.id, messages: [message, message], time: .now()))
            }
            #expect(try await service.count(session.id) == 0)
        }
    }

    @Test("A batch that is too large for one statement, and values at the limits, are stored")
    func large() async throws {
        try await Layout.plain.withService { service in
            let session = try await service.create(actorName: String(repeating: "ä", count: 127))
            let text = String(repeating: "0123456789abcdef", count: 1 << 16)
            let stored = try await service.append((0..<9).map { NewMessage(.user, text + "\($0)") }, to: session.id)
            let largest = try await service.appendMessage(
                NewMessage(.user, String(repeating: "\u{0}x", count: 8 << 20)), to: session.id)
            let page = try await service.messages(in: session.id, .after(0), limit: 10)
            #expect(page.messages == stored + [largest])
            let many = try await service.append((0..<10_000).map { NewMessage(.user, "\($0)") }, to: session.id)
            #expect(many.last?.sequence == 10_010)
        }
    }

    @Test("Every byte of a batch is counted, so that its metadata alone can split it into several statements")
    func largeMetadata() async throws {
        let text = String(repeating: "m", count: 1_000_000)
        func request(_ session: ULID, _ count: Int) throws -> AppendRequest {
            AppendRequest(
                sessionID: session,
                messages: try (0..<count).map { _ in
                    PendingMessage(
                        id: try ULIDGenerator.shared.next(), role: .user, content: "", metadata: ["m": .string(text)])
                }, usage: TokenUsage(inputTokens: 1), time: .now())
        }
        try await Layout.plain.withService { service in
            let session = try await service.create(actorName: "x").id
            #expect(PostgresSessionStore.isOneStatement(try request(session, 8)))
            let batch = try request(session, 20)
            #expect(!PostgresSessionStore.isOneStatement(batch))
            let first = try await service.store.append(batch)
            #expect(first.messages.map(\.sequence) == Array(1...20))
            let again = try await service.store.append(batch)
            #expect(again.isReplay && again.messages == first.messages)
            let other = try request(session, 20).messages
            await expectError(.conflict) {
                _ = try await service.store.append(
                    AppendRequest(sessionID: session, messages: other + [batch.messages[0]], time: .now()))
            }
            let now = try await service.get(session)
            #expect(now.messageCount == 20 && now.usage.inputTokens == 1)
        }
    }

    @Test("A value that no protocol message can hold is refused before anything is sent", arguments: [true, false])
    func tooLargeForTheProtocol(_ isAlone: Bool) async throws {
        try await Layout.plain.withService {
            $0.largestMessage = 100_000
            $0.maximumConnections = 1
        } _: { service in
            let session = try await service.create(actorName: "x").id
            func backend() async throws -> Int64? {
                try await service.store.read { (transaction) throws(StoreError) in
                    try transaction.query(Statement("SELECT pg_backend_pid()::bigint")).number(0, 0)
                }
            }
            let before = try await backend()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<(isAlone ? 0 : 10) {
                    group.addTask { try await service.appendMessage(NewMessage(.user, "small"), to: session) }
                }
                group.addTask {
                    await expectError(.limitExceeded) {
                        try await service.appendMessage(
                            NewMessage(.user, String(repeating: "x", count: 200_000)), to: session)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await service.count(session) == (isAlone ? 0 : 10))
            await expectError(.limitExceeded) {
                try await service.update(
                    session, actorName: nil, metadata: ["x": .string(String(repeating: "x", count: 200_000))],
                    expectedRevision: nil)
            }
            #expect(try await backend() == before, "the connection was not lost")
        }
    }

    @Test("A Postgres store declares no limit above that of the contract")
    func limits() {
        var configuration = PostgresConfiguration()
        configuration.limits = StoreLimits(contentBytes: 1 << 40, batchMessages: 5)
        #expect(configuration.capabilities(isDurable: true).limits == StoreLimits(batchMessages: 5))
    }

    @Test("A closed Postgres store refuses every call")
    func closed() async throws {
        let store = try await PostgresSessionStore.open(try Layout.plain.configuration())
        await store.close()
        await store.close()
        await expectError(.closed) { _ = try await store.get(try ULIDGenerator.shared.next()) }
        await expectError(.closed) { _ = try await store.effectiveSettings() }
        await expectError(.closed) {
            _ = try await store.create(
                NewSession(id: try ULIDGenerator.shared.next(), actorName: "x", createdAt: .now()))
        }
    }
}

/// Messages from memory.
struct ArraySource: MessageSource {
    let messages: [SessionMessage]

    init(_ messages: [SessionMessage]) { self.messages = messages }

    func makeReader() -> any MessageReader { Reader(rest: messages[...]) }

    private struct Reader: MessageReader {
        var rest: ArraySlice<SessionMessage>

        mutating func next() -> SessionMessage? { rest.popFirst() }
    }
}

/// Expects `body` to throw an error of that code.
func expectError<Success>(
    _ code: StoreError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Success
) async {
    do {
        _ = try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as StoreError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
}
#endif
