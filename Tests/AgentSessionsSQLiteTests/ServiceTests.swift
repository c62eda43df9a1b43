#if SQLite
import AgentSessions
import AgentSessionsSQLite
import Testing

@Suite("The service on SQLite")
struct ServiceTests {
    @Test("A session comes back from SQLite as it was created")
    func created() async throws {
        try await withStore { service, folder in
            let id = try ULIDGenerator.shared.next()
            let created = try await service.create(actorName: "local/é", metadata: ["a": .integer(1)], id: id)
            #expect(created.id == id)
            #expect(created.messageCount == 0)
            #expect(created.createdAt == created.updatedAt)
            #expect(try await service.get(id) == created)
            try await expect(.alreadyExists) { try await service.create(actorName: "x", metadata: [:], id: id) }
            try await expect(.notFound) { try await service.get(ULIDGenerator.shared.next()) }

            await service.store.close()
            let again = try await folder.open()
            #expect(try await again.get(id) == created)
            await again.close()
        }
    }

    @Test("Pages of a list in SQLite show each of 205 sessions once during changes")
    func pagedList() async throws {
        let moment = try #require(Timestamp(microseconds: 1_700_000_000_000_000))
        try await withStore { service, _ in
            var ids: Set<ULID> = []
            for _ in 0..<205 {
                let id = try ULIDGenerator.shared.next()
                _ = try await service.store.create(NewSession(id: id, actorName: "a", createdAt: moment))
                ids.insert(id)
            }
            var seen: [ULID] = []
            var cursor: SessionCursor?
            repeat {
                let page = try await service.list(SessionFilter(actorName: "a"), limit: 10, after: cursor)
                seen += page.sessions.map(\.id)
                cursor = page.next
                _ = try await service.update(try #require(seen.randomElement()), metadata: ["n": .integer(1)])
                _ = try await service.create(actorName: "a")
            } while cursor != nil
            #expect(Set(seen) == ids)
            #expect(seen.count == 205)
            #expect(seen == seen.sorted(by: >))
        }
    }

    @Test("A list in SQLite filters by actor and by times and takes an offset")
    func filteredList() async throws {
        try await withStore { service, _ in
            let first = try await service.create(actorName: "a")
            let second = try await service.create(actorName: "b")
            let third = try await service.create(actorName: "a")
            let changed = try await service.update(first.id, metadata: ["k": .null])
            func ids(_ filter: SessionFilter, offset: Int = 0) async throws -> [ULID] {
                try await service.list(filter, limit: 9, offset: offset, after: nil).sessions.map(\.id)
            }
            #expect(try await ids(SessionFilter()) == [third.id, second.id, first.id])
            #expect(try await ids(SessionFilter(), offset: 2) == [first.id])
            #expect(try await ids(SessionFilter(actorName: "a")) == [third.id, first.id])
            #expect(try await ids(SessionFilter(createdFrom: second.createdAt)) == [third.id, second.id])
            #expect(try await ids(SessionFilter(createdBefore: second.createdAt)) == [first.id])
            #expect(try await ids(SessionFilter(updatedFrom: changed.updatedAt)) == [first.id])
            #expect(try await ids(SessionFilter(updatedBefore: changed.updatedAt)) == [third.id, second.id])
            #expect(
                try await ids(SessionFilter(actorName: "a", updatedFrom: changed.updatedAt)) == [first.id])
        }
    }

    @Test("An update with a stale revision is refused by SQLite and changes nothing")
    func staleUpdate() async throws {
        try await withStore { service, _ in
            let session = try await service.create(actorName: "a")
            let renamed = try await service.update(
                session.id, actorName: "b", metadata: nil, expectedRevision: session.revision)
            #expect(renamed.actorName == "b")
            #expect(renamed.revision > session.revision)
            try await expect(.conflict) {
                try await service.update(session.id, actorName: "c", metadata: nil, expectedRevision: session.revision)
            }
            #expect(try await service.get(session.id) == renamed)
            let noted = try await service.update(session.id, metadata: ["x": .double(0.5)])
            #expect(noted.metadata == ["x": .double(0.5)])
            #expect(noted.actorName == "b")
            #expect(try await service.get(session.id) == noted)
            try await expect(.notFound) { try await service.update(ULIDGenerator.shared.next(), actorName: "c") }
        }
    }

