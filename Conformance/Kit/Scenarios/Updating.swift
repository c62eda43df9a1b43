import AgentSessions

extension Scenario {
    static let updating: [Scenario] = [
        Scenario("update.actor", .update, "3.4", "A new actor name leaves the metadata as it is.") { test in
            let session = try await test.access.create("old", metadata: ["keep": ["me"]])
            let changed = try await test.access.update(session.id, actorName: "new")
            var expected = session
            expected.actorName = "new"
            expected.updatedAt = changed.updatedAt
            test.expect(changed, equals: expected, "the session that update gives")
            test.expect(try await test.access.get(session.id), equals: expected, "the session that get gives")
        },
        Scenario(
            "update.metadata", .update, "3.4", "New metadata takes the place of all there was, and leaves the actor."
        ) { test in
            let session = try await test.access.create("keep", metadata: ["a": 1, "b": ["c": 2]])
            let changed = try await test.access.update(session.id, metadata: ["b": ["d": 3]])
            test.expect(changed.metadata, equals: ["b": ["d": 3]], "the metadata that update gives")
            test.expect(changed.actorName, equals: "keep", "the actor")
            test.expect(try await test.access.get(session.id), equals: changed, "the session that get gives")
        },
        Scenario("update.metadata-emptied", .update, "3.4", "Empty metadata is metadata: it removes what there was.") {
            test in
            let session = try await test.access.create("a", metadata: ["a": 1])
            _ = try await test.access.update(session.id, metadata: [:])
            test.expect(try await test.current(session.id).metadata, equals: [:], "the metadata")
        },
        Scenario("update.both", .update, "3.4", "Actor and metadata change together, in one revision.") { test in
            let session = try await test.session(messages: 2)
            let changed = try await test.access.update(session.id, actorName: "b", metadata: ["x": true])
            var expected = session
            expected.actorName = "b"
            expected.metadata = ["x": true]
            expected.updatedAt = changed.updatedAt
            test.expect(
                try await test.access.snapshot(of: session.id)?.session, equals: expected, "the session")
            test.expect(try await test.access.messages(session.id).count, equals: 2, "messages")
        },
        Scenario("update.same-values", .update, "2", "A change to the values that are there is a change.") { test in
            let session = try await test.access.create("a", metadata: ["a": 1])
            let changed = try await test.access.update(session.id, actorName: "a", metadata: ["a": 1])
            test.expect(changed.revision > session.revision, "the revision must grow")
            test.expect(try await test.access.get(session.id), equals: changed, "the session")
        },
        Scenario("update.absent", .update, "3.4", "A change of an absent session throws notFound and makes none.") {
            test in
            let id = test.newID()
            await test.expect(.notFound, "an absent session") { () throws(StoreError) in
                try await test.access.update(id, actorName: "a", metadata: ["a": 1])
            }
            await test.expect(.notFound, "an absent session with an expectation") { () throws(StoreError) in
                try await test.access.update(id, actorName: "a", expectedRevision: test.clock.next())
            }
            test.expect(try await test.access.list(), equals: [], "the list")
        },
        Scenario(
            "update.expected", .update, "3.4", "A change that expects the revision that is there is made."
        ) { test in
            let session = try await test.access.create()
            let first = try await test.access.update(
                session.id, metadata: ["n": 1], expectedRevision: session.revision)
            let second = try await test.access.update(session.id, metadata: ["n": 2], expectedRevision: first.revision)
            test.expect(try await test.access.get(session.id), equals: second, "the session")
        },
        Scenario(
            "update.stale", .update, "3.4",
            "A change that expects another revision, older or newer by a microsecond, is "
                + "a conflict and changes nothing."
        ) { test in
            var session = try await test.access.create("a", metadata: ["a": 1])
            session = try await test.access.update(session.id, metadata: ["a": 2], expectedRevision: session.revision)
            for expected in [
                session.createdAt, session.revision.advanced(by: -1), session.revision.advanced(by: 1), .latest,
                .earliest,
            ] {
                try await test.expectUnchanged(session.id, "a stale change") {
                    await test.expect(.conflict, "the revision \(expected)") { () throws(StoreError) in
                        try await test.access.update(
                            session.id, actorName: "b", metadata: ["b": 1], expectedRevision: expected)
                    }
                }
            }
        },
        staleAfter("append") { access, id throws(StoreError) in _ = try await access.append(turn(1), to: id) },
        staleAfter("usage") { access, id throws(StoreError) in
            _ = try await access.addUsage(TokenUsage(inputTokens: 1), to: id)
        },
        staleAfter("update") { access, id throws(StoreError) in _ = try await access.update(id, metadata: [:]) },
        staleAfter("rewind") { access, id throws(StoreError) in _ = try await access.rewind(id, to: 1) },
        Scenario(
            "update.race", .update, "3.4",
            "Of several changes that expect the same revision at once, one is made and the others are conflicts."
        ) { test in
            let session = try await test.access.create()
            let access = test.access
            let made = try await atOnce(8) { index -> Session? in
                do throws(StoreError) {
                    return try await access.update(
                        session.id, metadata: ["racer": .integer(Int64(index))], expectedRevision: session.revision)
                } catch {
                    test.expect(error.code, equals: .conflict, "the error of a racer who lost")
                    return nil
                }
            }
            let winners = made.compactMap { $0 }
            test.expect(winners.count, equals: 1, "racers who succeeded")
            test.expect(try await test.access.get(session.id), equals: winners.first, "the session")
        },
        Scenario(
            "update.no-lost-update", .update, "3.4",
            "Read, change and write with the revision that was read, tried again on conflict, loses no change."
        ) { test in
            let session = try await test.access.create("a", metadata: ["n": 0])
            let access = test.access
            _ = try await atOnce(4) { _ in
                var done = 0
                for _ in 0..<500 where done < 5 {
                    guard let found = try await access.get(session.id) else { return }
                    let next = (found.metadata["n"]?.integerValue ?? -100) + 1
                    do throws(StoreError) {
                        _ = try await access.update(
                            session.id, metadata: ["n": .integer(next)], expectedRevision: found.revision)
                        done += 1
                    } catch {
                        if error.code != .conflict { throw error }
                    }
                }
            }
            test.expect(try await test.current(session.id).metadata, equals: ["n": 20], "the count of changes")
        },
        Scenario(
            "update.nothing", .update, "3.4", "A change of nothing is refused, and leaves the session.",
            layers: [.service]
        ) { test in
            let session = try await test.session(messages: 1)
            try await test.expectUnchanged(session.id, "a change of nothing") {
                await test.expect(.invalidArgument, "no actor and no metadata") { () throws(StoreError) in
                    try await test.service.update(session.id)
                }
            }
        },
        Scenario(
            "update.all-in-one", .update, "3.4", "A repository makes actor, metadata and usage one change.",
            layers: [.repository]
        ) { test in
            let session = try await test.access.create("a", metadata: ["a": 1])
            _ = try await test.access.addUsage(TokenUsage(inputTokens: .max - 1), to: session.id)
            let change = SessionChange(
                actorName: "b", metadata: ["b": 2], usage: TokenUsage(inputTokens: 1), time: test.clock.next())
            let changed = try await test.store.update(session.id, change)
            test.expect(changed.actorName, equals: "b", "the actor")
            test.expect(changed.metadata, equals: ["b": 2], "the metadata")
            test.expect(changed.usage.inputTokens, equals: .max, "the tokens")
            try await test.expectUnchanged(session.id, "a change whose usage overflows") {
                await test.expect(.limitExceeded, "the overflow") { () throws(StoreError) in
                    try await test.store.update(session.id, change)
                }
            }
        },
        Scenario(
            "update.all-totals", .update, "3.8",
            "A change that names an actor or metadata, or both, adds each of the three totals too.",
            layers: [.repository]
        ) { test in
            let session = try await test.session("first", messages: 2)
            var expected = try await test.current(session.id)
            for (actor, metadata) in [("a", nil), (nil, ["n": 1]), ("b", ["n": 2]), (nil, nil)]
                as [(String?, JSONObject?)]
            {
                let usage = TokenUsage(inputTokens: 1, outputTokens: 20, estimatedCost: 300)
                let changed = try await test.store.update(
                    session.id,
                    SessionChange(actorName: actor, metadata: metadata, usage: usage, time: test.clock.next()))
                if let actor { expected.actorName = actor }
                if let metadata { expected.metadata = metadata }
                expected.usage.inputTokens += 1
                expected.usage.outputTokens += 20
                expected.usage.estimatedCost += 300
                expected.updatedAt = changed.updatedAt
                test.expect(changed, equals: expected, "the session that update gives")
                test.expect(try await test.access.get(session.id), equals: expected, "the session that get gives")
            }
        },
    ]

    private static func staleAfter(
        _ name: String, _ change: @escaping @Sendable (StoreAccess, ULID) async throws(StoreError) -> Void
    ) -> Scenario {
        Scenario(
            "update.stale-after-\(name)", .update, "3.4",
            "A change that expects the revision from before an \(name) is a conflict and changes nothing."
        ) { test in
            let session = try await test.session(messages: 3)
            try await change(test.access, session.id)
            try await test.expectUnchanged(session.id, "a stale change") {
                await test.expect(.conflict, "the revision from before") { () throws(StoreError) in
                    try await test.access.update(
                        session.id, actorName: "stale", expectedRevision: session.revision)
                }
            }
        }
    }
}
