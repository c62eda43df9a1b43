import AgentSessions

extension Scenario {
    /// Where pages end, to the byte and to the message.
    static let pageBytes: [Scenario] = [
        Scenario(
            "page.byte-limit-exact", .page, "3.7",
            "The bytes of a message are those of its content and of its metadata as canonical text; a page ends with the "
                + "message that reaches the limit exactly, from whichever end it is counted.", layers: [.repository]
        ) { test in
            // Counted by hand, as a store's own count would agree with itself.
            let sized: [(NewMessage, bytes: Int)] = [
                (NewMessage(.user, "0123456789"), 12), (NewMessage(.user, "ééééé"), 12), (NewMessage(.user, ""), 2),
                (NewMessage(.user, "x", metadata: ["k": "vvv"]), 12), (NewMessage(.user, "👩‍👩‍👧"), 20),
                (NewMessage(.user, "", metadata: ["é": "€", "n": 12]), 19), (NewMessage(.user, "\u{0}\n"), 4),
                (NewMessage(.tool, "", toolCallID: "not counted"), 2), (NewMessage(.user, "abc"), 5),
            ]
            let session = try await test.access.create()
            _ = try await test.access.append(sized.map(\.0), to: session.id)
            let sizes = sized.map(\.bytes)
            func expect(_ range: MessageRange, _ limit: Int, _ expected: Range<Int>) async throws {
                let page = try await test.store.messages(
                    MessageRequest(sessionID: session.id, range: range, limit: 100, byteLimit: limit))
                test.expect(
                    page?.messages.map(\.sequence) ?? [], equals: expected.map { $0 + 1 },
                    "\(range) within \(limit) bytes")
            }
            for first in [0, 3] {
                for count in 1...(sizes.count - first) {
                    let sum = sizes[first...].prefix(count).reduce(0, +)
                    let last = first + count
                    try await expect(.after(first), sum, first..<last)
                    try await expect(.after(first), sum + 1, first..<min(last + 1, sizes.count))
                    try await expect(.after(first), sum - 1, first..<last)
                }
            }
            for (range, end) in [(MessageRange.last, sizes.count), (.before(8), 7)] {
                for count in 1...end {
                    let sum = sizes[..<end].suffix(count).reduce(0, +)
                    let first = end - count
                    try await expect(range, sum, first..<end)
                    try await expect(range, sum + 1, max(first - 1, 0)..<end)
                    try await expect(range, sum - 1, first..<end)
                }
            }
            for limit in [1, 0] {
                try await expect(.after(0), limit, 0..<1)
                try await expect(.last, limit, (sizes.count - 1)..<sizes.count)
                try await expect(.before(8), limit, 6..<7)
            }
            try await expect(.after(0), .max - 1, 0..<sizes.count)
            try await expect(.after(sizes.count), 0, 0..<0)
        },
        Scenario(
            "page.beyond-two-bytes", .page, "2",
            "A session holds more messages than two bytes count, and each is found by its sequence.", level: .full,
            layers: [.repository], timeLimit: .seconds(60)
        ) { test in
            let count = 65_545
            let session = try await test.access.create()
            let batch = min(test.store.capabilities.limits.batchMessages, 10_000)
            for start in stride(from: 1, through: count, by: batch) {
                _ = try await test.access.append(
                    (start...min(start + batch - 1, count)).map { NewMessage(.user, "\($0)") }, to: session.id)
            }
            test.expect(try await test.current(session.id).messageCount, equals: count, "the count")
            for sequence in [32_766, 32_768, 65_534, 65_536, count - 2] {
                let expected = Array((sequence + 1)...(sequence + 2))
                let after = try await test.access.messages(session.id, .after(sequence), limit: 2)
                test.expect(after.map(\.sequence), equals: expected, "the sequences after \(sequence)")
                test.expect(after.map(\.content), equals: expected.map { "\($0)" }, "the contents after \(sequence)")
                let before = try await test.access.messages(session.id, .before(sequence + 3), limit: 2)
                test.expect(before, equals: after, "the messages before \(sequence + 3)")
                test.expect(
                    try await test.service.messages(in: session.id, .after(sequence), limit: 2).messages, equals: after,
                    "the messages after \(sequence) by the service")
            }
            let last = try await test.access.messages(session.id, .last, limit: 3)
            test.expect(last.map(\.content), equals: ((count - 2)...count).map { "\($0)" }, "the last")
            test.expect(try await test.access.append(last.map(again), to: session.id), equals: last, "a replay")
            let next = try await test.access.append(turn(1), to: session.id)
            test.expect(next.sequence, equals: count + 1, "the next sequence")
            let rewound = try await test.access.rewind(session.id, to: 65_540)
            test.expect(rewound.messageCount, equals: 65_540, "the count after a rewind")
            test.expect(
                try await test.access.messages(session.id, .last, limit: 1).map(\.content), equals: ["65540"],
                "the last after a rewind")
        },
        Scenario(
            "page.checked", .page, "3.15",
            "A service takes no page that lacks a message, has one of another session or place, or has more than the "
                + "session counts: it throws corrupt.", layers: [.service]
        ) { test in
            let session = try await test.session(messages: 9)
            for (what, change) in pageChanges {
                // Of which one comes before every session, and one after.
                for other in [ULID(high: 0, low: 1), ULID(high: .max >> 1, low: .max)] {
                    let wrong = AlteredPages(test.store) { change($0, other) }
                    let service = PersistentSessionService(wrong, retryPolicy: .never, now: { test.clock.next() })
                    for range in [MessageRange.after(0), .after(3), .before(8), .last] {
                        await test.expect(.corrupt, "\(what), \(range)") { () throws(StoreError) in
                            try await service.messages(in: session.id, range, limit: 4)
                        }
                    }
                }
            }
            // What is right is taken: that a page ends early is wrong only where the request does not say so.
            let right = AlteredPages(test.store) { $0 }
            let service = PersistentSessionService(right, retryPolicy: .never, now: { test.clock.next() })
            for (range, count) in [
                (MessageRange.after(0), 4), (.after(7), 2), (.after(9), 0), (.before(1), 0), (.last, 4),
            ] {
                test.expect(
                    try await service.messages(in: session.id, range, limit: 4).messages.count, equals: count,
                    "messages of \(range)")
            }
        },
        Scenario(
            "stream.checked", .stream, "3.15",
            "A stream takes no page that begins late, ends before its bytes reach their bound, or holds more than was "
                + "asked for: it throws corrupt.", level: .full, layers: [.service]
        ) { test in
            // The bound is a mebibyte, and each message has two bytes of metadata.
            let bound = 1 << 20
            try test.requireContent(of: bound + 1000)
            func session(_ sizes: [Int]) async throws -> ULID {
                let session = try await test.access.create()
                for size in sizes {
                    let message = NewMessage(.user, String(repeating: "x", count: size - 2))
                    _ = try await test.access.append(message, to: session.id)
                }
                return session.id
            }
            func read(_ id: ULID, _ alter: @escaping AlteredPages.Alteration) async throws(StoreError) -> Int {
                let altered = AlteredPages(test.store, alter)
                let service = PersistentSessionService(altered, retryPolicy: .never, now: { test.clock.next() })
                var count = 0
                for try await _ in service.messageStream(in: id) { count += 1 }
                return count
            }
            let exact = try await session([bound / 2, bound / 2, 10, 10])
            let short = try await session([bound / 2, bound / 2 - 1, 10, 10])
            let uneven = try await session([1000, bound, 10, 10])
            for id in [exact, short, uneven] {
                test.expect(try await read(id) { $0 }, equals: 4, "messages of the stream")
            }
            await test.expect(.corrupt, "a page without its first message") { () throws(StoreError) in
                try await read(uneven) { $0.first?.sequence == 1 ? Array($0.dropFirst()) : $0 }
            }
            await test.expect(.corrupt, "pages that end a byte before the bound") { () throws(StoreError) in
                try await read(short) { Array($0.prefix(2)) }
            }
            await test.expect(.corrupt, "pages that end early") { () throws(StoreError) in
                try await read(exact) { Array($0.prefix(1)) }
            }
            let many = try await test.session(messages: 300)
            await test.expect(.corrupt, "a page with a message more than was asked for") { () throws(StoreError) in
                try await read(many.id) { messages in
                    guard messages.count > 1, let last = messages.last else { return messages }
                    let more = SessionMessage(
                        id: last.id, sessionID: last.sessionID, sequence: last.sequence + 1, role: .user,
                        content: String(repeating: "x", count: bound), createdAt: last.createdAt)
                    return messages + [more]
                }
            }
        },
    ]

