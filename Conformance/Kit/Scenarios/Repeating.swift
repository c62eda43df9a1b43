import AgentSessions

extension Scenario {
    /// Changes that are made again after their outcome was unknown: what others did meanwhile must not make them come
    /// true twice, or to a session that they were not meant for.
    static let repeating: [Scenario] = [
        repeating("replay.repeat-there", "A repeated append whose messages are there gives them back.") { test in
            for count in [1, 3] {
                let (session, request) = try await test.stored(messages: count)
                try await test.expectUnchanged(session.id, "a repeat") {
                    let result = try await test.store.append(request)
                    test.expect(result.isReplay, equals: true, "isReplay of the repeat")
                    test.expect(
                        result.messages, equals: try await test.access.messages(session.id, .last, limit: count),
                        "the messages of the repeat")
                }
            }
        },
        repeating("replay.repeat-lost", "A repeated append that was not stored is stored, once.") { test in
            for count in [1, 3] {
                var session = try await test.session(messages: 2)
                let request = test.repeated(messages: count, to: session.id)
                let result = try await test.store.append(request)
                test.expect(result.isReplay, equals: false, "isReplay of the repeat")
                test.expect(result.messages.map(\.id), equals: request.messages.map(\.id), "the messages")
                session.messageCount += count
                session.usage = TokenUsage(inputTokens: 100)
                session.updatedAt = request.time
                test.expect(try await test.access.get(session.id), equals: session, "the session")
                _ = try await test.store.append(request)
                test.expect(try await test.access.get(session.id), equals: session, "the session after another repeat")
            }
        },
        repeating(
            "replay.repeat-taken-back",
            "A repeated append whose messages a rewind may have taken back is outcomeUnknown, and changes nothing."
        ) { test in
            for (count, sequence) in [(1, 2), (3, 2), (1, 0), (3, 0)] {
                let (session, request) = try await test.stored(messages: count)
                _ = try await test.access.rewind(session.id, to: sequence)
                try await test.expectUndecided(request, "\(count) messages taken back to \(sequence)")
                // Nor after others have come in their place.
                _ = try await test.access.append([turn(7), turn(8), turn(9), turn(10)], to: session.id)
                try await test.expectUndecided(request, "\(count) messages with others in their place")
                var expecting = request
                expecting.expectedSequence = 2
                try await test.expectUndecided(expecting, "\(count) messages that expected a sequence")
            }
        },
        repeating(
            "replay.repeat-cut",
            "A repeated append of which a rewind may have left a part is outcomeUnknown, and changes nothing."
        ) { test in
            for sequence in [3, 4] {
                let (session, request) = try await test.stored(messages: 3)
                _ = try await test.access.rewind(session.id, to: sequence)
                try await test.expectUndecided(request, "a batch of three cut at sequence \(sequence)")
            }
        },
        repeating(
            "replay.repeat-conflict",
            "A repeated append with an id that another message had before it is a conflict: it was never stored."
        ) { test in
            let session = try await test.session(messages: 2)
            let taken = try await test.access.messages(session.id).at(1)
            let other = PendingMessage(id: taken.id, role: .user, content: "another")
            for messages in [[other], [other, test.access.pending(turn(3))]] {
                let request = AppendRequest(
                    sessionID: session.id, messages: messages, time: test.clock.next(), mayBeStored: true)
                try await test.expectUnchanged(session.id, "a refused repeat") {
                    await test.expect(.conflict, "the repeat") { () throws(StoreError) in
                        try await test.store.append(request)
                    }
                }
            }
        },
        Scenario(
            "delete.created-at", .delete, "3.12",
            "A deletion that names the time of creation leaves a session alone that was created at another.",
            layers: [.repository]
        ) { test in
            let session = try await test.session(messages: 2)
            for offset: Int64 in [-1, 1, 1_000_000] {
                try await test.expectUnchanged(session.id, "a deletion of another session") {
                    let existed = try await test.store.delete(
                        session.id, createdAt: session.createdAt.advanced(by: offset))
                    test.expect(!existed, "the deletion says that there was such a session, \(offset) µs off")
                }
            }
            test.expect(try await test.access.list(), equals: [session], "the list")
            test.expect(
                try await test.store.delete(session.id, createdAt: session.createdAt),
                "the deletion says that there was no such session")
            test.expect(try await test.access.snapshot(of: session.id), equals: nil, "the session")
            test.expect(
                try await !test.store.delete(session.id, createdAt: session.createdAt),
                "there is nothing to delete twice")
            test.expect(try await test.access.list(), equals: [], "the list in the end")
        },
        Scenario(
            "faults.append-taken-back", .faults, "3.12",
            "An append of unknown outcome that another rewound meanwhile is outcomeUnknown, and counted once.",
            layers: [.service]
        ) { test in
            let session = try await test.session(messages: 2)
            let access = test.access
            let store = FaultyStore(
                test.store,
                [
                    .afterAndThen(.outcomeUnknown) { () throws(StoreError) in
                        _ = try await access.rewind(session.id, to: 2)
                    }
                ])
            await test.expect(.outcomeUnknown, "the append") { () throws(StoreError) in
                try await retrying(store, clock: test.clock).append(
                    [turn(3), turn(4)], to: session.id, usage: TokenUsage(inputTokens: 100), expectedSequence: nil)
            }
            let after = try await test.current(session.id)
            test.expect(after.messageCount, equals: 2, "messages")
            test.expect(after.usage, equals: TokenUsage(inputTokens: 100), "the usage")
        },
        Scenario(
            "faults.delete-made-again", .faults, "3.12",
            "A deletion of unknown outcome leaves alone a session that another made under the id meanwhile.",
            layers: [.service]
        ) { test in
            let access = test.access
            for isBetween in [false, true] {
                let id = try await test.session(messages: 2).id
                // Once the deletion was made, and once it was not, and another deletes the session before the repeat.
                let faults: [FaultyStore.Fault] =
                    isBetween
                    ? [
                        .before(.outcomeUnknown),
                        .first { () throws(StoreError) in
                            _ = try await access.delete(id)
                            _ = try await access.create("another", id: id)
                        },
                    ]
                    : [
                        .afterAndThen(.outcomeUnknown) { () throws(StoreError) in
                            _ = try await access.create("another", id: id)
                        }
                    ]
                try await retrying(FaultyStore(test.store, faults), clock: test.clock).delete(id)
                test.expect(try await test.access.get(id)?.actorName, equals: "another", "the actor")
            }
        },
    ]

    private static func repeating(_ id: String, _ rule: String, _ body: @escaping Body) -> Scenario {
        Scenario(id, .replay, "3.12", rule, layers: [.repository], body)
    }
}

extension ScenarioContext {
    /// An append that an earlier attempt may have stored.
    fileprivate func repeated(messages count: Int, to id: ULID) -> AppendRequest {
        AppendRequest(
            sessionID: id, messages: (0..<count).map { access.pending(turn($0)) },
            usage: TokenUsage(inputTokens: 100), time: clock.next(), mayBeStored: true)
    }

    /// A session of two messages, to which an append was made that is to be repeated.
    fileprivate func stored(messages count: Int) async throws -> (Session, AppendRequest) {
        let session = try await session(messages: 2)
        let request = repeated(messages: count, to: session.id)
        var first = request
        first.mayBeStored = false
        _ = try await store.append(first)
        return (session, request)
    }

    fileprivate func expectUndecided(_ request: AppendRequest, _ what: String) async throws {
        try await expectUnchanged(request.sessionID, what) {
            await expect(.outcomeUnknown, what) { () throws(StoreError) in try await store.append(request) }
        }
    }
}
