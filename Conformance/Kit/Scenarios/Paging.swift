import AgentSessions

extension Scenario {
    static let paging: [Scenario] = [
        Scenario("page.empty", .page, "3.7", "Every page of a session without messages is empty.") { test in
            let session = try await test.access.create()
            for range: MessageRange in [.after(0), .after(5), .before(1), .before(9), .last] {
                let page = try test.require(await test.access.page(session.id, range, limit: 10), "no page of \(range)")
                test.expect(page.session, equals: session, "the session of \(range)")
                test.expect(page.messages, equals: [], "the messages of \(range)")
            }
        },
        Scenario("page.absent", .page, "3.2", "A page of an absent session is nil, or notFound from the service.") {
            test in
            _ = try await test.session(messages: 2)
            let id = test.newID()
            for range: MessageRange in [.after(0), .before(3), .last] {
                test.expect(
                    try await test.store.messages(MessageRequest(sessionID: id, range: range, limit: 5))?.session,
                    equals: nil, "the page of the repository")
                await test.expect(.notFound, "the page of the service") { () throws(StoreError) in
                    try await test.service.messages(in: id, range, limit: 5)
                }
            }
        },
        Scenario("page.after", .page, "3.7", "The page after a sequence begins with the next one, whole to its limit.")
        {
            test in
            let session = try await test.session(messages: 9)
            let all = try await test.access.messages(session.id)
            test.expect(all.map(\.content), equals: (1...9).map { "m\($0)" }, "all messages")
            for sequence in 0...10 {
                for limit in [1, 2, 8, 9, 10] {
                    test.expect(
                        try await test.access.messages(session.id, .after(sequence), limit: limit),
                        are: all.dropFirst(sequence).prefix(limit), "after \(sequence), limit \(limit)")
                }
            }
        },
        Scenario(
            "page.before", .page, "3.7", "The page before a sequence holds the last ones before it, in order."
        ) { test in
            let session = try await test.session(messages: 9)
            let all = try await test.access.messages(session.id)
            for sequence in 1...12 {
                for limit in [1, 2, 8, 9, 10] {
                    test.expect(
                        try await test.access.messages(session.id, .before(sequence), limit: limit),
                        are: all.prefix(sequence - 1).suffix(limit), "before \(sequence), limit \(limit)")
                }
            }
        },
        Scenario("page.last", .page, "3.7", "The last messages come in the order of their sequences.") { test in
            let session = try await test.session(messages: 9)
            let all = try await test.access.messages(session.id)
            for limit in [1, 2, 8, 9, 10, 1000] {
                test.expect(
                    try await test.access.messages(session.id, .last, limit: limit), are: all.suffix(limit),
                    "the last \(limit)")
            }
        },
        Scenario(
            "page.offset", .page, "3.7", "Limit and offset take the messages after as many as the offset says.",
            layers: [.service]
        ) { test in
            let session = try await test.session(messages: 7)
            let all = try await test.access.messages(session.id)
            for offset in [0, 1, 6, 7, 8, Int.max] {
                test.expect(
                    try await test.service.messages(in: session.id, limit: 3, offset: offset).messages,
                    are: all.dropFirst(offset).prefix(3), "offset \(offset)")
            }
        },
        Scenario(
            "page.walk", .page, "3.7", "Pages after one another show every message once, forwards and backwards."
        ) { test in
            let session = try await test.session(messages: 31)
            let all = try await test.access.messages(session.id)
            for size in [1, 5, 10, 30, 31, 32] {
                var forwards: [SessionMessage] = []
                var sequence = 0
                while forwards.count <= 40 {
                    let page = try await test.access.messages(session.id, .after(sequence), limit: size)
                    guard let last = page.last else { break }
                    forwards += page
                    sequence = last.sequence
                }
                test.expect(forwards, are: all, "forwards in pages of \(size)")
                var backwards: [SessionMessage] = try await test.access.messages(session.id, .last, limit: size)
                while backwards.count <= 40, let first = backwards.first, first.sequence > 1 {
                    let page = try await test.access.messages(session.id, .before(first.sequence), limit: size)
                    if page.isEmpty { break }
                    backwards = page + backwards
                }
                test.expect(backwards, are: all, "backwards in pages of \(size)")
            }
        },
        Scenario(
            "page.session-of-one-moment", .page, "3.12",
            "A page carries the session of the same moment, every field of it."
        ) { test in
            let session = try await test.session(messages: 4)
            _ = try await test.access.update(session.id, actorName: "renamed", metadata: ["m": 1])
            _ = try await test.access.addUsage(TokenUsage(inputTokens: 9), to: session.id)
            let expected = try await test.current(session.id)
            for range: MessageRange in [.after(0), .after(3), .after(99), .before(2), .last] {
                test.expect(
                    try await test.access.page(session.id, range, limit: 2)?.session, equals: expected,
                    "the session of \(range)")
            }
        },
        Scenario(
            "page.deep", .page, "3.7", "A page deep in a long session is as exact as one at its start.", level: .full
        ) { test in
            let session = try await test.access.create()
            for start in stride(from: 1, through: 4001, by: 1000) {
                _ = try await test.access.append((start..<(start + 1000)).map(turn), to: session.id)
            }
            for sequence in [0, 1, 998, 999, 1000, 2047, 2048, 4094, 4096, 4995, 4999, 5000] {
                test.expect(
                    try await test.access.messages(session.id, .after(sequence), limit: 3).map(\.content),
                    equals: ((sequence + 1)..<(sequence + 4)).filter { $0 <= 5000 }.map { "m\($0)" },
                    "after \(sequence)")
                test.expect(
                    try await test.access.messages(session.id, .before(sequence + 1), limit: 3).map(\.sequence),
                    equals: ((sequence - 2)...sequence).filter { $0 >= 1 }, "before \(sequence + 1)")
            }
            test.expect(
                try await test.access.messages(session.id, .last, limit: 2).map(\.content), equals: ["m4999", "m5000"],
                "the last two")
        },
        Scenario(
            "page.byte-boundaries", .page, "2",
            "The order of sequences is that of numbers, also where their digits or bytes grow by one: 9 and 10, 99 and "
                + "100, 255 and 256."
        ) { test in
            let session = try await test.session(messages: 300)
            test.expect(
                try await test.access.messages(session.id).map(\.sequence), equals: Array(1...300), "all sequences")
            for sequence in [9, 99, 127, 255, 256] {
                test.expect(
                    try await test.access.messages(session.id, .after(sequence - 2), limit: 4).map(\.content),
                    equals: ((sequence - 1)...(sequence + 2)).map { "m\($0)" }, "around \(sequence)")
            }
        },
        Scenario(
            "page.byte-limit", .page, "3.7",
            "A page ends with the message that brings its bytes to the limit, and holds at least one.",
            layers: [.repository]
        ) { test in
            let session = try await test.access.create()
            let stored = try await test.access.append(
                (1...8).map { NewMessage(.user, String(repeating: "x", count: $0 * 10)) }, to: session.id)
            for limit in [1, 10, 11, 30, 31, 150, 151, 360, 10_000] {
                let forwards = try await test.store.messages(
                    MessageRequest(sessionID: session.id, range: .after(0), limit: 100, byteLimit: limit))
                test.expect(forwards?.messages ?? [], are: taken(stored, limit), "after 0 within \(limit) bytes")
                let backwards = try await test.store.messages(
                    MessageRequest(sessionID: session.id, range: .last, limit: 100, byteLimit: limit))
                test.expect(
                    backwards?.messages ?? [], are: taken(stored.reversed(), limit).reversed(),
                    "the last within \(limit) bytes")
            }
        },
        Scenario(
            "page.limit-bounds", .page, "3.7",
            "A limit below 1, a negative offset and a sequence before the first are "
                + "refused, and a limit above the page size is limitExceeded.", layers: [.service]
        ) { test in
            let session = try await test.session(messages: 2)
            for limit in [0, -1, Int.min] {
                await test.expect(.invalidArgument, "limit \(limit)") { () throws(StoreError) in
                    try await test.service.messages(in: session.id, .last, limit: limit)
                }
            }
            await test.expect(.invalidArgument, "after -1") { () throws(StoreError) in
                try await test.service.messages(in: session.id, .after(-1), limit: 1)
            }
            await test.expect(.invalidArgument, "before 0") { () throws(StoreError) in
                try await test.service.messages(in: session.id, .before(0), limit: 1)
            }
            let most = test.service.capabilities.limits.pageItems
            await test.expect(.limitExceeded, "limit \(most + 1)") { () throws(StoreError) in
                try await test.service.messages(in: session.id, .after(0), limit: most + 1)
            }
            test.expect(
                try await test.service.messages(in: session.id, .after(0), limit: most).messages.count, equals: 2,
                "messages of the largest page")
        },
        Scenario(
            "page.extreme-ranges", .page, "3.7",
            "The largest sequences that a caller can name are names like any other."
        ) { test in
            let session = try await test.session(messages: 3)
            let all = try await test.access.messages(session.id)
            test.expect(try await test.access.messages(session.id, .after(.max), limit: 2), equals: [], "after the end")
            test.expect(try await test.access.messages(session.id, .after(.max - 1), limit: 5), equals: [], "near it")
            test.expect(
                try await test.access.messages(session.id, .before(.max), limit: 2), are: all.suffix(2),
                "before the largest number")
        },
        Scenario(
            "page.whole-messages", .page, "2", "Every kind of page gives whole messages, all eight fields."
        ) { test in
            let session = try await test.access.create()
            let stored = try await test.access.append(
                [
                    NewMessage(.system, "s", metadata: ["a": [1, 2]]),
                    NewMessage(.tool, "t", toolCallID: "call", metadata: ["b": nil]),
                    NewMessage(.assistant, "", toolCallID: ""),
                ], to: session.id)
            test.expect(try await test.access.messages(session.id, .after(0)), equals: stored, "after 0")
            test.expect(try await test.access.messages(session.id, .before(4)), equals: stored, "before 4")
            test.expect(try await test.access.messages(session.id, .last), equals: stored, "the last")
        },
        Scenario(
            "page.more-than-a-thousand", .page, "3.7", "A page is as long as the limit allows, beyond a thousand too.",
            level: .full, layers: [.repository]
        ) { test in
            let session = try await test.session(messages: 1100)
            _ = try await test.access.append((1101...1105).map(turn), to: session.id)
            let contents = (1...1105).map { "m\($0)" }
            for range in [MessageRange.after(0), .last, .before(1106)] {
                let page = try await test.access.messages(session.id, range, limit: 2000)
                test.expect(page.map(\.content) == contents, "\(range): \(page.count) messages, not 1105 in order")
            }
            test.expect(
                try await test.access.messages(session.id, .after(1100), limit: 2000).map(\.sequence),
                equals: Array(1101...1105), "beyond a thousand")
        },
        Scenario(
            "page.long-among-short", .page, "3.7", "Long messages stand in a page between short ones.", level: .full,
            layers: [.repository]
        ) { test in
            let session = try await test.access.create()
            let lengths = [1, 5000, 0, 70_000, 3, 300_000, 2]
            let stored = try await test.access.append(
                lengths.map { NewMessage(.user, String(repeating: "x", count: $0)) }, to: session.id)
            for range in [MessageRange.after(0), .last, .before(8)] {
                test.expect(
                    try await test.access.messages(session.id, range).map(\.content.utf8.count), equals: lengths,
                    "the lengths of the messages \(range)")
            }
            test.expect(try await test.access.messages(session.id) == stored, "the messages are not those stored")
        },
    ]
}

/// The messages up to the one that brings their bytes to `limit`.
private func taken(_ messages: [SessionMessage], _ limit: Int) -> [SessionMessage] {
    var bytes = 0
    var taken: [SessionMessage] = []
    for message in messages {
        taken.append(message)
        bytes += message.payloadBytes
        if bytes >= limit { break }
    }
    return taken
}
