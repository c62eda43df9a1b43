import AgentSessions

extension Scenario {
    /// What wrong stores got past the others with.
    static let further: [Scenario] = [
        Scenario(
            "list.more-than-a-thousand", .list, "3.3", "A list is as long as the limit allows, beyond a thousand too.",
            level: .full, layers: [.repository], timeLimit: .seconds(60)
        ) { test in
            let store = test.store
            let start = test.clock.next()
            let ids = (0..<1010).map { _ in test.newID() }
            _ = try await atOnce(10) { worker in
                for index in stride(from: worker, to: ids.count, by: 10) {
                    _ = try await store.create(
                        NewSession(
                            id: ids[index], actorName: "long", createdAt: start.advanced(by: Int64(index))))
                }
            }
            let expected = Array(ids.reversed())
            for filter in [SessionFilter(), SessionFilter(actorName: "long"), SessionFilter(createdFrom: start)] {
                test.expect(
                    try await test.access.list(filter, limit: 2000).map(\.id), equals: expected, "a list of all")
            }
            test.expect(
                try await test.access.list(offset: 1005, limit: 2000).map(\.id), equals: expected.suffix(5),
                "beyond a thousand by offset")
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
            "record.metadata-array-order", .record, "2", "Arrays in metadata keep their order and their repetitions."
        ) { test in
            let metadata: JSONObject = [
                "texts": ["b", "a", "c", "a", ""], "numbers": [3, 1, 2, 1], "mixed": ["b", 1, .null, "a", [2, 1]],
            ]
            let session = try await test.access.create(metadata: metadata)
            test.expect(try await test.current(session.id).metadata, equals: metadata, "the session's metadata")
            let message = NewMessage(.user, "x", metadata: metadata)
            _ = try await test.access.append(message, to: session.id)
            test.expect(
                try await test.access.messages(session.id).map(\.metadata), equals: [metadata], "the message's metadata"
            )
        },
        Scenario(
            "record.metadata-texts-like-values", .record, "2",
            "Texts in metadata that look like other values stay texts."
        ) { test in
            let texts = ["1", "-0", "1.0", "1e5", "true", "null", "[]", "{}", "2026-01-01T00:00:00Z", "NaN"]
            let metadata = JSONObject(members: texts.map { ($0, .string($0)) })
            let session = try await test.access.create(metadata: metadata)
            test.expect(try await test.current(session.id).metadata, equals: metadata, "the session's metadata")
            _ = try await test.access.append(NewMessage(.user, "x", metadata: metadata), to: session.id)
            test.expect(
                try await test.access.messages(session.id).map(\.metadata), equals: [metadata], "the message's metadata"
            )
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
        Scenario(
            "reopen.empty-sessions", .reopen, "3.1",
            "A session without messages, and one that was rewound to none, is there after the store was opened again.",
            requires: [.ability(.reopen)]
        ) { test in
            let empty = try await test.access.create("empty")
            let cleared = try await test.access.rewind(try await test.session(messages: 2).id, to: 0)
            try await test.reopen()
            test.expect(try await test.access.get(empty.id), equals: empty, "the session without messages")
            test.expect(try await test.access.get(cleared.id), equals: cleared, "the session that was cleared")
            test.expect(try await test.access.list().count, equals: 2, "sessions in the list")
        },
        Scenario(
            "record.restored-in-list", .record, "3.10",
            "A restored session stands in the list by its own time of creation, not by that of the restore.",
            layers: [.repository]
        ) { test in
            let made = try await test.sessions(3)
            var expected = made
            for offset in [-5000, 5_000_000, 1] as [Int64] {
                let time = made[1].createdAt.advanced(by: offset)
                let session = Session(
                    id: test.newID(), actorName: made[1].actorName, createdAt: time, updatedAt: time.advanced(by: 7))
                try await test.store.restore(session, messages: ListedMessages([]))
                expected.append(session)
            }
            expected.sort { $0.position > $1.position }
            test.expect(try await test.access.list(), equals: expected, "the list")
            test.expect(
                try await test.access.list(SessionFilter(actorName: made[1].actorName), limit: 4),
                equals: Array(expected.prefix(4)), "a page of the actor's list")
        },
        Scenario(
            "capabilities.same-after-reopen", .capabilities, "3",
            "A store declares the same when it was opened again in the same way.", requires: [.ability(.reopen)],
            layers: [.repository]
        ) { test in
            let before = test.store.capabilities
            try await test.reopen()
            test.expect(test.store.capabilities, equals: before, "the capabilities")
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
        Scenario(
            "instances.see-absence-end", .instances, "3.2",
            "What one instance found absent, or listed, it sees as it is after another instance changed it.",
            requires: [.ability(.multipleInstances)]
        ) { test in
            let id = test.newID()
            let second = try await test.secondInstance()
            for round in 1...2 {
                test.expect(try await test.access.get(id), equals: nil, "get before round \(round)")
                test.expect(try await test.access.page(id)?.session, equals: nil, "the page before round \(round)")
                test.expect(try await test.access.list(), equals: [], "the list before round \(round)")
                let made = try await second.create(id: id)
                test.expect(try await test.access.get(id), equals: made, "get in round \(round)")
                test.expect(try await test.access.page(id)?.session, equals: made, "the page in round \(round)")
                test.expect(try await test.access.list(), equals: [made], "the list in round \(round)")
                let changed = try await second.update(id, actorName: "changed")
                test.expect(try await test.access.list(), equals: [changed], "the changed list in round \(round)")
                _ = try await second.delete(id)
            }
            test.expect(try await test.access.get(id), equals: nil, "get in the end")
            test.expect(try await test.access.list(), equals: [], "the list in the end")
        },
    ]
}
