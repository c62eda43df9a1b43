import AgentSessions

/// Values of one kind that engines, columns and formats have been known to change, in every field that holds such.
private struct ValueKind: Sendable {
    let name: String
    let what: String
    /// What a session may have; each session of a scenario has one of these.
    let sessions: @Sendable (StoreLimits) -> [SessionValues]
    /// Messages, which the sessions have one and all.
    let messages: @Sendable (StoreLimits) -> [NewMessage]
    /// The times of the messages, in turn.
    var times: [Timestamp] = []

    static let all = [texts, lengths, numbers, times]
}

/// What a session may have.
private struct SessionValues: Sendable {
    var actorName = "local/values"
    var metadata: JSONObject = [:]
    var usage = TokenUsage.zero
    var createdAt: Timestamp?
    var updatedAt: Timestamp?
}

extension Scenario {
    /// Values that are kept to the bit, in each field and on each way into a store and out of it.
    static let values: [Scenario] =
        [ValueKind.texts, .lengths, .numbers].flatMap { kind in
            [
                way("created", "a creation", kind) { test, snapshot in
                    let session = snapshot.session
                    let made = try await test.access.create(
                        session.actorName, metadata: session.metadata, id: session.id)
                    test.expect(made.actorName.utf8.elementsEqual(session.actorName.utf8), "the name create gives")
                    test.expect(made.metadata, equals: session.metadata, "the metadata that create gives")
                    return SessionSnapshot(session: snapshot.session(like: made), messages: [])
                },
                way("appended", "appends", kind) { test, snapshot in
                    let made = try await test.access.create("local/values", id: snapshot.session.id)
                    let stored = try await test.access.append(snapshot.messages.map(again), to: made.id)
                    try test.expectMessages(stored, hold: snapshot.messages, "what append gives")
                    try await test.expectUnchanged(made.id, "replays") {
                        test.expect(
                            try await test.access.append(snapshot.messages.map(again), to: made.id), are: stored,
                            "the replay")
                        for message in stored {
                            test.expect(
                                try await test.access.append(again(message), to: made.id), equals: message,
                                "the replay of message \(message.sequence)")
                        }
                    }
                    let found = try test.require(await test.access.snapshot(of: made.id), "the session")
                    try test.expectMessages(found.messages, hold: snapshot.messages, "the messages")
                    return SessionSnapshot(session: found.session, messages: stored)
                },
                way("updated", "an update and an increment", kind) { test, snapshot in
                    var expected = try await test.access.create("before", metadata: ["before": 1])
                    let next = snapshot.session
                    expected = try await test.access.update(
                        expected.id, actorName: next.actorName, metadata: next.metadata)
                    test.expect(expected.actorName.utf8.elementsEqual(next.actorName.utf8), "the name update gives")
                    test.expect(expected.metadata, equals: next.metadata, "the metadata that update gives")
                    test.expect(try await test.access.get(expected.id), equals: expected, "the session")
                    expected = try await test.access.addUsage(next.usage, to: expected.id)
                    test.expect(expected.usage, equals: next.usage, "the totals")
                    return SessionSnapshot(session: expected, messages: [])
                },
            ]
        }
        + ValueKind.all.flatMap { kind in
            [
                way("restored", "a restore", kind, layers: [.repository]) { test, snapshot in
                    try await test.store.restore(snapshot.session, messages: ListedMessages(snapshot.messages))
                    return snapshot
                },
                way("replaced", "a replacement", kind, layers: [.repository]) { test, snapshot in
                    let session = snapshot.session
                    let old = try await test.store.create(
                        NewSession(id: session.id, actorName: "before", createdAt: session.createdAt))
                    try await test.store.replace(
                        session, messages: ListedMessages(snapshot.messages), expectedRevision: old.revision)
                    return snapshot
                },
                Scenario(
                    "record.\(kind.name)-reopened", .reopen, "3.1",
                    "What is held is the same after the store was opened again: \(kind.what).",
                    requires: [.ability(.reopen)], layers: [.repository]
                ) { test in
                    let snapshots = test.snapshots(of: kind)
                    for snapshot in snapshots {
                        try await test.store.restore(snapshot.session, messages: ListedMessages(snapshot.messages))
                    }
                    try await test.reopen()
                    for snapshot in snapshots { try await test.expectHeld(snapshot) }
                },
            ]
        }

