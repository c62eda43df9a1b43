import AgentSessions

extension Scenario {
    static let replay: [Scenario] = [
        Scenario(
            "append.idempotent-replay", .replay, "3.6",
            "A replay returns the original messages and sequences, and changes nothing."
        ) { test in
            let session = try await test.session(messages: 2)
            let stored = try await test.access.append(turn(3), to: session.id)
            try await test.expectUnchanged(session.id, "a replay") {
                test.expect(
                    try await test.access.append(again(stored), to: session.id), equals: stored, "the replayed message")
            }
        },
        Scenario("replay.batch", .replay, "3.6", "A batch is replayed whole, in its order.") { test in
            let session = try await test.session(messages: 1)
            let stored = try await test.access.append((2...7).map(turn), to: session.id)
            try await test.expectUnchanged(session.id, "a replay") {
                test.expect(
                    try await test.access.append(stored.map(again), to: session.id), equals: stored, "the replay")
            }
        },
        Scenario("replay.usage", .replay, "3.6", "A replay adds no usage.") { test in
            let session = try await test.access.create()
            let usage = TokenUsage(inputTokens: 10, outputTokens: 20, estimatedCost: 30)
            let stored = try await test.access.append([turn(1), turn(2)], to: session.id, usage: usage)
            for _ in 0..<3 { _ = try await test.access.append(stored.map(again), to: session.id, usage: usage) }
            test.expect(try await test.current(session.id).usage, equals: usage, "the totals")
        },
        Scenario(
            "replay.usage-overflow", .replay, "3.6", "A replay succeeds though its usage would overflow by now."
        ) { test in
            let session = try await test.access.create()
            let usage = TokenUsage(inputTokens: .max)
            let stored = try await test.access.append(turn(1), to: session.id, usage: usage)
            try await test.expectUnchanged(session.id, "a replay") {
                test.expect(
                    try await test.access.append(again(stored), to: session.id, usage: usage), equals: stored,
                    "the replay")
            }
        },
        Scenario(
            "replay.later", .replay, "3.6", "A replay finds its messages though others were appended since."
        ) { test in
            let session = try await test.access.create()
            let first = try await test.access.append([turn(1), turn(2)], to: session.id)
            _ = try await test.access.append((3...400).map(turn), to: session.id)
            _ = try await test.access.update(session.id, actorName: "b")
            try await test.expectUnchanged(session.id, "a replay") {
                test.expect(try await test.access.append(first.map(again), to: session.id), equals: first, "the replay")
            }
        },
        Scenario(
            "replay.expected", .replay, "3.6", "A replay succeeds with the sequence that its first attempt expected."
        ) { test in
            let session = try await test.session(messages: 2)
            let stored = try await test.access.append([turn(3), turn(4)], to: session.id, expectedSequence: 2)
            _ = try await test.access.append(turn(5), to: session.id)
            try await test.expectUnchanged(session.id, "a replay") {
                test.expect(
                    try await test.access.append(stored.map(again), to: session.id, expectedSequence: 2),
                    equals: stored, "the replay")
            }
        },
        Scenario(
            "replay.is-marked", .replay, "3.6", "A repository says whether an append was a replay.",
            layers: [.repository]
        ) { test in
            let session = try await test.access.create()
            let request = AppendRequest(
                sessionID: session.id, messages: [test.access.pending(turn(1)), test.access.pending(turn(2))],
                time: test.clock.next())
            let first = try await test.store.append(request)
            test.expect(first.isReplay, equals: false, "isReplay of the first attempt")
            var later = request
            later.time = test.clock.next()
            let second = try await test.store.append(later)
            test.expect(second.isReplay, equals: true, "isReplay of the replay")
            test.expect(second.messages, equals: first.messages, "the messages of the replay")
        },
        payload("content") { NewMessage($0.role, $0.content + "!", toolCallID: $0.toolCallID, metadata: $0.metadata) },
        payload("content-normalised") {
            NewMessage($0.role, "e\u{301}", toolCallID: $0.toolCallID, metadata: $0.metadata)
        },
        payload("role") { NewMessage(.assistant, $0.content, toolCallID: $0.toolCallID, metadata: $0.metadata) },
        payload("tool-call-id") { NewMessage($0.role, $0.content, toolCallID: "other", metadata: $0.metadata) },
        payload("tool-call-id-missing") { NewMessage($0.role, $0.content, metadata: $0.metadata) },
        payload("metadata") { NewMessage($0.role, $0.content, toolCallID: $0.toolCallID, metadata: ["n": 2]) },
        payload("metadata-number") {
            NewMessage($0.role, $0.content, toolCallID: $0.toolCallID, metadata: ["n": 1.0])
        },
        payload("metadata-emptied") { NewMessage($0.role, $0.content, toolCallID: $0.toolCallID) },
        Scenario(
            "replay.part", .replay, "3.6",
            "A batch of which only a part is there is a conflict, wherever the part stands."
        ) { test in
            let session = try await test.access.create()
            let stored = try await test.access.append([turn(1), turn(2), turn(3)], to: session.id)
            let parts: [[NewMessage]] = try [
                [again(stored.at(0)), turn(4)], [turn(4), again(stored.at(0))], [again(stored.at(2)), turn(4)],
                [again(stored.at(0)), turn(4), again(stored.at(1))], stored.map(again) + [turn(4)],
            ]
            for (index, batch) in parts.enumerated() {
                try await test.expectUnchanged(session.id, "a batch that is there in part") {
                    await test.expect(.conflict, "part \(index)") { () throws(StoreError) in
                        try await test.access.append(batch, to: session.id, usage: TokenUsage(inputTokens: 1))
                    }
                }
            }
        },
        Scenario(
            "replay.order", .replay, "3.6", "The messages of a batch in another order are a conflict."
        ) { test in
            let session = try await test.access.create()
            let stored = try await test.access.append([turn(1), turn(2), turn(3)], to: session.id)
            try await test.expectUnchanged(session.id, "a batch in another order") {
                await test.expect(.conflict, "the reversed batch") { () throws(StoreError) in
                    try await test.access.append(stored.reversed().map(again), to: session.id)
                }
            }
        },
        Scenario(
            "replay.apart", .replay, "3.6", "Messages that do not stand together are no batch: a conflict."
        ) { test in
            let session = try await test.access.create()
            let stored = try await test.access.append([turn(1), turn(2), turn(3)], to: session.id)
            try await test.expectUnchanged(session.id, "a batch that was not appended together") {
                await test.expect(.conflict, "the first and the third") { () throws(StoreError) in
                    try await test.access.append([again(stored.at(0)), again(stored.at(2))], to: session.id)
                }
            }
        },
        Scenario(
            "replay.rewound", .replay, "3.7", "The id of a removed message counts as new: the batch is stored again."
        ) { test in
            let session = try await test.session(messages: 2)
            let old = try await test.access.append([turn(3), turn(4)], to: session.id)
            _ = try await test.access.rewind(session.id, to: 2)
            _ = try await test.access.append(turn(9), to: session.id)
            let stored = try await test.access.append(old.map(again), to: session.id)
            test.expect(stored.map(\.sequence), equals: [4, 5], "the sequences")
            test.expect(stored.map(\.id), equals: old.map(\.id), "the ids")
            test.expect(
                try await test.access.messages(session.id).map(\.content), equals: ["m1", "m2", "m9", "m3", "m4"],
                "the contents")
        },
        Scenario(
            "replay.rewound-part", .replay, "3.7", "A batch of which a rewind took a part is a conflict."
        ) { test in
            let session = try await test.access.create()
            let stored = try await test.access.append([turn(1), turn(2), turn(3)], to: session.id)
            _ = try await test.access.rewind(session.id, to: 2)
            try await test.expectUnchanged(session.id, "a batch that is there in part") {
                await test.expect(.conflict, "the batch") { () throws(StoreError) in
                    try await test.access.append(stored.map(again), to: session.id)
                }
            }
        },
        Scenario(
            "replay.other-session", .replay, "3.6",
            "The same batch in another session is no replay: it is stored there."
        ) { test in
            let left = try await test.access.create()
            let right = try await test.access.create()
            let stored = try await test.access.append([turn(1), turn(2)], to: left.id)
            let other = try await test.access.append(stored.map(again), to: right.id)
            test.expect(other.map(\.sessionID), equals: [right.id, right.id], "the sessions of the messages")
            test.expect(try await test.access.messages(right.id), equals: other, "the messages of the other session")
            test.expect(try await test.access.messages(left.id), equals: stored, "the messages of the first session")
        },
        Scenario(
            "replay.deleted", .replay, "3.6", "A replay into a session that was deleted throws notFound."
        ) { test in
            let session = try await test.access.create()
            let stored = try await test.access.append([turn(1)], to: session.id)
            _ = try await test.access.delete(session.id)
            await test.expect(.notFound, "a replay") { () throws(StoreError) in
                try await test.access.append(stored.map(again), to: session.id)
            }
        },
        Scenario(
            "replay.race", .replay, "3.6", "The same batch sent by several at once is stored once, and all get it."
        ) { test in
            let session = try await test.access.create()
            let access = test.access
            let batch = (1...3).map { NewMessage(.user, "r\($0)", id: test.newID()) }
            let answers = try await atOnce(8) { _ in
                try await access.append(batch, to: session.id, usage: TokenUsage(inputTokens: 1))
            }
            let stored = try await test.access.messages(session.id)
            test.expect(stored.map(\.id), equals: batch.compactMap(\.id), "the messages")
            for answer in answers { test.expect(answer, equals: stored, "the answer to a sender") }
            test.expect(try await test.current(session.id).usage.inputTokens, equals: 1, "the tokens")
        },
        Scenario(
            "replay.payload-content-end", .replay, "3.6",
            "A content that differs in its last byte alone, of the same length, is another payload."
        ) { test in
            let session = try await test.access.create()
            for length in [1, 64, 5000] {
                let beginning = String(repeating: "x", count: length)
                let stored = try await test.access.append(NewMessage(.user, beginning + "a"), to: session.id)
                try await test.expectUnchanged(session.id, "a refused replay") {
                    await test.expect(.conflict, "another end after \(length) bytes") { () throws(StoreError) in
                        try await test.access.append(
                            NewMessage(.user, beginning + "b", id: stored.id), to: session.id)
                    }
                }
            }
        },
        Scenario(
            "replay.payload-tool-call-id-empty", .replay, "3.6",
            "No tool call id and an empty one are different payloads, whichever was first."
        ) { test in
            let session = try await test.access.create()
            for (first, second) in [(nil, ""), ("", nil)] as [(String?, String?)] {
                let stored = try await test.access.append(
                    NewMessage(.tool, "result", toolCallID: first), to: session.id)
                try await test.expectUnchanged(session.id, "a refused replay") {
                    await test.expect(.conflict, "an id where there was none, or none") { () throws(StoreError) in
                        try await test.access.append(
                            NewMessage(.tool, "result", toolCallID: second, id: stored.id), to: session.id)
                    }
                }
            }
        },
        Scenario(
            "replay.much-later", .replay, "3.6", "A replay finds its messages though thousands were appended since.",
            level: .full, layers: [.repository], timeLimit: .seconds(40)
        ) { test in
            let session = try await test.access.create()
            let first = try await test.access.append([turn(1), turn(2)], to: session.id)
            let batch = min(test.store.capabilities.limits.batchMessages, 2500)
            for start in stride(from: 3, through: 5000, by: batch) {
                _ = try await test.access.append((start..<(start + batch)).map(turn), to: session.id)
            }
            let before = try await test.current(session.id)
            test.expect(try await test.access.append(first.map(again), to: session.id), equals: first, "the replay")
            test.expect(
                try await test.access.append(again(first.at(1)), to: session.id), equals: try first.at(1), "one of them"
            )
            test.expect(try await test.access.get(session.id), equals: before, "the session")
        },
        Scenario(
            "replay.largest", .replay, "3.6", "The largest batch that is declared is known when it is sent again.",
            level: .full, layers: [.repository], timeLimit: .seconds(40)
        ) { test in
            let session = try await test.access.create()
            let count = test.store.capabilities.limits.batchMessages
            let sent = (1...count).map { NewMessage(.user, "m", id: ULID(high: 1, low: UInt64($0))) }
            let stored = try await test.access.append(sent, to: session.id)
            let before = try await test.current(session.id)
            let replayed = try await test.access.append(sent, to: session.id)
            test.expect(replayed == stored, "the replay of \(count) messages is another")
            test.expect(try await test.access.get(session.id), equals: before, "the session")
        },
        Scenario(
            "replay.days-later", .replay, "3.6", "A replay finds its messages after hours, days and years.",
            layers: [.repository]
        ) { test in
            let session = try await test.access.create()
            let stored = try await test.access.append([turn(1), turn(2)], to: session.id)
            for days: Int64 in [1, 8, 31, 366, 4000] {
                test.clock.set(session.createdAt.advanced(by: days * 86_400_000_000))
                try await test.expectUnchanged(session.id, "a replay") {
                    test.expect(
                        try await test.access.append(stored.map(again), to: session.id), equals: stored,
                        "the replay after \(days) days")
                }
            }
        },
    ]

    private static func payload(_ name: String, _ change: @escaping @Sendable (NewMessage) -> NewMessage) -> Scenario {
        Scenario(
            "replay.payload-\(name)", .replay, "3.6",
            "The same id with another payload (\(name)) is a conflict, alone and within a batch."
        ) { test in
            let session = try await test.access.create()
            let original = NewMessage(.user, "\u{E9}", toolCallID: "call", metadata: ["n": 1], id: test.newID())
            let stored = try await test.access.append([turn(1), original], to: session.id)
            var changed = change(original)
            changed.id = original.id
            try await test.expectUnchanged(session.id, "a changed payload") {
                await test.expect(.conflict, "the message alone") { [changed] () throws(StoreError) in
                    try await test.access.append([changed], to: session.id)
                }
                await test.expect(.conflict, "the message in its batch") { [changed] () throws(StoreError) in
                    try await test.access.append([again(stored.at(0)), changed], to: session.id)
                }
            }
        }
    }
}
