import AgentSessions

extension Scenario {
    static let rewinding: [Scenario] = [
        Scenario("rewind.removes-the-end", .rewind, "3.7", "A rewind removes every message after a sequence, no other.")
        {
            test in
            for target in [0, 1, 4, 8, 9] {
                let session = try await test.session(messages: 9)
                let all = try await test.access.messages(session.id)
                let rewound = try await test.access.rewind(session.id, to: target)
                test.expect(rewound.messageCount, equals: target, "the count after a rewind to \(target)")
                test.expect(
                    try await test.access.snapshot(of: session.id),
                    equals: SessionSnapshot(session: rewound, messages: Array(all.prefix(target))),
                    "the session after a rewind to \(target)")
                test.expect(
                    try await test.access.messages(session.id, .last, limit: 3), are: all.prefix(target).suffix(3),
                    "the last messages after a rewind to \(target)")
            }
        },
        Scenario("rewind.other-fields", .rewind, "3.7", "A rewind leaves usage, actor and metadata as they are.") {
            test in
            let session = try await test.access.create("keep", metadata: ["keep": true])
            _ = try await test.access.append(
                (1...4).map(turn), to: session.id,
                usage: TokenUsage(inputTokens: 1, outputTokens: 2, estimatedCost: 3))
            let before = try await test.current(session.id)
            let rewound = try await test.access.rewind(session.id, to: 1)
            var expected = before
            expected.messageCount = 1
            expected.updatedAt = rewound.updatedAt
            test.expect(rewound, equals: expected, "the session that rewind gives")
            test.expect(try await test.access.get(session.id), equals: expected, "the session that get gives")
        },
        Scenario("rewind.revision", .rewind, "3.7", "A rewind moves updated_at, also where it removes nothing.") {
            test in
            let session = try await test.session(messages: 2)
            let first = try await test.access.rewind(session.id, to: 2)
            test.expect(first.revision > session.revision, "the revision must grow by a rewind to the end")
            let second = try await test.access.rewind(session.id, to: 0)
            test.expect(second.revision > first.revision, "the revision must grow by a rewind to 0")
        },
        Scenario("rewind.sequences-again", .rewind, "3.7", "The sequences that a rewind frees are given out again.") {
            test in
            let session = try await test.session(messages: 5)
            _ = try await test.access.rewind(session.id, to: 2)
            let stored = try await test.access.append([turn(30), turn(40)], to: session.id)
            test.expect(stored.map(\.sequence), equals: [3, 4], "the sequences")
            test.expect(
                try await test.access.messages(session.id).map(\.content), equals: ["m1", "m2", "m30", "m40"],
                "the contents")
        },
        Scenario("rewind.ids-again", .rewind, "3.7", "The id of a removed message counts as new, with any payload.") {
            test in
            let session = try await test.session(messages: 3)
            let all = try await test.access.messages(session.id)
            _ = try await test.access.rewind(session.id, to: 1)
            let stored = try await test.access.append(
                NewMessage(.tool, "another payload", id: all.at(2).id), to: session.id)
            test.expect(stored.sequence, equals: 2, "the sequence")
            test.expect(stored.content, equals: "another payload", "the content")
            test.expect(try await test.access.messages(session.id), equals: [try all.at(0), stored], "the messages")
        },
        Scenario("rewind.kept-ids", .rewind, "3.7", "The ids of the messages that stay are still known.") { test in
            let session = try await test.session(messages: 4)
            let all = try await test.access.messages(session.id)
            _ = try await test.access.rewind(session.id, to: 2)
            try await test.expectUnchanged(session.id, "a replay") {
                test.expect(
                    try await test.access.append(all.prefix(2).map(again), to: session.id), are: all.prefix(2),
                    "the replay of what stayed")
                await test.expect(.conflict, "an id that stayed with another payload") { () throws(StoreError) in
                    try await test.access.append(NewMessage(.user, "x", id: all.at(1).id), to: session.id)
                }
            }
        },
        Scenario("rewind.beyond", .rewind, "3.7", "A rewind to a sequence that is not there is refused.") { test in
            let session = try await test.session(messages: 3)
            for target in [4, 100, Int.max, -1, Int.min] {
                try await test.expectUnchanged(session.id, "a rewind beyond the end") {
                    await test.expect(.invalidArgument, "the sequence \(target)") { () throws(StoreError) in
                        try await test.access.rewind(session.id, to: target)
                    }
                }
            }
        },
        Scenario("rewind.expected", .rewind, "3.7", "A rewind may name the revision or the last sequence it expects.") {
            test in
            let session = try await test.session(messages: 5)
            let first = try await test.access.rewind(session.id, to: 4, expectedRevision: session.revision)
            let second = try await test.access.rewind(session.id, to: 3, expectedSequence: 4)
            test.expect(second.revision > first.revision, "the revision must grow")
            let third = try await test.access.rewind(
                session.id, to: 2, expectedRevision: second.revision, expectedSequence: 3)
            test.expect(try await test.access.get(session.id), equals: third, "the session")
            test.expect(third.messageCount, equals: 2, "the count")
        },
        Scenario("rewind.stale-revision", .rewind, "3.7", "A rewind that expects another revision is a conflict.") {
            test in
            let session = try await test.session(messages: 3)
            for expected in [session.createdAt, session.revision.advanced(by: 1), session.revision.advanced(by: -1)] {
                try await test.expectUnchanged(session.id, "a stale rewind") {
                    await test.expect(.conflict, "the revision \(expected)") { () throws(StoreError) in
                        try await test.access.rewind(session.id, to: 1, expectedRevision: expected)
                    }
                }
            }
        },
        Scenario("rewind.stale-sequence", .rewind, "3.7", "A rewind that expects another last sequence is a conflict.")
        {
            test in
            let session = try await test.session(messages: 3)
            for expected in [0, 1, 2, 4] {
                try await test.expectUnchanged(session.id, "a stale rewind") {
                    await test.expect(.conflict, "the sequence \(expected)") { () throws(StoreError) in
                        try await test.access.rewind(session.id, to: 1, expectedSequence: expected)
                    }
                }
            }
            try await test.expectUnchanged(session.id, "a rewind of which one expectation is met") {
                await test.expect(.conflict, "the right revision, the wrong sequence") { () throws(StoreError) in
                    try await test.access.rewind(
                        session.id, to: 1, expectedRevision: session.revision, expectedSequence: 2)
                }
            }
        },
        Scenario("rewind.absent", .rewind, "3.7", "A rewind of an absent session throws notFound.") { test in
            await test.expect(.notFound, "an absent session") { () throws(StoreError) in
                try await test.access.rewind(test.newID(), to: 0)
            }
        },
        Scenario("rewind.list", .rewind, "3.7", "The list shows a rewound session as it is now.") { test in
            let session = try await test.session(messages: 3)
            let rewound = try await test.access.rewind(session.id, to: 1)
            test.expect(try await test.access.list(), equals: [rewound], "the list")
        },
        Scenario("rewind.count", .rewind, "3.3", "The count is that of the messages that are there.") { test in
            let session = try await test.access.create()
            test.expect(try await test.service.count(session.id), equals: 0, "the count of an empty session")
            _ = try await test.access.append((1...6).map(turn), to: session.id)
            test.expect(try await test.service.count(session.id), equals: 6, "the count after a batch")
            _ = try await test.access.rewind(session.id, to: 2)
            test.expect(try await test.service.count(session.id), equals: 2, "the count after a rewind")
            _ = try await test.access.delete(session.id)
            await test.expect(.notFound, "the count of a deleted session") { () throws(StoreError) in
                try await test.service.count(session.id)
            }
        },
        Scenario("rewind.again-and-again", .rewind, "3.7", "Appends and rewinds in turns keep sequences without gaps.")
        {
            test in
            let session = try await test.access.create()
            var expected: [SessionMessage] = []
            for round in 0..<12 {
                let length = test.random(in: 1...6)
                expected += try await test.access.append(
                    (0..<length).map { NewMessage(.user, "\(round)/\($0)") }, to: session.id)
                let target = test.random(in: 0...expected.count)
                expected.removeLast(expected.count - target)
                _ = try await test.access.rewind(session.id, to: target)
                test.expect(
                    try await test.access.messages(session.id), equals: expected, "the messages of round \(round)")
            }
            test.expect(expected.map(\.sequence), equals: Array(1..<(expected.count + 1)), "the sequences")
        },
        Scenario("rewind.long", .rewind, "3.7", "A rewind of many messages removes them all.", level: .full) { test in
            let session = try await test.access.create()
            let all = try await test.access.append((1...3000).map(turn), to: session.id)
            _ = try await test.access.rewind(session.id, to: 10)
            test.expect(try await test.access.messages(session.id), are: all.prefix(10), "the messages")
            let ids = all.suffix(2000).map(again)
            let stored = try await test.access.append(ids, to: session.id)
            test.expect(stored.first?.sequence, equals: 11, "the first sequence of the old ids")
        },
        Scenario(
            "rewind.to-zero-keeps-session", .rewind, "3.7",
            "A rewind to 0 changes the count and the revision of the session and no other field."
        ) { test in
            let made = try await test.access.create("local/a", metadata: ["keep": "me"])
            _ = try await test.access.append(
                [turn(1), turn(2)], to: made.id,
                usage: TokenUsage(inputTokens: 1, outputTokens: 2, estimatedCost: 3))
            var expected = try await test.current(made.id)
            let rewound = try await test.access.rewind(made.id, to: 0)
            test.expect(rewound.updatedAt > expected.updatedAt, "the revision must have grown")
            expected.messageCount = 0
            expected.updatedAt = rewound.updatedAt
            test.expect(rewound, equals: expected, "the session that rewind gives")
            test.expect(
                try await test.access.snapshot(of: made.id), equals: SessionSnapshot(session: expected, messages: []),
                "the session")
        },
    ]
}
