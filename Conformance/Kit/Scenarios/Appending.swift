import AgentSessions

extension Scenario {
    static let appending: [Scenario] = [
        Scenario(
            "append.fields", .append, "2",
            "A stored message has the id, role, content, tool call id and metadata that "
                + "were sent, its session and its sequence."
        ) { test in
            let session = try await test.access.create()
            let sent = NewMessage(
                .tool, "result", toolCallID: "call_1", metadata: ["name": "search", "ok": true], id: test.newID())
            let stored = try await test.access.append(sent, to: session.id)
            test.expect(
                stored,
                equals: SessionMessage(
                    id: try test.require(sent.id, "an id"), sessionID: session.id, sequence: 1, role: .tool,
                    content: "result", toolCallID: "call_1", metadata: sent.metadata, createdAt: stored.createdAt),
                "the message that append gives")
            test.expect(try await test.access.messages(session.id), equals: [stored], "the messages")
        },
        Scenario(
            "append.sequences", .append, "2", "Sequences are 1, 2, 3 … with no gap, one call or many."
        ) { test in
            let session = try await test.access.create()
            var stored: [SessionMessage] = []
            for count in [1, 1, 3, 1, 2] {
                stored += try await test.access.append((1...count).map(turn), to: session.id)
            }
            test.expect(stored.map(\.sequence), equals: Array(1...8), "the sequences that append gives")
            test.expect(try await test.access.messages(session.id), equals: stored, "the messages")
        },
        Scenario(
            "append.order-not-by-id", .append, "3.7",
            "Messages stand in the order of appending, whatever the order of their ids."
        ) { test in
            let session = try await test.access.create()
            let ids = (0..<12).map { _ in test.newID() }.sorted(by: >)
            var stored: [SessionMessage] = []
            for id in ids {
                stored.append(try await test.access.append(NewMessage(.user, "\(id)", id: id), to: session.id))
            }
            test.expect(try await test.access.messages(session.id).map(\.id), equals: ids, "the ids in order")
            test.expect(
                try await test.access.messages(session.id, .last, limit: 5), equals: stored.suffix(5), "the last")
        },
        Scenario(
            "append.order-not-by-clock", .append, "3.7",
            "Messages stand in the order of appending, though the clock goes backwards."
        ) { test in
            let session = try await test.access.create()
            test.clock.setStep(-3_600_000_000)
            var stored: [SessionMessage] = []
            for number in 1...6 { stored.append(try await test.access.append(turn(number), to: session.id)) }
            test.expect(stored.map(\.sequence), equals: Array(1...6), "the sequences")
            test.expect(try await test.access.messages(session.id), equals: stored, "the messages")
            test.expect(
                try await test.access.messages(session.id, .last, limit: 2), equals: stored.suffix(2), "the last")
        },
        Scenario(
            "append.count", .append, "2",
            "The session counts its messages: every append raises the count by its length."
        ) { test in
            let session = try await test.access.create()
            var count = 0
            for length in [1, 4, 2] {
                _ = try await test.access.append((1...length).map(turn), to: session.id)
                count += length
                test.expect(try await test.current(session.id).messageCount, equals: count, "message_count")
                test.expect(try await test.service.count(session.id), equals: count, "count")
            }
        },
        Scenario(
            "append.touches-session-once", .append, "3.6",
            "An append changes the count and the revision of the session and no other field."
        ) { test in
            var session = try await test.access.create("local/a", metadata: ["keep": "me"])
            session = try await test.access.addUsage(
                TokenUsage(inputTokens: 1, outputTokens: 2, estimatedCost: 3), to: session.id)
            let stored = try await test.access.append([turn(1), turn(2)], to: session.id)
            var expected = session
            expected.messageCount = 2
            expected.updatedAt = try stored.at(0).createdAt
            test.expect(try await test.current(session.id), equals: expected, "the session")
            test.expect(try stored.at(0).createdAt > session.updatedAt, "the revision must have grown")
        },
        Scenario(
            "append.created-at-is-revision", .append, "2",
            "The time of a message is the revision of the session that it made; a batch has one."
        ) { test in
            let session = try await test.access.create()
            for length in [1, 3] {
                let stored = try await test.access.append((1...length).map(turn), to: session.id)
                let revision = try await test.current(session.id).revision
                test.expect(
                    stored.map(\.createdAt), equals: Array(repeating: revision, count: length), "the times")
            }
        },
        Scenario(
            "append.absent", .append, "3.6", "Appending to an absent session throws notFound and makes no session."
        ) { test in
            _ = try await test.session(messages: 1)
            let id = test.newID()
            await test.expect(.notFound, "an absent session") { () throws(StoreError) in
                try await test.access.append([turn(1), turn(2)], to: id)
            }
            test.expect(try await test.access.get(id), equals: nil, "get")
            test.expect(try await test.access.list().count, equals: 1, "sessions in the list")
            let made = try await test.access.create(id: id)
            test.expect(try await test.access.messages(made.id), equals: [], "the messages of a session made later")
        },
        Scenario(
            "append.ids-per-session", .append, "2",
            "A message id is a key within its session: several sessions may have messages of the same id."
        ) { test in
            let id = test.newID()
            var stored: [SessionMessage] = []
            for index in 1...4 {
                let session = try await test.access.create()
                stored.append(try await test.access.append(NewMessage(.user, "in \(index)", id: id), to: session.id))
            }
            for message in stored {
                test.expect(try await test.access.messages(message.sessionID), equals: [message], "the messages")
            }
        },
        Scenario(
            "append.ids-of-sessions", .append, "2", "A message may have the id of a session, its own or another's."
        ) { test in
            let session = try await test.access.create()
            let other = try await test.access.create()
            let stored = try await test.access.append(
                [NewMessage(.user, "a", id: session.id), NewMessage(.user, "b", id: other.id)], to: session.id)
            test.expect(try await test.access.messages(session.id), equals: stored, "the messages")
            test.expect(try await test.access.messages(other.id), equals: [], "the other's messages")
            // In one of the two the ids are in the order of the sequences, and in the other against it.
            let second = try await test.access.append(
                [NewMessage(.user, "b", id: other.id), NewMessage(.user, "a", id: session.id)], to: other.id)
            test.expect(try await test.access.messages(other.id), equals: second, "the other's messages in the end")
        },
        Scenario(
            "append.repeated-content", .append, "3.6",
            "Messages of the same content and different ids are different messages."
        ) { test in
            let session = try await test.access.create()
            for _ in 0..<3 { _ = try await test.access.append(NewMessage(.user, "again"), to: session.id) }
            let stored = try await test.access.messages(session.id)
            test.expect(stored.map(\.content), equals: ["again", "again", "again"], "the contents")
            test.expect(Set(stored.map(\.id)).count, equals: 3, "different ids")
        },
        Scenario(
            "append.interleaved", .append, "2", "Each session has sequences of its own, however appends come in turns."
        ) { test in
            var sessions: [Session] = []
            for _ in 0..<4 { sessions.append(try await test.access.create()) }
            for round in 1...5 {
                for (index, session) in sessions.enumerated() {
                    let stored = try await test.access.append(
                        NewMessage(.user, "\(index)/\(round)"), to: session.id)
                    test.expect(stored.sequence, equals: round, "the sequence of round \(round) in session \(index)")
                }
            }
            for (index, session) in sessions.enumerated() {
                test.expect(
                    try await test.access.messages(session.id).map(\.content),
                    equals: (1...5).map { "\(index)/\($0)" }, "the contents of session \(index)")
            }
        },
        Scenario(
            "append.minted-ids", .append, "3.1", "A service mints the ids that a caller leaves out, each a new one.",
            layers: [.service]
        ) { test in
            let session = try await test.access.create()
            let own = test.newID()
            let stored = try await test.service.append(
                [turn(1), NewMessage(.user, "own", id: own), turn(2)], to: session.id)
            test.expect(try stored.at(1).id, equals: own, "the id that the caller chose")
            test.expect(Set(stored.map(\.id)).count, equals: 3, "different ids")
            test.expect(try stored.at(0).id < stored.at(2).id, "minted ids must grow")
        },
        Scenario(
            "append.first-write", .append, "3.6", "An append that was acknowledged is in the very next read."
        ) { test in
            let session = try await test.access.create()
            for number in 1...20 {
                let stored = try await test.access.append(turn(number), to: session.id)
                let page = try await test.access.page(session.id, .last, limit: 1)
                test.expect(page?.messages, equals: [stored], "the last message after append \(number)")
                test.expect(page?.session.messageCount, equals: number, "the count after append \(number)")
            }
        },
        Scenario(
            "append.keeps-changes", .append, "3.6",
            "An append leaves the actor, metadata and usage as changes made them."
        ) { test in
            let made = try await test.access.create("first", metadata: ["first": true])
            _ = try await test.access.update(made.id, actorName: "second", metadata: ["second": true])
            var expected = try await test.access.addUsage(TokenUsage(inputTokens: 5, estimatedCost: 1), to: made.id)
            let stored = try await test.access.append(turn(1), to: made.id)
            expected.messageCount = 1
            expected.updatedAt = stored.createdAt
            test.expect(try await test.current(made.id), equals: expected, "the session")
            test.expectIDs(
                try await test.access.list(SessionFilter(actorName: "second")), equal: [expected],
                "the list of the new actor")
        },
        Scenario(
            "append.sequences-after-refusal", .append, "2", "An append that is refused uses up no sequence."
        ) { test in
            let session = try await test.access.create()
            let first = try await test.access.append(turn(1), to: session.id)
            await test.expect(.conflict, "another expected sequence") { () throws(StoreError) in
                try await test.access.append([turn(2), turn(3)], to: session.id, expectedSequence: 7)
            }
            test.expect(try await test.access.append(turn(2), to: session.id).sequence, equals: 2, "after a conflict")
            await test.expect(.conflict, "another payload") { () throws(StoreError) in
                try await test.access.append(NewMessage(.user, "other", id: first.id), to: session.id)
            }
            test.expect(try await test.access.append(turn(3), to: session.id).sequence, equals: 3, "after another")
            await test.expect(.invalidArgument, "negative usage") { () throws(StoreError) in
                try await test.access.append([turn(4)], to: session.id, usage: TokenUsage(inputTokens: -1))
            }
            test.expect(try await test.access.append(turn(4), to: session.id).sequence, equals: 4, "after bad usage")
            test.expect(
                try await test.access.messages(session.id).map(\.sequence), equals: [1, 2, 3, 4], "the sequences")
        },
        Scenario("append.sequences-after-replay", .append, "2", "A replay uses up no sequence.") { test in
            let session = try await test.access.create()
            for number in 1...4 {
                let stored = try await test.access.append(turn(number), to: session.id)
                test.expect(stored.sequence, equals: number, "the sequence after a replay")
                _ = try await test.access.append(again(stored), to: session.id)
            }
            test.expect(
                try await test.access.messages(session.id).map(\.sequence), equals: [1, 2, 3, 4], "the sequences")
        },
    ]
}