    @Test("Usage in SQLite adds up to the last bit and never wraps")
    func usage() async throws {
        try await withStore { service, _ in
            let session = try await service.create(actorName: "a")
            let most = TokenUsage(inputTokens: .max, outputTokens: .max - 1, estimatedCost: .max)
            _ = try await service.updateTokenUsage(session.id, adding: most)
            try await expect(.limitExceeded) {
                try await service.updateTokenUsage(session.id, adding: TokenUsage(inputTokens: 1, outputTokens: 1))
            }
            try await expect(.invalidArgument) {
                try await service.updateTokenUsage(session.id, adding: TokenUsage(outputTokens: -1))
            }
            _ = try await service.updateTokenUsage(session.id, adding: TokenUsage(outputTokens: 1))
            let usage = try await service.get(session.id).usage
            #expect(usage == TokenUsage(inputTokens: .max, outputTokens: .max, estimatedCost: .max))
        }
    }

    @Test("A replayed append in SQLite gives the original and adds nothing")
    func replay() async throws {
        try await withStore { service, folder in
            let session = try await service.filled(3)
            var batch = [NewMessage].numbered(4, "batch")
            for index in batch.indices { batch[index].id = try ULIDGenerator.shared.next() }
            let usage = TokenUsage(inputTokens: 5)
            let first = try await service.append(batch, to: session.id, usage: usage, expectedSequence: 3)
            #expect(first.map(\.sequence) == [4, 5, 6, 7])
            let after = try await service.get(session.id)
            #expect(after.usage == usage)
            #expect(after.revision == first[0].createdAt)
            let second = try await service.append(batch, to: session.id, usage: usage, expectedSequence: 3)
            #expect(second == first)
            #expect(try await service.get(session.id) == after)

            try await expect(.conflict) { try await service.append(Array(batch[..<2] + batch[3...]), to: session.id) }
            try await expect(.conflict) {
                try await service.append([batch[0], NewMessage(.user, "new")], to: session.id)
            }
            batch[2].content += "!"
            try await expect(.conflict) { try await service.append(batch, to: session.id) }
            try await expect(.conflict) {
                try await service.append(.numbered(1), to: session.id, usage: nil, expectedSequence: 3)
            }
            try await expect(.notFound) { try await service.append(.numbered(1), to: ULIDGenerator.shared.next()) }
            #expect(try await service.get(session.id) == after)
            #expect(try folder.raw().value("SELECT count(*) FROM session_messages") == "7")
        }
    }

    @Test("Messages in SQLite are read from the front, the back and the middle")
    func messageRanges() async throws {
        try await withStore { service, _ in
            let session = try await service.filled(25)
            func sequences(_ range: MessageRange, _ limit: Int) async throws -> [Int] {
                try await service.messages(in: session.id, range, limit: limit).messages.map(\.sequence)
            }
            #expect(try await sequences(.after(0), 3) == [1, 2, 3])
            #expect(try await sequences(.after(22), 9) == [23, 24, 25])
            #expect(try await sequences(.after(25), 9) == [])
            #expect(try await sequences(.after(.max), 9) == [])
            #expect(try await sequences(.before(1), 9) == [])
            #expect(try await sequences(.before(4), 2) == [2, 3])
            #expect(try await sequences(.before(.max), 2) == [24, 25])
            #expect(try await sequences(.last, 4) == [22, 23, 24, 25])
            #expect(try await service.everyMessage(of: session.id).map(\.sequence) == Array(1...25))
            #expect(try await service.count(session.id) == 25)
        }
    }

    @Test("A page with a byte limit has at least one message")
    func byteLimit() async throws {
        try await withStore { service, _ in
            let session = try await service.filled(9)
            for (limit, count) in [(0, 1), (1, 1), (12, 2), (.max, 9)] {
                let front = MessageRequest(sessionID: session.id, range: .after(0), limit: 100, byteLimit: limit)
                let back = MessageRequest(sessionID: session.id, range: .last, limit: 100, byteLimit: limit)
                let first = try #require(try await service.store.messages(front)).messages.map(\.sequence)
                let last = try #require(try await service.store.messages(back)).messages.map(\.sequence)
                #expect(first == Array(1...count))
                #expect(last == Array((10 - count)...9))
            }
        }
    }

    @Test("A rewind in SQLite removes messages, keeps usage, and lets sequences and ids be used again")
    func rewind() async throws {
        try await withStore { service, folder in
            let session = try await service.filled(10)
            _ = try await service.updateTokenUsage(session.id, adding: TokenUsage(inputTokens: 3))
            let messages = try await service.everyMessage(of: session.id)
            try await expect(.conflict) {
                try await service.rewind(session.id, to: 4, expectedRevision: session.revision, expectedSequence: nil)
            }
            try await expect(.conflict) {
                try await service.rewind(session.id, to: 4, expectedRevision: nil, expectedSequence: 9)
            }
            try await expect(.invalidArgument) { try await service.rewind(session.id, to: 11) }
            let rewound = try await service.rewind(session.id, to: 4, expectedRevision: nil, expectedSequence: 10)
            #expect(rewound.messageCount == 4)
            #expect(rewound.usage.inputTokens == 3)
            #expect(try await service.everyMessage(of: session.id) == Array(messages[..<4]))
            let again = try await service.appendMessage(
                NewMessage(.assistant, "other", id: messages[6].id), to: session.id)
            #expect(again.sequence == 5)
            #expect(try await service.rewind(session.id, to: 0).messageCount == 0)
            #expect(try folder.raw().value("SELECT count(*) FROM session_messages") == "0")
        }
    }