    /// - Parameter store: Stores the session, and gives what must be there.
    private static func way(
        _ name: String, _ what: String, _ kind: ValueKind, layers: [Layer] = Layer.allCases,
        _ store: @escaping @Sendable (ScenarioContext, SessionSnapshot) async throws -> SessionSnapshot
    ) -> Scenario {
        Scenario(
            "record.\(kind.name)-\(name)", .record, "2",
            "What comes by \(what) is given back to the bit by every read: \(kind.what).", layers: layers
        ) { test in
            // Appends show what they carry with one session; a creation and an update have no messages.
            let snapshots = test.snapshots(of: kind, withMessages: name != "created" && name != "updated")
            for snapshot in name == "appended" ? Array(snapshots.prefix(1)) : snapshots {
                try await test.expectHeld(try await store(test, snapshot))
            }
        }
    }
}

extension ScenarioContext {
    /// A session for each value of the kind. The first has the messages, and the others as many as show their times.
    fileprivate func snapshots(of kind: ValueKind, withMessages: Bool = true) -> [SessionSnapshot] {
        let limits = store.capabilities.limits
        let messages = withMessages ? kind.messages(limits) : []
        return kind.sessions(limits).enumerated().map { index, values in
            let created = values.createdAt ?? clock.next()
            let id = newID()
            let own = index == 0 ? messages : Array(messages.prefix(2))
            let session = Session(
                id: id, actorName: values.actorName, messageCount: own.count, usage: values.usage,
                metadata: values.metadata, createdAt: created, updatedAt: values.updatedAt ?? created.advanced(by: 1))
            return SessionSnapshot(
                session: session,
                messages: own.enumerated().map { place, message in
                    SessionMessage(
                        id: newID(), sessionID: id, sequence: place + 1, role: message.role, content: message.content,
                        toolCallID: message.toolCallID, metadata: message.metadata,
                        createdAt: kind.times.isEmpty ? created : kind.times[place % kind.times.count])
                })
        }
    }

    /// Notes a failure where any read gives another session or other messages, and ends the scenario with it: what is wrong
    /// with one value is wrong with many, and each would be shown.
    fileprivate func expectHeld(_ snapshot: SessionSnapshot) async throws {
        let (session, all) = (snapshot.session, snapshot.messages)
        expect(try await access.get(session.id), equals: session, "get")
        expect(try await access.list().first { $0.id == session.id }, equals: session, "the list")
        expect(
            try await access.list(SessionFilter(actorName: session.actorName)).first { $0.id == session.id },
            equals: session, "the list of the actor")
        for range in [MessageRange.after(0), .before(all.count + 1), .last] {
            let page = try await access.page(session.id, range)
            expect(page?.session, equals: session, "the session of \(range)")
            expect(page?.messages ?? [], are: all, "the messages of \(range)")
        }
        if !failures.isEmpty { throw ScenarioStopped() }
    }

    /// Compares what a caller sent of messages.
    fileprivate func expectMessages(_ stored: [SessionMessage], hold sent: [SessionMessage], _ what: String) throws {
        expect(stored.count, equals: sent.count, "the number of \(what)")
        for (stored, sent) in zip(stored, sent) {
            let same =
                stored.id == sent.id && stored.role == sent.role && stored.content.utf8.elementsEqual(sent.content.utf8)
                && (stored.toolCallID.map { Array($0.utf8) } == sent.toolCallID.map { Array($0.utf8) })
                && stored.metadata == sent.metadata
            try require(same, "\(what): expected \(shown(again(sent))), found \(shown(again(stored)))")
        }
    }
}

extension SessionSnapshot {
    /// The session with the times of one that was made.
    fileprivate func session(like made: Session) -> Session {
        Session(
            id: session.id, actorName: session.actorName, metadata: session.metadata, createdAt: made.createdAt,
            updatedAt: made.updatedAt)
    }
}

// MARK: - The values

extension ValueKind {
    fileprivate static let texts = ValueKind(
        name: "texts", what: "blanks, case, composition, quotes, line ends, U+0000, characters of four bytes",
        sessions: { limits in
            (names + [String(repeating: "n", count: limits.actorNameBytes)]).filter {
                $0.utf8.count <= limits.actorNameBytes
            }.map { SessionValues(actorName: $0, metadata: metadata($0)) }
                + controls.map { SessionValues(metadata: metadata($0)) }
        },
        messages: { limits in
            (names + controls + [String(repeating: "c", count: limits.toolCallIDBytes)]).map { text in
                NewMessage(
                    .tool, text, toolCallID: text.utf8.count <= limits.toolCallIDBytes ? text : nil,
                    metadata: metadata(text))
            }
        })

