import AgentSessions

extension Scenario {
    private static let reopens: [Requirement] = [.ability(.reopen)]

    static let reopening: [Scenario] = [
        Scenario(
            "reopen.kept", .reopen, "3", "Everything is there after the store was closed and opened.", requires: reopens
        ) {
            test in
            let first = try await test.access.create("first", metadata: ["a": [1, 2.5, nil]])
            _ = try await test.access.append(
                [NewMessage(.tool, "x\u{0}y", toolCallID: "c", metadata: ["m": .double(-0.0)]), turn(2)], to: first.id,
                usage: TokenUsage(inputTokens: 1, outputTokens: 2, estimatedCost: 3))
            let second = try await test.session("second", messages: 3)
            _ = try await test.access.rewind(second.id, to: 1)
            let before = [
                try await test.access.snapshot(of: first.id), try await test.access.snapshot(of: second.id),
            ]
            let list = try await test.access.list()
            try await test.reopen()
            let after = [
                try await test.access.snapshot(of: first.id), try await test.access.snapshot(of: second.id),
            ]
            test.expect(after, equals: before, "the sessions")
            test.expect(try await test.access.list(), equals: list, "the list")
        },
        Scenario(
            "reopen.goes-on", .reopen, "3.6", "Sequences go on after reopening where they were.", requires: reopens
        ) {
            test in
            let session = try await test.session(messages: 3)
            try await test.reopen()
            let stored = try await test.access.append([turn(4), turn(5)], to: session.id, expectedSequence: 3)
            test.expect(stored.map(\.sequence), equals: [4, 5], "the sequences")
            test.expect(
                try await test.access.messages(session.id).map(\.content), equals: (1...5).map { "m\($0)" },
                "the contents")
        },
        Scenario(
            "reopen.replay", .reopen, "3.6", "A replay after reopening finds what was stored before.", requires: reopens
        ) {
            test in
            let session = try await test.access.create()
            let stored = try await test.access.append(
                [turn(1), turn(2)], to: session.id, usage: TokenUsage(inputTokens: 5))
            try await test.reopen()
            try await test.expectUnchanged(session.id, "a replay") {
                test.expect(
                    try await test.access.append(stored.map(again), to: session.id, usage: TokenUsage(inputTokens: 5)),
                    equals: stored, "the replay")
            }
        },
        Scenario(
            "reopen.revision", .reopen, "2", "The revision grows after reopening, though the clock went back.",
            requires: reopens
        ) {
            test in
            let session = try await test.session(messages: 1)
            try await test.reopen()
            test.clock.set(session.createdAt.advanced(by: -1_000_000_000))
            test.expect(
                try await test.access.update(session.id, metadata: [:]).revision > session.revision,
                "the revision must grow")
        },
        Scenario("reopen.deleted", .reopen, "3.5", "What was deleted is gone after reopening too.", requires: reopens) {
            test in
            let session = try await test.session("gone", messages: 3)
            let kept = try await test.session("kept", messages: 2)
            _ = try await test.access.delete(session.id)
            try await test.reopen()
            test.expect(try await test.access.get(session.id), equals: nil, "get")
            test.expect(try await test.access.list(), equals: [kept], "the list")
            test.expect(try await test.access.list(SessionFilter(actorName: "gone")), equals: [], "the actor's list")
        },
        Scenario("reopen.refused", .reopen, "3.6", "What was refused is not there after reopening.", requires: reopens)
        { test in
            let session = try await test.session(messages: 2)
            let first = try await test.access.messages(session.id).at(0)
            await test.expect(.conflict, "an id that is taken") { () throws(StoreError) in
                try await test.access.append(
                    [turn(3), NewMessage(.user, "x", id: first.id)], to: session.id, usage: TokenUsage(inputTokens: 1))
            }
            let before = try await test.access.snapshot(of: session.id)
            try await test.reopen()
            test.expect(try await test.access.snapshot(of: session.id), equals: before, "the session")
        },
        Scenario("reopen.many-times", .reopen, "2", "Opening again and again changes nothing.", requires: reopens) {
            test in
            let session = try await test.session(messages: 2)
            let before = try await test.access.snapshot(of: session.id)
            for _ in 0..<4 { try await test.reopen() }
            test.expect(try await test.access.snapshot(of: session.id), equals: before, "the session")
        },
        Scenario(
            "reopen.migrations", .reopen, "2",
            "A store has its chain of migrations, each step applied once, each "
                + "after its parent, and the first two are those of the contract."
        ) { test in
            let chain = try await test.store.migrations()
            test.expect(
                chain.prefix(2).map(\.name), equals: ["b1_001_resource_registry", "a7_001_session_persistence"],
                "the first steps")
            test.expect(Set(chain.map(\.name)).count, equals: chain.count, "different steps")
            for (index, step) in chain.enumerated() {
                test.expect(step.parent, equals: index == 0 ? nil : chain[index - 1].name, "the parent of \(step.name)")
                test.expect(step.appliedAt != nil, "\(step.name) must be applied in an open store")
            }
        },
        Scenario(
            "reopen.migrations-once", .reopen, "2", "Reopening applies no step again.", requires: reopens
        ) { test in
            let before = try await test.store.migrations()
            try await test.reopen()
            test.expect(try await test.store.migrations(), equals: before, "the chain")
        },
        Scenario(
            "reopen.race@2", .reopen, "2",
            "Racing openers apply each step once, and all can use the store: one that is there, and one that is not yet.",
            level: .full, requires: [.ability(.reopen), .ability(.multipleInstances)], timeLimit: .seconds(30)
        ) { test in
            let steps = try await test.store.migrations().map(\.name)
            var places = [test.place]
            for _ in 0..<3 { places.append(try test.freshPlace()) }
            for place in places {
                // Each writes as soon as it has the store, while others may still be making it.
                let racers = try await atOnce(4) { index in
                    let access = try await test.open(place)
                    return (access: access, session: try await access.create("opener/\(index)"))
                }
                let made = Set(racers.map(\.session.id))
                let chain = try await racers.at(0).access.store.migrations()
                test.expect(chain.map(\.name), equals: steps, "the steps")
                for racer in racers {
                    test.expect(try await racer.access.store.migrations(), equals: chain, "the chain")
                    test.expect(Set(try await racer.access.list().map(\.id)), equals: made, "the list")
                }
                for racer in racers { await racer.access.store.close() }
            }
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
    ]

    private static let instances2: [Requirement] = [.ability(.multipleInstances)]

    static let instances: [Scenario] = [
        Scenario(
            "instances.see-each-other", .instances, "3",
            "What one instance was told is stored, another sees at once: sessions, messages, lists.",
            requires: instances2
        ) { test in
            let other = try await test.secondInstance()
            let session = try await test.access.create("shared")
            test.expect(try await other.get(session.id), equals: session, "the session in the other")
            for number in 1...5 {
                let (writer, reader) = number.isMultiple(of: 2) ? (test.access, other) : (other, test.access)
                let stored = try await writer.append(turn(number), to: session.id)
                let page = try await reader.page(session.id, .last, limit: 1)
                test.expect(page?.messages, equals: [stored], "the last message in the other")
                test.expect(page?.session.messageCount, equals: number, "the count in the other")
            }
            let changed = try await other.update(session.id, actorName: "renamed")
            test.expect(try await test.access.list(SessionFilter(actorName: "renamed")), equals: [changed], "the list")
            _ = try await test.access.delete(session.id)
            test.expect(try await other.get(session.id), equals: nil, "the deleted session in the other")
            test.expect(try await other.list(), equals: [], "the list of the other")
        },
        Scenario(
            "instances.opened-later", .instances, "3", "An instance that is opened later sees what was written before.",
            requires: instances2
        ) { test in
            let session = try await test.session(messages: 4)
            let before = try await test.access.snapshot(of: session.id)
            let other = try await test.secondInstance()
            test.expect(try await other.snapshot(of: session.id), equals: before, "the session")
            test.expect(try await other.list(), equals: [session], "the list")
        },
        Scenario(
            "instances.sequences", .instances, "2", "Two instances that append in turns share one row of sequences.",
            requires: instances2
        ) { test in
            let other = try await test.secondInstance()
            let session = try await test.access.create()
            var stored: [SessionMessage] = []
            for number in 1...8 {
                stored.append(
                    try await (number.isMultiple(of: 2) ? other : test.access).append(turn(number), to: session.id))
            }
            test.expect(stored.map(\.sequence), equals: Array(1...8), "the sequences")
            test.expect(try await other.messages(session.id), equals: stored, "the messages")
        },
        Scenario(
            "instances.no-stale-decision", .instances, "3.4",
            "An instance decides by what is stored, not by what it read "
                + "before: stale revisions and sequences are conflicts.", requires: instances2
        ) { test in
            let other = try await test.secondInstance()
            let session = try await test.session(messages: 2)
            _ = try await other.page(session.id)
            _ = try await test.access.append(turn(3), to: session.id)
            try await test.expectUnchanged(session.id, "stale changes of the other instance") {
                await test.expect(.conflict, "a stale revision") { () throws(StoreError) in
                    try await other.update(session.id, actorName: "b", expectedRevision: session.revision)
                }
                await test.expect(.conflict, "a stale sequence") { () throws(StoreError) in
                    try await other.append(turn(9), to: session.id, expectedSequence: 2)
                }
            }
        },
        Scenario(
            "instances.replay", .instances, "3.6", "A replay through another instance finds what is stored.",
            requires: instances2
        ) { test in
            let other = try await test.secondInstance()
            let session = try await test.access.create()
            let stored = try await test.access.append([turn(1), turn(2)], to: session.id)
            try await test.expectUnchanged(session.id, "a replay") {
                test.expect(try await other.append(stored.map(again), to: session.id), equals: stored, "the replay")
            }
        },
        Scenario(
            "instances.concurrent", .instances, "2",
            "Two instances that write at once lose nothing and double nothing.",
            requires: instances2, timeLimit: .seconds(30)
        ) { test in
            let other = try await test.secondInstance()
            let first = test.access
            let session = try await first.create()
            let stored = try await atOnce(6) { writer in
                var own: [SessionMessage] = []
                for round in 0..<6 {
                    let access = writer.isMultiple(of: 2) ? first : other
                    own += try await access.append(
                        [NewMessage(.user, "\(writer)/\(round)a"), NewMessage(.user, "\(writer)/\(round)b")],
                        to: session.id, usage: TokenUsage(inputTokens: 1))
                }
                return own
            }
            let expected = stored.flatMap { $0 }.sorted { $0.sequence < $1.sequence }
            test.expect(expected.map(\.sequence), equals: Array(1...72), "the sequences")
            test.expect(try await first.messages(session.id), equals: expected, "the messages in the first")
            test.expect(try await other.messages(session.id), equals: expected, "the messages in the other")
            test.expect(try await other.get(session.id)?.usage.inputTokens, equals: 36, "the tokens")
        },
        Scenario(
            "instances.create-race", .instances, "3.1", "Of instances that create the same id at once, one succeeds.",
            requires: instances2
        ) { test in
            let other = try await test.secondInstance()
            let first = test.access
            let id = test.newID()
            let made = try await atOnce(4) { index -> Session? in
                do throws(StoreError) {
                    return try await (index.isMultiple(of: 2) ? first : other).create("racer/\(index)", id: id)
                } catch {
                    test.expect(error.code, equals: .alreadyExists, "the error of a racer who lost")
                    return nil
                }
            }
            test.expect(made.compactMap { $0 }.count, equals: 1, "racers who succeeded")
            test.expect(try await other.get(id), equals: made.compactMap { $0 }.first, "the session")
        },
        Scenario(
            "instances.one-closes", .instances, "3", "Closing one instance leaves the other at work.",
            requires: instances2
        ) { test in
            let other = try await test.secondInstance()
            let session = try await test.session(messages: 1)
            await other.store.close()
            _ = try await test.access.append(turn(2), to: session.id)
            test.expect(try await test.access.messages(session.id).count, equals: 2, "messages")
            await test.expect(.closed, "the closed one") { () throws(StoreError) in
                try await other.get(session.id)
            }
        },
        Scenario(
            "instances.rewound", .instances, "3.7", "A rewind through one instance is a rewind for all of them.",
            requires: instances2
        ) { test in
            let other = try await test.secondInstance()
            let session = try await test.session(messages: 6)
            _ = try await other.messages(session.id)
            _ = try await test.access.rewind(session.id, to: 2)
            test.expect(try await other.messages(session.id).count, equals: 2, "messages in the other")
            let stored = try await other.append(turn(30), to: session.id)
            test.expect(stored.sequence, equals: 3, "the next sequence in the other")
            test.expect(try await test.access.messages(session.id, .after(2)), equals: [stored], "the end in the first")
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
