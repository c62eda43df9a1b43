import AgentSessions

extension Scenario {
    /// A restored session in the place of another, at a revision that it is expected to have.
    static let replacing: [Scenario] = [
        replacing(
            "replace.whole",
            "The session is as it is given, and nothing of the old one is left: every field and message."
        ) {
            test in
            for (old, new) in [(0, 0), (0, 3), (3, 0), (2, 7), (7, 2), (4, 4)] {
                let session = try await test.session("old", messages: old)
                let next = try test.successor(of: session, messages: new, actor: "new")
                try await test.replace(session, with: next)
                test.expect(
                    try await test.access.snapshot(of: session.id), equals: next, "\(new) messages in place of \(old)")
                test.expect(try await test.access.get(session.id), equals: next.session, "get")
                test.expect(
                    try await test.access.messages(session.id, .last, limit: 2), are: next.messages.suffix(2),
                    "the last messages")
                _ = try await test.access.delete(session.id)
            }
        },
        replacing("replace.list", "The lists show the replaced session once, as it is now, in its place.") { test in
            let made = try await test.sessions(3, actor: "old")
            let next = try test.successor(of: made[1], messages: 2, actor: "new")
            try await test.replace(made[1], with: next)
            test.expect(
                try await test.access.list(), equals: [made[2], next.session, made[0]], "the list of all")
            test.expect(
                try await test.access.list(SessionFilter(actorName: "old")), equals: [made[2], made[0]],
                "the list of the old actor")
            test.expect(
                try await test.access.list(SessionFilter(actorName: "new")), equals: [next.session],
                "the list of the new actor")
            _ = try await test.access.delete(made[1].id)
            test.expect(try await test.access.list().count, equals: 2, "sessions in the list after a deletion")
            test.expect(
                try await test.access.list(SessionFilter(actorName: "new")), equals: [], "the list of a deleted session"
            )
        },
        replacing("replace.ids", "The ids of the new messages are known, those of the old ones count as new.") { test in
            let session = try await test.session(messages: 3)
            let old = try await test.access.messages(session.id)
            let next = try test.successor(of: session, messages: 4)
            try await test.replace(session, with: next)
            try await test.expectUnchanged(session.id, "a replay") {
                test.expect(
                    try await test.access.append(next.messages.map(again), to: session.id), are: next.messages,
                    "the replay of the new messages")
            }
            let stored = try await test.access.append(
                NewMessage(.tool, "another payload", id: old.at(1).id), to: session.id)
            test.expect(stored.sequence, equals: 5, "the sequence of an old id")
        },
        replacing("replace.same-ids", "The same message may be in the old session and in the new one, at any place.") {
            test in
            let session = try await test.session(messages: 4)
            let old = try await test.access.messages(session.id)
            let next = try test.successor(of: session, messages: 6)
            var messages = next.messages
            // The first two as they were; one that was there at another place and of another content.
            messages[0] = old[0]
            messages[1] = old[1]
            messages[5] = messages[5].with(id: old[2].id)
            let mixed = SessionSnapshot(session: next.session, messages: messages)
            try await test.replace(session, with: mixed)
            test.expect(try await test.access.snapshot(of: session.id), equals: mixed, "the session")
        },
        replacing("replace.goes-on", "The session goes on from where the new one ends.") { test in
            let session = try await test.session(messages: 5)
            let next = try test.successor(of: session, messages: 2)
            try await test.replace(session, with: next)
            let stored = try await test.access.append([turn(3), turn(4)], to: session.id)
            test.expect(stored.map(\.sequence), equals: [3, 4], "the next sequences")
            test.expect(try stored.at(0).createdAt > next.session.revision, "the next revision must be later")
            let changed = try await test.access.update(session.id, actorName: "later")
            var expected = next.session
            expected.actorName = "later"
            expected.messageCount = 4
            expected.updatedAt = changed.updatedAt
            test.expect(try await test.access.get(session.id), equals: expected, "the session")
        },
        replacing("replace.stale", "A session of another revision than the expected one is a conflict, and stays.") {
            test in
            let session = try await test.session(messages: 3)
            let next = try test.successor(of: session, messages: 2)
            for expected in [session.createdAt, session.revision.advanced(by: 1), session.revision.advanced(by: -1)] {
                try await test.expectRefused(.conflict, "the revision \(expected)", session, next, expecting: expected)
            }
        },
        replacing(
            "replace.other-session",
            "A session of the same id that was created at another time is a conflict, and stays."
        ) { test in
            let session = try await test.session(messages: 3)
            for offset: Int64 in [-1, 1, 1_000_000] {
                let other = Session(
                    id: session.id, actorName: "other", createdAt: session.createdAt.advanced(by: offset),
                    updatedAt: session.revision.advanced(by: 2_000_000))
                try await test.expectRefused(
                    .conflict, "created \(offset) µs off", session, SessionSnapshot(session: other, messages: []))
            }
        },
        replacing("replace.not-later", "A replacement whose revision is not later is refused, and the session stays.") {
            test in
            let session = try await test.session(messages: 3)
            for offset: Int64 in [0, -1] {
                let next = try test.successor(of: session, messages: 1, after: offset)
                try await test.expectRefused(.invalidArgument, "a revision \(offset) µs later", session, next)
            }
        },
        replacing("replace.absent", "A session that is absent is notFound, and is not made.") { test in
            let session = try await test.session(messages: 2)
            let next = try test.successor(of: session, messages: 2)
            _ = try await test.access.delete(session.id)
            await test.expect(.notFound, "a deleted session") { () throws(StoreError) in
                try await test.store.replace(
                    next.session, messages: ListedMessages(next.messages), expectedRevision: session.revision)
            }
            test.expect(try await test.access.get(session.id), equals: nil, "get")
            test.expect(try await test.access.list(), equals: [], "the list")
        },
        replacing(
            "replace.whole-or-not",
            "A source that fails, ends early, repeats an id or skips a sequence leaves the old session as it was."
        ) { test in
            let session = try await test.session(messages: 3)
            let next = try test.successor(of: session, messages: 700)
            let all = next.messages
            var gap = all
            gap.remove(at: 650)
            var twice = all
            twice[690] = all[690].with(id: all[3].id)
            let failing = ListedMessages(all, failure: StoreError(.checksumMismatch, "The source failed."))
            for (what, source) in [
                ("a source that fails", failing), ("a source that ends early", ListedMessages(all.dropLast())),
                ("a source that skips", ListedMessages(gap)), ("a source with an id twice", ListedMessages(twice)),
                ("a source that gives too many", ListedMessages(all + [all[0].with(sequence: 701)])),
            ] {
                try await test.expectUnchanged(session.id, what) {
                    do throws(StoreError) {
                        try await test.store.replace(next.session, messages: source, expectedRevision: session.revision)
                        test.fail("\(what): the replacement succeeded")
                    } catch {
                        test.expect(error.code != .internalFailure, "\(what): \(error)")
                    }
                }
                test.expect(try await test.access.list(), equals: [session], "the list after \(what)")
            }
            // Nothing of the refused ones stands in the way of a good one.
            try await test.replace(session, with: next)
            test.expect(try await test.access.snapshot(of: session.id) == next, "the session is not the new one")
        },
        replacing("replace.others", "Other sessions stay as they are, also those with messages of the same ids.") {
            test in
            let session = try await test.session("shared", messages: 3)
            let messages = try await test.access.messages(session.id)
            let other = try await test.access.create("shared")
            _ = try await test.access.append(messages.map(again), to: other.id)
            let before = try await test.access.snapshot(of: other.id)
            try await test.replace(session, with: try test.successor(of: session, messages: 1))
            test.expect(try await test.access.snapshot(of: other.id), equals: before, "the other session")
        },
        replacing("replace.long", "A session of many messages is replaced whole by another of many.", level: .full) {
            test in
            let session = try await test.access.create()
            _ = try await test.access.append((1...2500).map(turn), to: session.id)
            let old = try await test.current(session.id)
            let next = try test.successor(of: old, messages: 3000)
            try await test.replace(old, with: next)
            test.expect(try await test.access.snapshot(of: session.id) == next, "the session is not the new one")
        },
        replacing("replace.race", "Of several replacements at one revision one is made, and the others are conflicts.")
        {
            test in
            let session = try await test.session(messages: 2)
            let store = test.store
            var candidates: [SessionSnapshot] = []
            for number in 1...6 {
                candidates.append(try test.successor(of: session, messages: number, after: Int64(number) * 1000))
            }
            let won = try await atOnce(candidates.count) { [candidates] index in
                do throws(StoreError) {
                    try await store.replace(
                        candidates[index].session, messages: ListedMessages(candidates[index].messages),
                        expectedRevision: session.revision)
                    return true
                } catch {
                    test.expect(error.code, equals: .conflict, "the error of a replacement that came too late")
                    return false
                }
            }
            let winners = zip(candidates, won).filter(\.1).map(\.0)
            test.expect(winners.count, equals: 1, "replacements that were made")
            test.expect(
                try await test.access.snapshot(of: session.id), equals: winners.first, "the session in the end")
        },
        replacing(
            "replace.against-appends",
            "No append that was acknowledged is lost to a replacement, and the session is there at every moment.",
            timeLimit: .seconds(30)
        ) { test in
            for round in 0..<10 {
                let session = try await test.session(messages: 2)
                let next = try test.successor(of: session, messages: 3)
                let (store, access) = (test.store, test.access)
                let stored = try await atOnce(3) { task -> SessionMessage? in
                    switch task {
                    case 0:
                        do throws(StoreError) {
                            try await store.replace(
                                next.session, messages: ListedMessages(next.messages),
                                expectedRevision: session.revision)
                        } catch {
                            test.expect(error.code, equals: .conflict, "the error of the replacement")
                        }
                        return nil
                    case 1:
                        for _ in 0..<round { await Task.yield() }
                        return try await access.append(NewMessage(.user, "new"), to: session.id)
                    default:
                        for _ in 0..<20 {
                            test.expect(
                                try await access.page(session.id) != nil, "the session was absent for a moment")
                        }
                        return nil
                    }
                }
                let appended = try test.require(stored.compactMap { $0 }.first, "no message of the append")
                let after = try await test.access.messages(session.id)
                test.expect(after.last, equals: appended, "the last message in round \(round)")
                test.expect(after.count == 3 || after.dropLast() == next.messages[...], "the messages: \(after)")
            }
        },
        Scenario(
            "replace.kept", .replace, "8.7", "A replaced session is there after the store was opened again.",
            requires: [.ability(.reopen)], layers: [.repository]
        ) { test in
            let session = try await test.session(messages: 4)
            let next = try test.successor(of: session, messages: 2, actor: "new")
            try await test.replace(session, with: next)
            try await test.reopen()
            test.expect(try await test.access.snapshot(of: session.id), equals: next, "the session")
            test.expect(try await test.access.list(), equals: [next.session], "the list")
        },
    ]

