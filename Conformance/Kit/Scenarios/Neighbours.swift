import AgentSessions
import Synchronization

extension Scenario {
    /// What a call does to others: beside it in a commit, at the same time, in sessions of the same ids, in the lists.
    static let neighbours: [Scenario] = [
        Scenario(
            "concurrency.refused-neighbours", .concurrency, "3.8",
            "Usage and appends of many tasks are counted exactly once beside calls of every kind that are refused.",
            timeLimit: .seconds(30)
        ) { test in
            let session = try await test.session(messages: 1)
            let taken = try await test.access.messages(session.id).at(0)
            let (access, store) = (test.access, test.store)
            let snapshot = try test.restorable(messages: 2)
            let writers = Atomic<Int>(4)
            _ = try await atOnce(7) { task in
                if task < 4 {
                    defer { writers.subtract(1, ordering: .relaxed) }
                    for round in 0..<8 {
                        _ = try await access.append(turn(round), to: session.id, usage: TokenUsage(outputTokens: 1))
                        _ = try await access.addUsage(TokenUsage(inputTokens: 1), to: session.id)
                    }
                    return
                }
                for round in 0..<100 where round < 4 || writers.load(ordering: .relaxed) > 0 {
                    await test.expect(.alreadyExists, "a create") { () throws(StoreError) in
                        try await access.create(id: session.id)
                    }
                    await test.expect(.conflict, "an update") { () throws(StoreError) in
                        try await access.update(session.id, actorName: "b", expectedRevision: .earliest)
                    }
                    await test.expect(.notFound, "usage") { () throws(StoreError) in
                        try await access.addUsage(TokenUsage(inputTokens: 1), to: snapshot.session.id)
                    }
                    await test.expect(.conflict, "an append") { () throws(StoreError) in
                        try await access.append(
                            NewMessage(.user, "other", id: taken.id), to: session.id, usage: TokenUsage(inputTokens: 9))
                    }
                    await test.expect(.invalidArgument, "a rewind") { () throws(StoreError) in
                        try await access.rewind(session.id, to: 10_000)
                    }
                    await test.expect(.invalidArgument, "a restore") { () throws(StoreError) in
                        try await store.restore(snapshot.session, messages: ListedMessages(snapshot.messages.prefix(1)))
                    }
                    await test.expect(.notFound, "a replacement") { () throws(StoreError) in
                        try await store.replace(
                            snapshot.session, messages: ListedMessages(snapshot.messages),
                            expectedRevision: snapshot.session.revision)
                    }
                }
            }
            let found = try test.require(await test.access.snapshot(of: session.id), "the session")
            test.expect(found.session.usage, equals: TokenUsage(inputTokens: 32, outputTokens: 32), "the totals")
            test.expect(found.messages.map(\.sequence), equals: Array(1...33), "the sequences")
            test.expect(try await test.access.list(), equals: [found.session], "the list")
        },
        Scenario(
            "rewind.race", .rewind, "3.7",
            "Of several rewinds that expect the same revision or the same last sequence at once, one is made."
        ) { test in
            for isRevision in [true, false] {
                let session = try await test.session(messages: 9)
                let access = test.access
                let made = try await atOnce(8) { index -> Session? in
                    do throws(StoreError) {
                        return try await access.rewind(
                            session.id, to: index, expectedRevision: isRevision ? session.revision : nil,
                            expectedSequence: isRevision ? nil : 9)
                    } catch {
                        test.expect(error.code, equals: .conflict, "the error of a rewind that came too late")
                        return nil
                    }
                }
                let winners = made.compactMap { $0 }
                test.expect(winners.count, equals: 1, "rewinds that were made")
                test.expect(try await test.access.get(session.id), equals: winners.first, "the session")
            }
        },
        Scenario(
            "instances.expectations", .instances, "3.4",
            "An instance that changed a session last compares expectations with what another made of it since.",
            requires: [.ability(.multipleInstances)], layers: [.repository]
        ) { test in
            let other = try await test.secondInstance()
            typealias Stale = @Sendable (Session) async throws(StoreError) -> Void
            let changes: [(String, Stale)] = [
                (
                    "update",
                    { session throws(StoreError) in
                        _ = try await other.update(session.id, actorName: "b", expectedRevision: session.revision)
                    }
                ),
                (
                    "append",
                    { session throws(StoreError) in
                        _ = try await other.append(turn(9), to: session.id, expectedSequence: session.messageCount)
                    }
                ),
                (
                    "rewind by revision",
                    { session throws(StoreError) in
                        _ = try await other.rewind(session.id, to: 1, expectedRevision: session.revision)
                    }
                ),
                (
                    "rewind by sequence",
                    { session throws(StoreError) in
                        _ = try await other.rewind(session.id, to: 1, expectedSequence: session.messageCount)
                    }
                ),
                (
                    "replace",
                    { session throws(StoreError) in
                        var next = session
                        next.messageCount = 0
                        next.updatedAt = session.revision.advanced(by: 10_000_000)
                        try await other.store.replace(
                            next, messages: ListedMessages([]), expectedRevision: session.revision)
                    }
                ),
            ]
            for (name, stale) in changes {
                let id = try await other.create().id
                _ = try await other.append([turn(1), turn(2), turn(3)], to: id)
                let session = try test.require(await other.get(id), "the session")
                _ = try await test.access.append(turn(4), to: id)
                try await test.expectUnchanged(id, "a stale \(name)") {
                    await test.expect(.conflict, "a stale \(name)") { () throws(StoreError) in try await stale(session)
                    }
                }
            }
        },
        Scenario(
            "record.shared-ids", .record, "2",
            "What removes messages of one session leaves another with messages of the same ids, which it still knows.",
            layers: [.repository]
        ) { test in
            let removals: [(String, @Sendable (Session) async throws -> Void)] = [
                ("a rewind", { _ = try await test.access.rewind($0.id, to: 1) }),
                ("a rewind to 0", { _ = try await test.access.rewind($0.id, to: 0) }),
                ("a deletion", { _ = try await test.access.delete($0.id) }),
                (
                    "a replacement",
                    { session in
                        let next = Session(
                            id: session.id, actorName: "next", createdAt: session.createdAt,
                            updatedAt: session.revision.advanced(by: 1))
                        try await test.store.replace(
                            next, messages: ListedMessages([]), expectedRevision: session.revision)
                    }
                ),
            ]
            for (what, remove) in removals {
                let first = try await test.session(messages: 4)
                let sent = try await test.access.messages(first.id)
                let second = try await test.access.create()
                let stored = try await test.access.append(sent.map(again), to: second.id)
                try await test.expectUnchanged(second.id, "\(what) of another session") {
                    try await remove(first)
                    test.expect(
                        try await test.access.append(sent.map(again), to: second.id), equals: stored,
                        "the replay after \(what)")
                }
            }
        },
        Scenario(
            "list.after-refusals", .list, "3.3", "A change that was refused leaves every list as it was.",
            layers: [.repository]
        ) { test in
            let made = try await test.sessions(3, actor: "a")
            let id = made[2].id
            _ = try await test.access.addUsage(TokenUsage(inputTokens: .max), to: id)
            let (access, store) = (test.access, test.store)
            try await test.expectSameLists("a create") { _ = try? await access.create("b", id: id) }
            try await test.expectSameLists("an update") {
                _ = try? await access.update(id, actorName: "b", expectedRevision: .earliest)
            }
            try await test.expectSameLists("usage") {
                _ = try? await access.addUsage(TokenUsage(inputTokens: 1), to: id)
            }
            try await test.expectSameLists("an append") {
                _ = try? await access.append([turn(1), turn(2)], to: id, expectedSequence: 9)
            }
            try await test.expectSameLists("a rewind") { _ = try? await access.rewind(id, to: 9) }
            try await test.expectSameLists("a restore") {
                try? await store.restore(
                    Session(id: id, actorName: "b", createdAt: .earliest, updatedAt: .earliest),
                    messages: ListedMessages([]))
            }
            try await test.expectSameLists("a replacement") {
                var next = made[2]
                next.actorName = "b"
                next.updatedAt = .latest
                try? await store.replace(next, messages: ListedMessages([]), expectedRevision: .earliest)
            }
        },
        Scenario(
            "list.after-nothing", .list, "3.3",
            "A change that leaves everything but the revision as it is leaves the sessions of every list.",
            layers: [.repository]
        ) { test in
            let made = try await test.sessions(3, actor: "a")
            let id = made[2].id
            let stored = try await test.access.append([turn(1), turn(2)], to: id)
            let (access, store) = (test.access, test.store)
            try await test.expectSameLists("a replay") { _ = try await access.append(stored.map(again), to: id) }
            try await test.expectSameLists("an update") { _ = try await access.update(id, actorName: "a") }
            try await test.expectSameLists("usage") { _ = try await access.addUsage(.zero, to: id) }
            try await test.expectSameLists("a rewind") { _ = try await access.rewind(id, to: 2) }
            try await test.expectSameLists("a deletion") { _ = try await access.delete(test.newID()) }
            try await test.expectSameLists("a replacement") {
                let session = try await test.current(id)
                var next = session
                next.updatedAt = session.revision.advanced(by: 1)
                try await store.replace(next, messages: ListedMessages(stored), expectedRevision: session.revision)
            }
        },
    ]
}

extension ScenarioContext {
    /// Notes a failure where a list has other sessions after `body` than before, or in another order.
    fileprivate func expectSameLists(_ what: String, by body: () async throws -> Void) async throws {
        let filters = [
            SessionFilter(), SessionFilter(actorName: "a"), SessionFilter(actorName: "b"),
            SessionFilter(updatedFrom: .earliest), SessionFilter(createdFrom: .earliest),
        ]
        var before: [[ULID]] = []
        for filter in filters { before.append(try await access.list(filter).map(\.id)) }
        try await body()
        for (filter, before) in zip(filters, before) {
            expect(try await access.list(filter).map(\.id), equals: before, "the list \(filter) after \(what)")
        }
    }
}
