import AgentSessions

extension Scenario {
    static let batches: [Scenario] = [
        Scenario("batch.contiguous", .batch, "3.6", "A batch gets contiguous sequences in the order it was given.") {
            test in
            let session = try await test.session(messages: 3)
            let sent = (1...10).map { NewMessage(.user, "b\($0)", id: test.newID()) }
            let stored = try await test.access.append(sent, to: session.id)
            test.expect(stored.map(\.sequence), equals: Array(4...13), "the sequences")
            test.expect(stored.map(\.id), equals: sent.compactMap(\.id), "the ids")
            test.expect(try await test.access.messages(session.id, .after(3)), equals: stored, "the messages")
        },
        Scenario("batch.one-revision", .batch, "3.6", "A batch moves updated_at once.", layers: [.repository]) { test in
            let session = try await test.access.create()
            test.clock.set(session.createdAt, step: 0)
            let stored = try await test.access.append((1...5).map(turn), to: session.id)
            let next = session.createdAt.advanced(by: 1)
            test.expect(try await test.current(session.id).updatedAt, equals: next, "the revision")
            test.expect(Set(stored.map(\.createdAt)), equals: [next], "the times")
        },
        Scenario(
            "batch.largest", .batch, "2", "The largest batch that is declared is stored whole.", level: .full,
            timeLimit: .seconds(40)
        ) { test in
            let session = try await test.access.create()
            let count = test.store.capabilities.limits.batchMessages
            let stored = try await test.access.append((1...count).map(turn), to: session.id)
            test.expect(stored.count, equals: count, "messages that append gives")
            test.expect(stored.last?.sequence, equals: count, "the last sequence")
            test.expect(try await test.current(session.id).messageCount, equals: count, "the count")
            for sequence in [0, count / 2, count - 2] where sequence >= 0 {
                test.expect(
                    try await test.access.messages(session.id, .after(sequence), limit: 2),
                    are: stored.dropFirst(sequence).prefix(2), "after \(sequence)")
            }
        },
        Scenario("batch.expected", .batch, "3.6", "A batch that names the sequence it follows is stored there.") {
            test in
            let session = try await test.access.create()
            let first = try await test.access.append([turn(1), turn(2)], to: session.id, expectedSequence: 0)
            let second = try await test.access.append([turn(3)], to: session.id, expectedSequence: 2)
            test.expect(try await test.access.messages(session.id), equals: first + second, "the messages")
        },
        Scenario(
            "batch.stale", .batch, "3.6",
            "A batch that expects another last sequence is a conflict and stores nothing, "
                + "no message and no usage."
        ) { test in
            let session = try await test.session(messages: 3)
            for expected in [0, 2, 4, -1, .max] {
                try await test.expectUnchanged(session.id, "a stale batch") {
                    await test.expect(.conflict, "the sequence \(expected)") { () throws(StoreError) in
                        try await test.access.append(
                            [turn(4), turn(5)], to: session.id, usage: TokenUsage(inputTokens: 1),
                            expectedSequence: expected)
                    }
                }
            }
        },
        Scenario(
            "batch.stale-names-actual", .batch, "3.6", "The conflict of a stale batch says which the last sequence is."
        ) { test in
            let session = try await test.session(messages: 37)
            let error = await test.expect(.conflict, "a stale batch") { () throws(StoreError) in
                try await test.access.append(turn(4), to: session.id, expectedSequence: 12)
            }
            if let error {
                test.expect(error.message.contains("37"), "the message must name the sequence 37: \(error.message)")
            }
        },
        Scenario(
            "batch.race", .batch, "3.6",
            "Of several batches that expect the same sequence at once, one is stored and the others are conflicts."
        ) { test in
            let session = try await test.session(messages: 2)
            let access = test.access
            let made = try await atOnce(8) { index -> [SessionMessage]? in
                do throws(StoreError) {
                    return try await access.append(
                        [NewMessage(.user, "\(index)a"), NewMessage(.user, "\(index)b")], to: session.id,
                        expectedSequence: 2)
                } catch {
                    test.expect(error.code, equals: .conflict, "the error of a racer who lost")
                    return nil
                }
            }
            let winners = made.compactMap { $0 }
            test.expect(winners.count, equals: 1, "racers who succeeded")
            test.expect(
                try await test.access.messages(session.id, .after(2)), equals: winners.first ?? [], "the messages")
        },
        Scenario(
            "batch.all-or-nothing", .batch, "3.6",
            "A batch of which the last message cannot be stored leaves none of the others."
        ) { test in
            let session = try await test.session(messages: 2)
            let taken = try await test.access.append(turn(3), to: session.id)
            try await test.expectUnchanged(session.id, "a batch that is refused") {
                await test.expect(.conflict, "an id that is taken, last in the batch") { () throws(StoreError) in
                    try await test.access.append(
                        [turn(4), turn(5), NewMessage(.user, "other", id: taken.id)], to: session.id,
                        usage: TokenUsage(inputTokens: 1, outputTokens: 1, estimatedCost: 1))
                }
            }
        },
        Scenario(
            "batch.id-twice", .batch, "3.6", "A batch with an id twice is refused before anything is stored.",
            layers: [.service]
        ) { test in
            let session = try await test.session(messages: 1)
            let id = test.newID()
            try await test.expectUnchanged(session.id, "a batch with an id twice") {
                await test.expect(.invalidArgument, "an id twice") { () throws(StoreError) in
                    try await test.service.append(
                        [NewMessage(.user, "a", id: id), turn(2), NewMessage(.user, "a", id: id)], to: session.id)
                }
            }
        },
        Scenario("batch.empty", .batch, "3.6", "An empty batch is refused.", layers: [.service]) { test in
            let session = try await test.session(messages: 1)
            try await test.expectUnchanged(session.id, "an empty batch") {
                await test.expect(.invalidArgument, "no message") { () throws(StoreError) in
                    try await test.service.append([], to: session.id)
                }
            }
        },
        Scenario(
            "batch.mixed-sizes", .batch, "3.6", "Messages of very different sizes in one batch keep their places.",
            level: .full
        ) { test in
            let session = try await test.access.create()
            let most = min(test.store.capabilities.limits.contentBytes, 300_000)
            let sizes = [0, 1, most, 5, 2000, 4096, most / 2, 0]
            let stored = try await test.access.append(
                sizes.map { NewMessage(.user, String(repeating: "é", count: $0 / 2)) }, to: session.id)
            test.expect(
                stored.map(\.content.utf8.count), equals: sizes.map { $0 / 2 * 2 }, "the sizes that append gives")
            test.expect(try await test.access.messages(session.id) == stored, "the messages are not those appended")
        },
    ]
}
