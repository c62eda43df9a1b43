import AgentSessions

extension Scenario {
    static let identity: [Scenario] = [
        revision("clock-stands", "the clock stands still", step: 0),
        revision("clock-back", "the clock goes backwards", step: -7_200_000_000),
        revision("clock-microsecond", "the clock goes on by single microseconds", step: 1),
        Scenario(
            "identity.revision-is-time", .identity, "2",
            "The revision is the time of the change where that is later than the one before, to the microsecond.",
            layers: [.repository]
        ) { test in
            let session = try await test.access.create()
            var time = session.createdAt
            for step: Int64 in [1, 2, 999, 1_000_001, 123_456_789] {
                time = time.advanced(by: step)
                test.clock.set(time)
                let changed = try await test.access.update(session.id, metadata: ["s": .integer(step)])
                test.expect(changed.updatedAt, equals: time, "the revision after \(step) µs")
                test.expect(try await test.current(session.id).updatedAt, equals: time, "the revision that is stored")
            }
        },
        Scenario(
            "identity.revision-of-each-change", .identity, "2",
            "The revision of an append, an increment and a rewind is their time too, to the microsecond.",
            layers: [.repository]
        ) { test in
            let session = try await test.access.create()
            var time = session.createdAt
            func later(_ step: Int64) -> Timestamp {
                time = time.advanced(by: step)
                test.clock.set(time)
                return time
            }
            for step: Int64 in [1, 1001, 999_999, 60_000_017] {
                var expected = later(step)
                let stored = try await test.access.append([turn(1), turn(2)], to: session.id)
                test.expect(stored.map(\.createdAt), equals: [expected, expected], "the times of the messages")
                test.expect(try await test.access.messages(session.id, .last, limit: 2), equals: stored, "the messages")
                test.expect(try await test.current(session.id).revision, equals: expected, "the revision of an append")
                expected = later(step)
                let counted = try await test.access.addUsage(TokenUsage(inputTokens: 1), to: session.id)
                test.expect(counted.revision, equals: expected, "the revision that an increment gives")
                test.expect(try await test.access.get(session.id), equals: counted, "the session after an increment")
                expected = later(step)
                let rewound = try await test.access.rewind(session.id, to: 1)
                test.expect(rewound.revision, equals: expected, "the revision that a rewind gives")
                test.expect(try await test.access.get(session.id), equals: rewound, "the session after a rewind")
            }
        },
        Scenario(
            "identity.revision-successor", .identity, "2",
            "Where the time of a change is not later than the last one, the revision is a microsecond after the last.",
            layers: [.repository]
        ) { test in
            let session = try await test.session(messages: 2)
            var expected = session.revision
            for back: Int64 in [0, 1, 1_000_000, 86_400_000_000] {
                test.clock.set(session.revision.advanced(by: -back))
                expected = expected.advanced(by: 1)
                test.expect(
                    try await test.access.update(session.id, metadata: [:]).revision, equals: expected,
                    "the revision of an update")
                test.clock.set(session.revision.advanced(by: -back))
                expected = expected.advanced(by: 1)
                test.expect(
                    try await test.access.append([turn(1), turn(2)], to: session.id).map(\.createdAt),
                    equals: [expected, expected], "the revision of an append")
                test.clock.set(session.revision.advanced(by: -back))
                expected = expected.advanced(by: 1)
                test.expect(
                    try await test.access.addUsage(.zero, to: session.id).revision, equals: expected,
                    "the revision of an increment")
                test.clock.set(session.revision.advanced(by: -back))
                expected = expected.advanced(by: 1)
                test.expect(
                    try await test.access.rewind(session.id, to: 1).revision, equals: expected,
                    "the revision of a rewind")
            }
        },
        Scenario(
            "identity.created-at-stays", .identity, "2",
            "The time of creation never changes, of a session or a message."
        ) { test in
            let session = try await test.session(messages: 2)
            let messages = try await test.access.messages(session.id)
            _ = try await test.access.update(session.id, actorName: "b", metadata: ["a": 1])
            _ = try await test.access.addUsage(TokenUsage(inputTokens: 1), to: session.id)
            _ = try await test.access.append(turn(3), to: session.id)
            _ = try await test.access.rewind(session.id, to: 2)
            test.expect(try await test.current(session.id).createdAt, equals: session.createdAt, "the session's")
            test.expect(try await test.access.messages(session.id), equals: messages, "the messages")
        },
        Scenario(
            "identity.reads-change-nothing", .identity, "2",
            "Reading changes no field: a session is the same after any "
                + "number of reads."
        ) { test in
            let session = try await test.session(messages: 3)
            let before = try await test.access.snapshot(of: session.id)
            for _ in 0..<3 {
                _ = try await test.access.list()
                _ = try await test.access.page(session.id, .last)
                _ = try await test.service.count(session.id)
                for try await _ in test.service.messageStream(in: session.id) {}
                for try await _ in test.service.exportSession(session.id) {}
            }
            test.expect(try await test.access.snapshot(of: session.id), equals: before, "the session")
        },
        Scenario(
            "identity.end-of-time", .identity, "2",
            "A session at the end of the year 9999 is refused any change with limitExceeded, and stays as it is.",
            layers: [.repository]
        ) { test in
            let id = test.newID()
            _ = try await test.store.create(NewSession(id: id, actorName: "a", createdAt: .latest))
            try await test.expectUnchanged(id, "a change after the end of time") {
                await test.expect(.limitExceeded, "an update") { () throws(StoreError) in
                    try await test.access.update(id, actorName: "b")
                }
                await test.expect(.limitExceeded, "an append") { () throws(StoreError) in
                    try await test.access.append([turn(1), turn(2)], to: id)
                }
                await test.expect(.limitExceeded, "a rewind") { () throws(StoreError) in
                    try await test.access.rewind(id, to: 0)
                }
            }
        },
        Scenario(
            "identity.extreme-ids", .identity, "2",
            "Every 128 bits are an id: the smallest, the largest, and those with "
                + "the highest bit set are stored, found and ordered as unsigned numbers.", layers: [.repository]
        ) { test in
            test.clock.setStep(0)
            var patterns: [[UInt8]] = [
                Array(repeating: 0, count: 16), Array(repeating: 0xFF, count: 16),
                [0x7F] + Array(repeating: 0xFF, count: 15), [0x80] + Array(repeating: 0, count: 15),
                Array(repeating: 0, count: 15) + [1],
                Array(repeating: 0, count: 7) + [1] + Array(repeating: 0, count: 8),
                Array(repeating: 0, count: 8) + [0x80] + Array(repeating: 0, count: 7),
            ]
            var random = SeededRandom(seed: test.randomNumber())
            patterns.shuffle(using: &random)
            var made: [Session] = []
            for bytes in patterns {
                let session = try await test.access.create(id: try ULID(bytes: bytes))
                made.append(session)
                let message = try await test.access.append(NewMessage(.user, "x", id: session.id), to: session.id)
                test.expect(
                    try await test.access.messages(session.id), equals: [message], "the message of \(session.id)")
            }
            let expected = made.map(\.id).sorted(by: >)
            test.expect(try await test.access.list().map(\.id), equals: expected, "the list")
            test.expect(
                try await test.access.list(after: SessionPosition(createdAt: made[0].createdAt, id: expected[3]))
                    .map(\.id), equals: Array(expected[4...]), "the list after the middle one")
        },
        Scenario(
            "identity.id-not-made-up", .identity, "3.1", "An id that was chosen is stored as it is, never another."
        ) { test in
            for text in ["00000000000000000000000000", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01J9ZK5C8N4V6Q2W3E7R8T9Y0A"] {
                let id = try ULID(parsing: text)
                test.expect(try await test.access.create(id: id).id, equals: id, "the id that create gives")
                test.expect(try await test.current(id).id, equals: id, "the id that get gives")
            }
            test.expect(try await test.access.list().count, equals: 3, "sessions in the list")
        },
        Scenario(
            "identity.ids-alike", .identity, "2", "Ids that differ in one byte, or in one half, are different ids."
        ) { test in
            let ids = alikeIDs(to: test.newID())
            var made: [Session] = []
            for id in ids {
                test.expect(try await test.access.get(id), equals: nil, "an id that is like others")
                made.append(try await test.access.create(id: id))
            }
            for session in made { test.expect(try await test.access.get(session.id), equals: session, "a session") }
        },
    ]

    private static func revision(_ name: String, _ when: String, step: Int64) -> Scenario {
        Scenario(
            "identity.revision-\(name)", .identity, "2",
            "updated_at strictly increases with every change, though \(when)."
        ) { test in
            let session = try await test.access.create()
            test.clock.setStep(step)
            var last = session.revision
            func grew(_ what: String) async throws {
                let revision = try await test.current(session.id).revision
                test.expect(revision > last, "\(what) must raise the revision: \(last), then \(revision)")
                last = revision
            }
            for round in 1...3 {
                _ = try await test.access.append([turn(1), turn(2)], to: session.id)
                try await grew("append \(round)")
                _ = try await test.access.update(session.id, metadata: ["round": .integer(Int64(round))])
                try await grew("update \(round)")
                _ = try await test.access.addUsage(TokenUsage(inputTokens: 1), to: session.id)
                try await grew("usage \(round)")
                _ = try await test.access.rewind(session.id, to: 1)
                try await grew("rewind \(round)")
            }
        }
    }
}