    /// Ways in which a page of several messages is wrong.
    private static let pageChanges: [(String, @Sendable ([SessionMessage], ULID) -> [SessionMessage])] = [
        ("without its first message", { messages, _ in Array(messages.dropFirst()) }),
        ("without its last message", { messages, _ in Array(messages.dropLast()) }),
        ("without one in the middle", { messages, _ in Array(messages.prefix(1) + messages.dropFirst(2)) }),
        ("without any message", { _, _ in [] }),
        ("with its first message alone", { messages, _ in Array(messages.prefix(1)) }),
        ("with a message twice", { messages, _ in Array(messages.prefix(2) + messages.dropFirst()) }),
        ("backwards", { messages, _ in messages.reversed() }),
        ("with a message of another session first", { changed($0, 0, sessionID: $1) }),
        ("with a message of another session last", { changed($0, $0.count - 1, sessionID: $1) }),
        ("with a sequence too low", { messages, _ in changed(messages, 1, by: -1) }),
        ("with a sequence too high", { messages, _ in changed(messages, 1, by: 1) }),
        ("with another last sequence", { messages, _ in changed(messages, messages.count - 1, by: 1) }),
        ("one message later", { messages, _ in messages.map { $0.with(sequence: $0.sequence + 1) } }),
        ("one message earlier", { messages, _ in messages.map { $0.with(sequence: $0.sequence - 1) } }),
        (
            "with one message more",
            { messages, _ in messages + messages.suffix(1).map { $0.with(sequence: $0.sequence + 1) } }
        ),
    ]
}

/// A page one of whose messages is another session's, or stands elsewhere.
private func changed(
    _ messages: [SessionMessage], _ index: Int, sessionID: ULID? = nil, by offset: Int = 0
) -> [SessionMessage] {
    messages.enumerated().map { place, message in
        place == index ? message.with(sessionID: sessionID, sequence: message.sequence + offset) : message
    }
}

extension ScenarioContext {
    /// Ends the scenario where the store takes no content of so many bytes.
    fileprivate func requireContent(of bytes: Int) throws {
        guard store.capabilities.limits.contentBytes < bytes else { return }
        throw ScenarioStopped()
    }
}
