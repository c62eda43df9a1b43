import AgentSessions

extension Scenario {
    static let creation: [Scenario] = [
        Scenario(
            "create.fields", .create, "2",
            "A new session has the id, actor and metadata it was asked for, no messages and no usage, and its first "
                + "revision is its time of creation."
        ) { test in
            let id = test.newID()
            let metadata: JSONObject = ["purpose": "trial", "retries": 3]
            let made = try await test.access.create("local/worker", metadata: metadata, id: id)
            test.expect(
                made,
                equals: Session(
                    id: id, actorName: "local/worker", messageCount: 0, usage: .zero, metadata: metadata,
                    createdAt: made.createdAt, updatedAt: made.createdAt), "the session that create gives")
            test.expect(try await test.access.get(id), equals: made, "the session that get gives")
        },
        Scenario(
            "create.time-as-given", .create, "3.1", "A session is created at the time that was fixed for it.",
            layers: [.repository]
        ) { test in
            let time = test.clock.next().advanced(by: 123)
            let new = NewSession(id: test.newID(), actorName: "a", createdAt: time)
            let made = try await test.store.create(new)
            test.expect(made, equals: new.session, "the session that create gives")
            test.expect(try await test.store.get(new.id), equals: new.session, "the session that get gives")
        },
        Scenario(
            "create.id-taken", .create, "3.1", "Creating a session whose id is taken throws alreadyExists."
        ) { test in
            let session = try await test.access.create("first", metadata: ["a": 1])
            _ = try await test.access.append([turn(1), turn(2)], to: session.id)
            try await test.expectUnchanged(session.id, "a refused creation") {
                await test.expect(.alreadyExists, "an id that is taken") { () throws(StoreError) in
                    try await test.access.create("second", metadata: ["b": 2], id: session.id)
                }
            }
            test.expect(try await test.access.list().count, equals: 1, "sessions in the list")
        },
        Scenario(
            "create.id-taken-by-equal", .create, "3.1",
            "Creating a session a second time throws alreadyExists though everything about it is the same.",
            layers: [.repository]
        ) { test in
            let new = NewSession(id: test.newID(), actorName: "a", createdAt: test.clock.next())
            _ = try await test.store.create(new)
            await test.expect(.alreadyExists, "the same creation again") { () throws(StoreError) in
                try await test.store.create(new)
            }
        },
        Scenario(
            "create.id-free-after-delete", .create, "3.5",
            "The id of a deleted session can be created again, and nothing of the old session comes back."
        ) { test in
            let old = try await test.access.create("old", metadata: ["old": true])
            _ = try await test.access.append(
                [turn(1), turn(2), turn(3)], to: old.id, usage: TokenUsage(inputTokens: 7, outputTokens: 8))
            _ = try await test.access.delete(old.id)
            let new = try await test.access.create("new", id: old.id)
            let found = try await test.access.snapshot(of: old.id)
            test.expect(found, equals: SessionSnapshot(session: new, messages: []), "the session of the same id")
            test.expect(
                new,
                equals: Session(id: old.id, actorName: "new", createdAt: new.createdAt, updatedAt: new.createdAt),
                "the session that create gives")
        },
        Scenario(
            "create.in-list", .create, "3.3", "A session is in the list as soon as create has returned."
        ) { test in
            let first = try await test.access.create("one")
            test.expect(try await test.access.list(), equals: [first], "the list")
            let second = try await test.access.create("two")
            test.expect(try await test.access.list(), equals: [second, first], "the list")
        },
        Scenario(
            "create.apart", .create, "2", "A change of one session leaves every other one as it is."
        ) { test in
            let left = try await test.session(messages: 3)
            let right = try await test.session(messages: 2)
            try await test.expectUnchanged(left.id, "changes of another session") {
                _ = try await test.access.append(turn(9), to: right.id, usage: TokenUsage(inputTokens: 5))
                _ = try await test.access.update(right.id, actorName: "other", metadata: ["x": 1])
                _ = try await test.access.rewind(right.id, to: 1)
                _ = try await test.access.delete(right.id)
            }
        },
        Scenario(
            "create.same-actor", .create, "3.1", "An actor may have any number of sessions, each with its own id."
        ) { test in
            var ids: Set<ULID> = []
            for _ in 0..<5 { ids.insert(try await test.service.create(actorName: "same", metadata: [:]).id) }
            test.expect(ids.count, equals: 5, "different ids")
            test.expect(
                Set(try await test.access.list(SessionFilter(actorName: "same")).map(\.id)), equals: ids,
                "the ids of the actor")
        },
        Scenario(
            "create.race", .create, "3.1", "Of several that create the same id at once, one succeeds."
        ) { test in
            let id = test.newID()
            let access = test.access
            let made = try await atOnce(8) { index -> Session? in
                do throws(StoreError) {
                    return try await access.create("racer/\(index)", id: id)
                } catch {
                    test.expect(error.code, equals: .alreadyExists, "the error of a racer who lost")
                    return nil
                }
            }
            let winners = made.compactMap { $0 }
            test.expect(winners.count, equals: 1, "racers who succeeded")
            test.expect(try await test.access.get(id), equals: winners.first, "the session that is stored")
            test.expect(try await test.access.list().count, equals: 1, "sessions in the list")
        },
        Scenario(
            "create.mints-ids", .create, "3.1", "The ids that a service mints grow, and none is given out twice.",
            layers: [.service]
        ) { test in
            var ids: [ULID] = []
            for _ in 0..<50 { ids.append(try await test.service.create(actorName: "a", metadata: [:]).id) }
            test.expect(ids == ids.sorted() && Set(ids).count == ids.count, "the ids must grow: \(ids)")
        },
        Scenario(
            "create.get-absent", .create, "3.2",
            "An absent session is nil from the repository and notFound from the "
                + "service, also beside sessions that there are."
        ) { test in
            _ = try await test.session(messages: 1)
            // Before each session, beyond each, and wherever.
            for id in [ULID(high: 0, low: 0), ULID(high: .max, low: .max), test.newID()] {
                test.expect(try await test.store.get(id), equals: nil, "the repository's answer")
                await test.expect(.notFound, "the service's answer") { () throws(StoreError) in
                    try await test.service.get(id)
                }
            }
        },
        Scenario(
            "create.get-neighbour", .create, "3.2",
            "A session is found by its whole id: one that differs in a single "
                + "bit, the first or the last, is absent."
        ) { test in
            let session = try await test.access.create()
            for index in [0, 5, 6, 15] {
                var bytes = session.id.bytes
                bytes[index] ^= 1
                let neighbour = try ULID(bytes: bytes)
                test.expect(try await test.access.get(neighbour), equals: nil, "the id with byte \(index) changed")
                test.expect(
                    try await test.access.page(neighbour)?.session, equals: nil,
                    "the page of the id with byte \(index) changed")
            }
        },
    ]
}