    private static let names = [
        "a ", " a", "a  b", "ABC", "\u{E9}", "e\u{301}", "ﬁ", "𝕏 \u{10000}", "👩‍👩‍👧", "a\u{A0}b", "o'neil", "a\\b", "100%_",
        "\"a\"", "1.0", "NULL", "true", "\u{E000}\u{FFFD}", String(repeating: "n", count: 200) + "z",
    ]
    private static let controls = [
        "", "a\n", "a\r\nb", "a\rb", "a\tb", "a\u{0}b", "\u{0}", "\u{FEFF}a", "\u{2028}\u{2029}", "\u{1}\u{1F}\u{7F}",
        "\u{85}",
    ]

    fileprivate static let lengths = ValueKind(
        name: "lengths", what: "texts a byte longer than 255, 256, 4096, 65,535 and 65,536 bytes",
        sessions: { _ in lengthy.map { SessionValues(metadata: ["text": .string($0)]) } },
        messages: { _ in lengthy.map { NewMessage(.user, $0, metadata: ["text": .string($0)]) } })

    private static let lengthy = [256, 257, 4097, 65_537].map { String(repeating: "l", count: $0 - 1) + "z" }

    /// The text as a value at several depths, and as a key.
    private static func metadata(_ text: String) -> JSONObject {
        [
            "text": .string(text), "in": [.string(text), ["deep": [.string(text)]]],
            "keys": .object(JSONObject(members: [(String(text.prefix(300)), .null)])),
        ]
    }

    fileprivate static let numbers = ValueKind(
        name: "numbers",
        what: "integers at the edges of 16, 32, 53 and 64 bits, zeros with signs, doubles that look like "
            + "integers, at every depth",
        sessions: { _ in
            let totals = integers.filter { $0 >= 0 }
            return zip(integers, integers.indices).map { number, index in
                SessionValues(
                    metadata: metadata(.integer(number)),
                    usage: TokenUsage(
                        inputTokens: totals[index % totals.count], outputTokens: totals[(index + 1) % totals.count],
                        estimatedCost: totals[(index + 2) % totals.count]))
            } + doubles.map { SessionValues(metadata: metadata(.double($0))) }
        },
        messages: { _ in
            (integers.map(JSONValue.integer) + doubles.map(JSONValue.double)).map {
                NewMessage(.user, "n", metadata: metadata($0))
            }
        })

    private static let integers: [Int64] = [
        .max, .min, .max - 1, .min + 1, 9_007_199_254_740_993, -9_007_199_254_740_993, 1 << 31, -(1 << 31) - 1, 1 << 32,
        (1 << 32) - 1, 65_535, 65_536, 256, 0, -1, 1, 1_000_000_000_000_001,
    ]
    private static let doubles: [Double] = [
        0, -0.0, 1, -1, 0.1, 1.0 / 3.0, 123_456.789_012_345, 1e15, 1e16, 1e21, 9_007_199_254_740_992, 1e-7, 1e-300,
        .leastNonzeroMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0x1p63, -0x1p63,
    ]

    private static func metadata(_ number: JSONValue) -> JSONObject {
        ["n": number, "in": [number, ["deep": [number, ["deeper": number]]]]]
    }

    fileprivate static let times = ValueKind(
        name: "times", what: "microseconds, times before 1970 and beyond 2038, 2106 and 2262, the first and the last",
        sessions: { _ in
            moments.dropLast().flatMap { time in
                [SessionValues(createdAt: time), SessionValues(createdAt: .earliest, updatedAt: time.advanced(by: 1))]
            } + [SessionValues(createdAt: moments[1], updatedAt: .latest)]
        }, messages: { _ in moments.map { NewMessage(.user, "\($0)") } }, times: moments)

    /// In no order, as times of messages have none.
    private static let moments: [Timestamp] = [
        4_294_967_296_000_001, 0, -1, 1, .min, 999, 1_767_225_599_999_999, -2_147_483_648_000_001,
        2_147_483_648_000_001,
        9_223_372_036_854_776, -9_223_372_036_854_777, -12_219_292_800_000_001, 951_782_400_000_003,
        253_402_300_799_999_998, .max,
    ].map { (microseconds: Int64) in
        Timestamp(microseconds: microseconds) ?? (microseconds < 0 ? .earliest : .latest)
    }
}