    @Test("A session deleted from SQLite leaves no row, and no message can exist without a session")
    func delete() async throws {
        try await withStore { service, folder in
            let kept = try await service.filled(5)
            let gone = try await service.filled(50)
            try await service.delete(gone.id)
            try await expect(.notFound) { try await service.delete(gone.id) }
            let raw = try folder.raw()
            #expect(try raw.value("SELECT count(*) FROM session_messages") == "5")
            #expect(try raw.value("SELECT count(*) FROM sessions") == "1")
            #expect(try raw.rows("PRAGMA foreign_key_check").isEmpty)
            #expect(try raw.value("PRAGMA integrity_check") == "ok")
            try raw.execute("PRAGMA foreign_keys = ON")
            #expect(throws: RawDatabase.Failure.self) {
                try raw.execute("UPDATE session_messages SET session_id = '\(gone.id)'")
            }
            #expect(try await service.everyMessage(of: kept.id).count == 5)
        }
    }

    @Test("A session is restored to SQLite as a whole or not at all")
    func restore() async throws {
        try await withStore { service, folder in
            let session = try await service.filled(1200)
            let messages = try await service.everyMessage(of: session.id)
            try await expect(.alreadyExists) { try await service.store.restore(session, messages: Messages(messages)) }
            try await service.delete(session.id)
            for wrong in [Array(messages.dropLast()), Array(messages.dropFirst()), messages + [messages[0]]] {
                try await expect(.invalidArgument) {
                    try await service.store.restore(session, messages: Messages(wrong))
                }
            }
            try await expect(.unavailable) {
                try await service.store.restore(session, messages: Messages(messages, failsAfter: 700))
            }
            #expect(try folder.raw().value("SELECT count(*) FROM session_messages") == "0")
            try await service.store.restore(session, messages: Messages(messages))
            #expect(try await service.get(session.id) == session)
            #expect(try await service.everyMessage(of: session.id) == messages)
        }
    }

    @Test("Values beyond the limits and unusable cursors are refused by SQLite")
    func refusals() async throws {
        try await withStore([setting(\.limits, StoreLimits(contentBytes: 10, batchMessages: 2, pageItems: 5))]) {
            service, _ in
            let session = try await service.create(actorName: "a")
            try await expect(.limitExceeded) {
                try await service.appendMessage(NewMessage(.user, "01234567890"), to: session.id)
            }
            try await expect(.limitExceeded) { try await service.append(.numbered(3), to: session.id) }
            try await expect(.invalidArgument) { try await service.append([], to: session.id) }
            try await expect(.limitExceeded) { try await service.list(limit: 6) }
            for limit in [0, -1] {
                try await expect(.invalidArgument) { try await service.list(limit: limit) }
                try await expect(.invalidArgument) { try await service.lastMessages(limit, in: session.id) }
            }
            _ = try await service.create(actorName: "a")
            let cursor = try await service.list(SessionFilter(actorName: "a"), limit: 1).next
            try await expect(.invalidArgument) { try await service.list(limit: 1, after: cursor) }
            for name in ["", String(repeating: "x", count: 300), "a\u{0}b"] {
                let error = await #expect(throws: StoreError.self) { try await service.create(actorName: name) }
                #expect([.invalidArgument, .limitExceeded].contains(error?.code))
            }
        }
    }
}

/// Messages to restore a session from, or as many of them as come before a failure.
struct Messages: MessageSource {
    let messages: [SessionMessage]
    let failsAfter: Int

    init(_ messages: [SessionMessage], failsAfter: Int = .max) {
        self.messages = messages
        self.failsAfter = failsAfter
    }

    func makeReader() throws(StoreError) -> any MessageReader { Reader(source: self) }

    private struct Reader: MessageReader {
        let source: Messages
        var index = 0

        mutating func next() throws(StoreError) -> SessionMessage? {
            guard index < source.failsAfter else { throw StoreError(.unavailable, "The source is gone.") }
            guard index < source.messages.count else { return nil }
            index += 1
            return source.messages[index - 1]
        }
    }
}
#endif