    private static func replacing(
        _ id: String, _ rule: String, level: Level = .base, timeLimit: Duration = .seconds(20), _ body: @escaping Body
    ) -> Scenario {
        Scenario(
            id, .replace, "8.7", rule, level: level, layers: [.repository], timeLimit: timeLimit, body)
    }
}

extension ScenarioContext {
    /// A later state of a session that has nothing in common with it but id and time of creation.
    ///
    /// - Parameter after: How many microseconds later its revision is.
    fileprivate func successor(
        of session: Session, messages count: Int, actor: String? = nil, after: Int64 = 1_000_000
    ) throws -> SessionSnapshot {
        var next = session
        next.actorName = actor ?? session.actorName
        next.messageCount = count
        next.usage = TokenUsage(inputTokens: 7, outputTokens: .max, estimatedCost: 1)
        next.metadata = ["from": "elsewhere", "n": 1.0]
        next.updatedAt = session.revision.advanced(by: after)
        return SessionSnapshot(session: next, messages: restorableMessages(count, of: next))
    }

    fileprivate func replace(_ old: Session, with new: SessionSnapshot) async throws(StoreError) {
        try await store.replace(new.session, messages: ListedMessages(new.messages), expectedRevision: old.revision)
    }

    fileprivate func expectRefused(
        _ code: StoreError.Code, _ what: String, _ old: Session, _ new: SessionSnapshot,
        expecting revision: Timestamp? = nil
    ) async throws {
        try await expectUnchanged(old.id, what) {
            await expect(code, what) { () throws(StoreError) in
                try await store.replace(
                    new.session, messages: ListedMessages(new.messages), expectedRevision: revision ?? old.revision)
            }
        }
        expect(try await access.list(), equals: [old], "the list after \(what)")
    }
}
