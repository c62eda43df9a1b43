import AgentSessionsMemory
import AgentSessionsThreads
import Foundation
import InMemoryTracing
import Logging
import Metrics
import MetricsTestKit
import Testing

@testable import AgentSessions

@Suite("Session service")
struct ServiceTests {
    private let store = MemorySessionStore()

    private var service: PersistentSessionService<MemorySessionStore> { PersistentSessionService(store) }

    private func code<Success>(_ body: () async throws(StoreError) -> Success) async throws -> StoreError.Code {
        try await storeError(body).code
    }

    @Test("The service keeps a conversation")
    func conversation() async throws {
        let service = service
        let session = try await service.create(actorName: "local/a", metadata: ["team": "x"])
        #expect(session.createdAt == session.updatedAt)
        #expect(try await service.get(session.id) == session)
        let first = try await service.appendMessage(
            NewMessage(.user, "q", toolCallID: "c", metadata: ["n": 9_223_372_036_854_775_807]), to: session.id,
            usage: TokenUsage(inputTokens: 3), expectedSequence: 0)
        let more = try await service.append([NewMessage(.assistant, "a"), NewMessage(.tool, "")], to: session.id)
        #expect([first.sequence] + more.map(\.sequence) == [1, 2, 3])
        #expect(try await service.count(session.id) == 3)
        let page = try await service.messages(in: session.id)
        #expect(page.messages == [first] + more)
        #expect(page.session.usage.inputTokens == 3)
        #expect(try await service.messages(in: session.id, limit: 1, offset: 1).messages == [more[0]])
        #expect(try await service.messages(in: session.id, .before(3), limit: 1).messages == [more[0]])
        #expect(try await service.lastMessages(2, in: session.id).messages == more)
        let renamed = try await service.update(
            session.id, actorName: "b", metadata: nil, expectedRevision: page.session.revision)
        #expect(renamed.revision > page.session.revision)
        #expect(
            try await service.updateTokenUsage(session.id, adding: TokenUsage(estimatedCost: 4)).usage.estimatedCost
                == 4)
        let rewound = try await service.rewind(session.id, to: 1)
        #expect(rewound.messageCount == 1)
        #expect(rewound.usage.estimatedCost == 4)
        let again = try await service.appendMessage(NewMessage(.assistant, "other", id: more[0].id), to: session.id)
        #expect(again.sequence == 2)
        try await service.delete(session.id)
        #expect(try await code { () throws(StoreError) in try await service.get(session.id) } == .notFound)
    }

    @Test("Every operation on an absent session fails as not found")
    func absent() async throws {
        let service = service
        let id = ulid(404)
        #expect(try await code { () throws(StoreError) in try await service.get(id) } == .notFound)
        #expect(try await code { () throws(StoreError) in try await service.count(id) } == .notFound)
        #expect(try await code { () throws(StoreError) in try await service.delete(id) } == .notFound)
        #expect(try await code { () throws(StoreError) in try await service.update(id, actorName: "x") } == .notFound)
        #expect(
            try await code { () throws(StoreError) in try await service.updateTokenUsage(id, adding: .zero) }
                == .notFound)
        #expect(try await code { () throws(StoreError) in try await service.rewind(id, to: 0) } == .notFound)
        #expect(try await code { () throws(StoreError) in try await service.messages(in: id) } == .notFound)
        #expect(
            try await code { () throws(StoreError) in
                try await service.appendMessage(NewMessage(.user, ""), to: id)
            } == .notFound)
        await #expect(throws: StoreError.self) { try await collect(service.messageStream(in: id)) }
    }

    @Test("An id that is taken is refused")
    func taken() async throws {
        let service = service
        let session = try await service.create(actorName: "a")
        #expect(
            try await code { () throws(StoreError) in
                try await service.create(actorName: "a", metadata: [:], id: session.id)
            } == .alreadyExists)
    }

    @Test("A replayed append gives the original and adds no usage")
    func replay() async throws {
        let service = service
        let id = try await service.create(actorName: "a").id
        let batch = [
            NewMessage(.user, "x", metadata: ["b": 1, "a": [1.5]], id: ulid(51)), NewMessage(.user, "y", id: ulid(52)),
        ]
        let usage = TokenUsage(inputTokens: 1)
        let first = try await service.append(batch, to: id, usage: usage, expectedSequence: 0)
        let before = try await service.get(id)
        #expect(try await service.append(batch, to: id, usage: usage, expectedSequence: 0) == first)
        #expect(try await service.get(id) == before)
        #expect(
            try await code { () throws(StoreError) in
                try await service.append([batch[0], NewMessage(.user, "z")], to: id)
            } == .conflict)
        #expect(
            try await code { () throws(StoreError) in
                try await service.append([NewMessage(.user, "X", id: ulid(51))], to: id)
            } == .conflict)
        #expect(try await service.get(id) == before)
    }

    @Test("Values that no store accepts are refused before the store is asked")
    func invalid() async throws {
        let service = service
        let id = try await service.create(actorName: "a").id
        let before = try await service.get(id)
        for name in ["a\u{0}", "a\nb", "\u{7F}", "\u{85}", ""] {
            #expect(
                try await code { () throws(StoreError) in try await service.create(actorName: name) }
                    == .invalidArgument)
            #expect(
                try await code { () throws(StoreError) in try await service.update(id, actorName: name) }
                    == .invalidArgument)
        }
        let long = String(repeating: "é", count: 128)
        #expect(try await code { () throws(StoreError) in try await service.create(actorName: long) } == .limitExceeded)
        #expect(try await service.create(actorName: String(long.dropLast()) + "x").actorName.utf8.count == 255)
        #expect(try await code { () throws(StoreError) in try await service.update(id) } == .invalidArgument)
        #expect(try await code { () throws(StoreError) in try await service.append([], to: id) } == .invalidArgument)
        let twice = [NewMessage(.user, "a", id: ulid(5)), NewMessage(.user, "b", id: ulid(5))]
        #expect(try await code { () throws(StoreError) in try await service.append(twice, to: id) } == .invalidArgument)
        #expect(
            try await code { () throws(StoreError) in
                try await service.updateTokenUsage(id, adding: TokenUsage(inputTokens: -1))
            } == .invalidArgument)
        #expect(
            try await code { () throws(StoreError) in
                try await service.append(
                    [NewMessage(.user, "")], to: id, usage: TokenUsage(inputTokens: -1), expectedSequence: nil)
            } == .invalidArgument)
        #expect(
            try await code { () throws(StoreError) in
                try await service.create(actorName: "a", metadata: ["x": .double(.nan)])
            } == .invalidArgument)
        let callID = String(repeating: "c", count: 256)
        #expect(
            try await code { () throws(StoreError) in
                try await service.appendMessage(NewMessage(.tool, "", toolCallID: callID), to: id)
            } == .limitExceeded)
        for limit in [0, -1, .min] {
            #expect(
                try await code { () throws(StoreError) in try await service.list(limit: limit) } == .invalidArgument)
            #expect(
                try await code { () throws(StoreError) in try await service.lastMessages(limit, in: id) }
                    == .invalidArgument)
        }
        #expect(try await code { () throws(StoreError) in try await service.list(limit: 10_001) } == .limitExceeded)
        #expect(
            try await code { () throws(StoreError) in try await service.messages(in: id, limit: .max) }
                == .limitExceeded)
        #expect(
            try await code { () throws(StoreError) in try await service.messages(in: id, offset: -1) }
                == .invalidArgument)
        #expect(
            try await code { () throws(StoreError) in try await service.messages(in: id, .after(-1), limit: 1) }
                == .invalidArgument)
        #expect(
            try await code { () throws(StoreError) in try await service.messages(in: id, .before(0), limit: 1) }
                == .invalidArgument)
        #expect(
            try await code { () throws(StoreError) in
                try await service.list(SessionFilter(), limit: 1, offset: -1, after: nil)
            } == .invalidArgument)
        #expect(try await code { () throws(StoreError) in try await service.rewind(id, to: -1) } == .invalidArgument)
        #expect(try await code { () throws(StoreError) in try await service.rewind(id, to: 1) } == .invalidArgument)
        await #expect(throws: StoreError.self) { try await collect(service.messageStream(in: id, after: -1)) }
        #expect(try await service.get(id) == before)
    }

    @Test("An application can lower the limits")
    func loweredLimits() async throws {
        let limits = StoreLimits(
            contentBytes: 4, metadataBytes: 20, metadataDepth: 2, toolCallIDBytes: 2, actorNameBytes: 3,
            batchMessages: 2,
            pageItems: 2)
        let service = PersistentSessionService(store, limits: limits)
        #expect(service.capabilities.limits == limits)
        #expect(PersistentSessionService(store, limits: StoreLimits(contentBytes: .max)).limits == .standard)
        let id = try await service.create(actorName: "abc", metadata: ["a": [1]]).id
        let tooLarge: [NewMessage] = [
            NewMessage(.user, "12345"), NewMessage(.user, "é漢"), NewMessage(.user, "", toolCallID: "123"),
            NewMessage(.user, "", metadata: ["a": [[1]]]),
            NewMessage(.user, "", metadata: ["a": "12345678901234567890"]),
        ]
        for message in tooLarge {
            #expect(
                try await code { () throws(StoreError) in try await service.appendMessage(message, to: id) }
                    == .limitExceeded)
        }
        #expect(
            try await code { () throws(StoreError) in try await service.create(actorName: "abcd") } == .limitExceeded)
        let three = Array(repeating: NewMessage(.user, ""), count: 3)
        #expect(try await code { () throws(StoreError) in try await service.append(three, to: id) } == .limitExceeded)
        #expect(try await code { () throws(StoreError) in try await service.lastMessages(3, in: id) } == .limitExceeded)
        for _ in 0..<3 { _ = try await service.append([NewMessage(.user, "é12"), NewMessage(.user, "")], to: id) }
        // Streams use these pages too.
        #expect(try await collect(service.messageStream(in: id)).map(\.sequence) == Array(1...6))
    }

    @Test(
        "Any text comes back from the service unchanged",
        arguments: [
            "", "\u{0}", "a\u{0}b", "e\u{301}", "é", "\u{202E}abc\u{2066}", "\u{FFFE}\u{FFFF}", "\u{10FFFF}", "👩‍👩‍👧‍👦🏳️‍🌈",
            "'; DROP TABLE sessions; --", "\r\n\t\u{1B}[31m", "\u{FEFF}bom", "漢字 العربية हिन्दी", "{\"a\":1}",
        ])
    func hostileText(text: String) async throws {
        let service = service
        let id = try await service.create(actorName: "a", metadata: ["t": .string(text)]).id
        let stored = try await service.appendMessage(
            NewMessage(
                .user, text, metadata: ["t": .string(text), "min": .integer(.min), "max": .integer(.max), "d": 0.1]),
            to: id)
        let read = try #require(try await service.lastMessages(1, in: id).messages.first)
        #expect(read == stored)
        #expect(Array(read.content.utf8) == Array(text.utf8))
        #expect(read.metadata["t"] == .string(text))
        #expect(read.metadata["min"] == .integer(.min))
        #expect(read.metadata["max"] == .integer(.max))
        #expect(try await service.get(id).metadata["t"] == .string(text))
    }

    // MARK: Lists

    @Test(
        "Pages show each of 205 sessions with the same time once, while others are created and deleted",
        arguments: [1, 50, 204, 205, 300])
    func cursor(limit: Int) async throws {
        let service = service
        let ids = (1...205).map { ulid(UInt64($0) * 10) }
        for id in ids { _ = try await store.create(NewSession(id: id, actorName: "a", createdAt: time())) }
        var seen: [ULID] = []
        var cursor: SessionCursor?
        var round: UInt64 = 0
        repeat {
            let page = try await service.list(SessionFilter(actorName: "a"), limit: limit, after: cursor)
            seen += page.sessions.map(\.id)
            cursor = try page.next.map { try SessionCursor(parsing: "\($0)") }
            round += 1
            _ = try await service.update(ids[Int(round) % 205], metadata: ["round": .integer(Int64(round))])
            _ = try await service.create(actorName: "a")
            _ = try await store.create(NewSession(id: ulid(100_000 + round), actorName: "a", createdAt: time()))
        } while cursor != nil
        let added = Set(seen).subtracting(ids)
        #expect(seen.filter { !added.contains($0) } == ids.reversed())
        #expect(Set(seen).count == seen.count)
    }

    @Test("A list takes a filter, a limit and an offset, and is newest first")
    func list() async throws {
        let service = service
        for number in 1...6 {
            _ = try await store.create(
                NewSession(
                    id: ulid(UInt64(number)), actorName: number.isMultiple(of: 2) ? "even" : "odd",
                    createdAt: time(Int64(number))))
        }
        func ids(_ filter: SessionFilter = SessionFilter(), limit: Int = 10, offset: Int = 0) async throws -> [UInt64] {
            try await service.list(filter, limit: limit, offset: offset, after: nil).sessions.map(\.id.low)
        }
        #expect(try await ids() == [6, 5, 4, 3, 2, 1])
        #expect(try await ids(limit: 2, offset: 1) == [5, 4])
        #expect(try await ids(offset: 6) == [])
        #expect(try await ids(SessionFilter(actorName: "odd")) == [5, 3, 1])
        #expect(try await ids(SessionFilter(createdFrom: time(3), createdBefore: time(5))) == [4, 3])
        let page = try await service.list(limit: 6)
        #expect(page.next == nil)
        _ = try await service.update(ulid(2), actorName: "odd")
        #expect(try await ids(SessionFilter(actorName: "odd")) == [5, 3, 2, 1])
        #expect(try await ids(SessionFilter(updatedFrom: time(7))) == [2])
        #expect(try await ids(SessionFilter(updatedBefore: time(3))) == [1])
    }

    @Test("A cursor of another list and an invalid cursor are refused")
    func badCursors() async throws {
        let service = service
        for _ in 0..<3 { _ = try await service.create(actorName: "a") }
        let next = try #require(try await service.list(limit: 1).next)
        for filter in [
            SessionFilter(actorName: "a"), SessionFilter(actorName: ""), SessionFilter(createdFrom: time()),
            SessionFilter(createdBefore: time()), SessionFilter(updatedFrom: time()),
            SessionFilter(updatedBefore: time()),
        ] {
            #expect(
                try await code { () throws(StoreError) in try await service.list(filter, after: next) }
                    == .invalidArgument)
        }
        let text = next.description
        #expect(try SessionCursor(parsing: text.uppercased()) == next)
        for junk in ["", "x", String(text.dropLast()), text + "00", "00" + text.dropFirst(2), "é" + text.dropFirst(2)] {
            #expect(throws: StoreError.self) { try SessionCursor(parsing: junk) }
        }
        // A time beyond the year 9999.
        #expect(throws: StoreError.self) {
            try SessionCursor(parsing: text.prefix(4) + "7fffffffffffffff" + text.dropFirst(20))
        }
        #expect(try JSONDecoder().decode([SessionCursor].self, from: JSONEncoder().encode([next])) == [next])
    }

    // MARK: Streams

    @Test("A stream gives every message once while others append", arguments: [0, 1, 199, 200, 201, 450])
    func stream(count: Int) async throws {
        let service = service
        let id = try await service.create(actorName: "a").id
        if count > 0 { _ = try await service.append((0..<count).map { NewMessage(.user, "\($0)") }, to: id) }
        var sequences: [Int] = []
        var appended = 0
        for try await message in service.messageStream(in: id) {
            sequences.append(message.sequence)
            if appended < 250, message.sequence % 2 == 0 {
                appended += 1
                _ = try await service.appendMessage(NewMessage(.user, "more"), to: id)
            }
        }
        let all = try await service.count(id)
        #expect(sequences == Array(1..<(all + 1)))
        #expect(all == count + appended)
        #expect(try await collect(service.messageStream(in: id, after: all)).isEmpty)
        #expect(try await collect(service.messageStream(in: id, after: max(0, all - 3))).count == min(3, all))
    }

    @Test("A stream of large messages holds few bytes at a time")
    func largeMessages() async throws {
        let service = service
        let id = try await service.create(actorName: "a").id
        let large = String(repeating: "x", count: 400_000)
        _ = try await service.append((0..<7).map { _ in NewMessage(.user, large) }, to: id)
        #expect(try await collect(service.messageStream(in: id)).map(\.sequence) == Array(1...7))
    }

    @Test("A stream whose read messages are rewound reports it and has ended then", arguments: [0, 100, 199])
    func rewound(sequence: Int) async throws {
        let service = service
        let id = try await service.create(actorName: "a").id
        let batch = (0..<300).map { NewMessage(.user, "\($0)") }
        let stored = try await service.append(batch, to: id)
        var iterator = service.messageStream(in: id).makeAsyncIterator()
        for _ in 0..<200 { _ = try await iterator.next() }
        _ = try await service.rewind(id, to: sequence)
        // Even the same messages under the same ids are other messages.
        let again = stored.dropFirst(sequence).map { NewMessage($0.role, $0.content, id: $0.id) }
        _ = try await service.append(Array(again), to: id)
        do {
            _ = try await iterator.next()
            Issue.record("the stream went on")
        } catch {
            #expect(error.code == .conflict)
        }
        #expect(try await iterator.next() == nil)
    }

    @Test("A stream is not disturbed by a rewind of messages that it has not given yet")
    func rewoundAhead() async throws {
        let service = service
        let id = try await service.create(actorName: "a").id
        _ = try await service.append((0..<300).map { NewMessage(.user, "\($0)") }, to: id)
        var iterator = service.messageStream(in: id).makeAsyncIterator()
        for _ in 0..<200 { _ = try await iterator.next() }
        _ = try await service.rewind(id, to: 200)
        #expect(try await iterator.next() == nil)
        _ = try await service.appendMessage(NewMessage(.user, "late"), to: id)
        #expect(try await iterator.next() == nil)
    }

    @Test("A stream of a session that is deleted meanwhile throws")
    func deletedMeanwhile() async throws {
        let service = service
        let id = try await service.create(actorName: "a").id
        _ = try await service.append((0..<201).map { NewMessage(.user, "\($0)") }, to: id)
        var iterator = service.messageStream(in: id).makeAsyncIterator()
        for _ in 0..<200 { _ = try await iterator.next() }
        try await service.delete(id)
        do {
            _ = try await iterator.next()
            Issue.record("the stream went on")
        } catch {
            #expect(error.code == .notFound)
        }
    }

    // MARK: Telemetry

    @Test("Operations, errors, retries and durations are counted in metrics")
    func metrics() async throws {
        let metrics = TestMetrics()
        let store = FaultyStore()
        let service = withMetricsFactory(metrics) { PersistentSessionService(store, retryPolicy: .quick) }
        store.fail(writes: [.failBefore(.busy), .failBefore(.busy)])
        let id = try await service.create(actorName: "a").id
        _ = try await service.get(id)
        _ = try? await service.delete(ulid(404))
        _ = try? await service.appendMessage(NewMessage(.user, ""), to: ulid(404))
        func total(_ label: String, _ operation: String) throws -> Int64 {
            try metrics.expectCounter(
                "agent_sessions_\(label)_total", [("operation", operation), ("backend", "faulty")]
            )
            .totalValue
        }
        #expect(try total("operations", "create") == 1)
        #expect(try total("retries", "create") == 2)
        #expect(try total("errors", "create") == 0)
        #expect(try total("operations", "get") == 1)
        #expect(try total("errors", "append") == 1)
        let timer = try metrics.expectTimer(
            "agent_sessions_operation_seconds", [("operation", "create"), ("backend", "faulty")])
        #expect(timer.values.count == 1)
        #expect(Duration.seconds(2).wholeNanoseconds == 2_000_000_000)
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
    }

    @Test("Spans are made with a tracer and record errors")
    func spans() async throws {
        let tracer = InMemoryTracer()
        let service = PersistentSessionService(store, tracer: tracer)
        let id = try await service.create(actorName: "a").id
        _ = try? await service.appendMessage(NewMessage(.user, "secret text"), to: ulid(404))
        _ = try await self.service.get(id)
        let spans = tracer.finishedSpans
        #expect(spans.map(\.operationName) == ["agent_sessions.create", "agent_sessions.append"])
        #expect(spans.map(\.errors.count) == [0, 1])
        #expect(tracer.activeSpans.isEmpty)
        #expect(!"\(spans)".contains("secret text"))
    }
}
