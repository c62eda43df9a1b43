import AgentSessions

extension Scenario {
    /// What a session and a message hold is given back as it came.
    static let records: [Scenario] =
        metadataValues.map { name, what, value in
            Scenario(
                "record.metadata-\(name)", .record, "2",
                "Metadata holds \(what) and gives it back as it came, in sessions and messages."
            ) { test in
                try await test.roundTrip(metadata: try value())
            }
        }
        + roles.map { role in
            Scenario(
                "record.role-\(role.count > 20 ? "longest" : role)", .record, "2",
                "The role \(role) is stored and given back."
            ) { test in
                let session = try await test.access.create()
                let stored = try await test.access.append(NewMessage(try MessageRole(role), "x"), to: session.id)
                test.expect(stored.role.name, equals: role, "the role that append gives")
                test.expect(try await test.access.messages(session.id), equals: [stored], "the messages")
            }
        } + [
            Scenario(
                "record.tool-call-id", .record, "2",
                "A tool call id that is missing is told from one that is empty."
            ) { test in
                let session = try await test.access.create()
                let stored = try await test.access.append(
                    [
                        NewMessage(.tool, "none"), NewMessage(.tool, "empty", toolCallID: ""),
                        NewMessage(.tool, "some", toolCallID: "call_1"),
                    ], to: session.id)
                test.expect(stored.map(\.toolCallID), equals: [nil, "", "call_1"], "what append gives")
                test.expect(
                    try await test.access.messages(session.id).map(\.toolCallID), equals: [nil, "", "call_1"],
                    "what is stored")
            },
            Scenario("record.content-empty", .record, "2", "An empty content is a content.") { test in
                let session = try await test.access.create()
                let stored = try await test.access.append([NewMessage(.assistant, ""), turn(2)], to: session.id)
                test.expect(try stored.at(0).content, equals: "", "the content that append gives")
                test.expect(try await test.access.messages(session.id), equals: stored, "the messages")
            },
            Scenario(
                "record.metadata-keys-bytewise", .record, "2",
                "Keys that differ in bytes are different keys: case, composition, blanks, the empty key."
            ) { test in
                try await test.roundTrip(
                    metadata: try JSONObject(
                        parsing: #"{"":0,"a":1,"A":2,"a ":3,"é":4,"e\#u{301}":5,"\u0000":6,"a.b":7,"$a":8}"#))
            },
            Scenario(
                "record.metadata-is-not-merged", .record, "2", "Metadata of a session and of its messages are apart."
            ) { test in
                let session = try await test.access.create(metadata: ["where": "session"])
                let stored = try await test.access.append(
                    [NewMessage(.user, "a", metadata: ["where": "message"]), NewMessage(.user, "b")], to: session.id)
                test.expect(stored.map(\.metadata), equals: [["where": "message"], [:]], "the messages'")
                test.expect(try await test.current(session.id).metadata, equals: ["where": "session"], "the session's")
            },
            Scenario(
                "record.restored", .record, "3.10",
                "A session is restored with every field as it is given: ids, times, counters, usage.",
                layers: [.repository]
            ) { test in
                let snapshot = try test.restorable(messages: 5)
                try await test.store.restore(snapshot.session, messages: ListedMessages(snapshot.messages))
                test.expect(try await test.access.snapshot(of: snapshot.session.id), equals: snapshot, "the session")
                test.expect(try await test.access.list(), equals: [snapshot.session], "the list")
                let next = try await test.access.append(turn(6), to: snapshot.session.id)
                test.expect(next.sequence, equals: 6, "the next sequence")
            },
            Scenario(
                "record.restored-long", .record, "3.10",
                "A restore of any length is one transaction, with every message.", level: .full,
                layers: [.repository], timeLimit: .seconds(40)
            ) { test in
                let count = 3000
                let snapshot = try test.restorable(messages: count)
                try await test.store.restore(snapshot.session, messages: ListedMessages(snapshot.messages))
                test.expect(
                    try await test.access.snapshot(of: snapshot.session.id) == snapshot,
                    "the session is not the one that was restored")
                let sent = snapshot.messages.suffix(1).map(again)
                test.expect(
                    try await test.access.append(sent, to: snapshot.session.id), are: snapshot.messages.suffix(1),
                    "the replay of a restored message")
            },
            Scenario(
                "record.restore-taken", .record, "3.10", "A restore over a session that is there throws alreadyExists.",
                layers: [.repository]
            ) { test in
                let snapshot = try test.restorable(messages: 3)
                _ = try await test.access.create("there", id: snapshot.session.id)
                try await test.expectUnchanged(snapshot.session.id, "a refused restore") {
                    await test.expect(.alreadyExists, "an id that is taken") { () throws(StoreError) in
                        try await test.store.restore(snapshot.session, messages: ListedMessages(snapshot.messages))
                    }
                }
            },
            Scenario(
                "record.restore-whole-or-not", .record, "3.10",
                "A restore whose source fails, ends early, repeats an id or skips a sequence stores nothing.",
                layers: [.repository]
            ) { test in
                let snapshot = try test.restorable(messages: 700)
                let all = snapshot.messages
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
                    do throws(StoreError) {
                        try await test.store.restore(snapshot.session, messages: source)
                        test.fail("\(what): the restore succeeded")
                    } catch {
                        test.expect(error.code != .internalFailure, "\(what): \(error)")
                    }
                    test.expect(
                        try await test.access.get(snapshot.session.id), equals: nil, "the session after \(what)")
                    test.expect(try await test.access.list(), equals: [], "the list after \(what)")
                }
                // Nothing of the refused ones stands in the way of a good one.
                try await test.store.restore(snapshot.session, messages: ListedMessages(all))
                test.expect(
                    try await test.access.snapshot(of: snapshot.session.id) == snapshot,
                    "the session is not the one that was restored")
            },
            Scenario(
                "record.metadata-array-order", .record, "2",
                "Arrays in metadata keep their order and their repetitions."
            ) { test in
                let metadata: JSONObject = [
                    "texts": ["b", "a", "c", "a", ""], "numbers": [3, 1, 2, 1], "mixed": ["b", 1, .null, "a", [2, 1]],
                ]
                let session = try await test.access.create(metadata: metadata)
                test.expect(try await test.current(session.id).metadata, equals: metadata, "the session's metadata")
                let message = NewMessage(.user, "x", metadata: metadata)
                _ = try await test.access.append(message, to: session.id)
                test.expect(
                    try await test.access.messages(session.id).map(\.metadata), equals: [metadata],
                    "the message's metadata"
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
                    try await test.access.messages(session.id).map(\.metadata), equals: [metadata],
                    "the message's metadata"
                )
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
                        id: test.newID(), actorName: made[1].actorName, createdAt: time, updatedAt: time.advanced(by: 7)
                    )
                    try await test.store.restore(session, messages: ListedMessages([]))
                    expected.append(session)
                }
                expected.sort { $0.position > $1.position }
                test.expect(try await test.access.list(), equals: expected, "the list")
                test.expect(
                    try await test.access.list(SessionFilter(actorName: made[1].actorName), limit: 4),
                    equals: Array(expected.prefix(4)), "a page of the actor's list")
            },
        ]

    private static let roles = [
        "system", "developer", "user", "assistant", "tool", "critic", "x", "a-b_c9",
        "abcdefghijklmnopqrstuvwxyz012345",
    ]

    private static let metadataValues: [(String, String, @Sendable () throws -> JSONObject)] = [
        ("empty", "nothing", { [:] }),
        ("null", "null", { ["a": nil, "b": [nil, nil]] }),
        ("bools", "true and false", { ["t": true, "f": false] }),
        (
            "integers", "integers of 64 bits",
            {
                [
                    "max": .integer(.max), "min": .integer(.min), "zero": 0, "minus": -1,
                    "beyond doubles": .integer(9_007_199_254_740_993),
                ]
            }
        ),
        (
            "doubles", "doubles with their value",
            {
                [
                    "tenth": 0.1, "large": 1e308, "small": .double(.leastNonzeroMagnitude), "third": .double(1.0 / 3.0),
                    "negative": -2.5e-10, "most": .double(.greatestFiniteMagnitude),
                ]
            }
        ),
        ("negative-zero", "-0.0 beside 0.0", { ["negative": .double(-0.0), "positive": .double(0.0)] }),
        ("number-kinds", "1 and 1.0 as different numbers", { ["integer": 1, "double": 1.0, "large": .double(1e15)] }),
        (
            "strings", "strings with quotes, backslashes, control characters and NUL",
            { ["a": "\"quoted\" \\ / \u{8}\u{C}\n\r\t", "b": "\u{0}\u{1}\u{1F}\u{7F}\u{80}", "c": ""] }
        ),
        ("unicode", "text outside the basic plane", { ["👩‍👩‍👧": "🏳️‍🌈 𝕏 \u{10FFFF}", "ключ": "значение"] }),
        ("lone-marks", "lone combining marks", { ["\u{301}": "\u{301}\u{20DD}", "x": "\u{200D}\u{FE0F}"] }),
        ("line-separators", "U+2028, U+2029 and U+FEFF", { ["a": "\u{2028}\u{2029}\u{FEFF}"] }),
        (
            "nested", "arrays and objects in each other",
            { ["a": [1, [2, ["b": [:], "c": []]], ["d": nil]], "e": ["f": ["g": ["h": "deep"]]]] }
        ),
        (
            "many-keys", "hundreds of keys",
            { JSONObject(members: (0..<300).map { ("key \($0)", JSONValue.integer(Int64($0))) }) }
        ),
        ("long-string", "a long string", { ["long": .string(String(repeating: "æ", count: 20_000))] }),
        (
            "tool-calls", "tool calls as a provider sends them",
            {
                [
                    "tool_calls": [
                        [
                            "id": "call_1", "type": "function",
                            "function": ["name": "f", "arguments": "{\"x\": 1.50}"],
                        ]
                    ], "content_parts": nil,
                ]
            }
        ),
        (
            "sql", "what looks like a statement or a pattern",
            { ["'; DROP TABLE sessions; --": "100%_\\'\"$1?::jsonb", "__proto__": ["a": 1]] }
        ),
    ]
}

extension ScenarioContext {
    /// Stores metadata in a session and a message, by creation, update and append, and compares what is read.
    fileprivate func roundTrip(metadata: JSONObject) async throws {
        let session = try await access.create(metadata: metadata)
        expect(session.metadata, equals: metadata, "what create gives")
        let stored = try await access.append(
            [NewMessage(.user, "a", metadata: metadata), NewMessage(.user, "b")], to: session.id)
        expect(stored.map(\.metadata), equals: [metadata, [:]], "what append gives")
        expect(try await access.messages(session.id).map(\.metadata), equals: [metadata, [:]], "the messages")
        expect(try await current(session.id).metadata, equals: metadata, "what get gives")
        expect(try await access.list().map(\.metadata), equals: [metadata], "what the list gives")
        let other = try await access.create(metadata: ["other": 1])
        expect(try await access.update(other.id, metadata: metadata).metadata, equals: metadata, "what update gives")
        expect(try await current(other.id).metadata, equals: metadata, "what get gives after an update")
        expect(
            try await access.append(stored.prefix(1).map(again) + [again(stored.at(1))], to: session.id),
            equals: stored,
            "the replay")
    }

    /// A session that never was in this store, with every field another than a new one has.
    func restorable(messages count: Int) throws -> SessionSnapshot {
        let start = clock.next()
        let session = Session(
            id: newID(), actorName: "restored", messageCount: count,
            usage: TokenUsage(inputTokens: .max, outputTokens: 0, estimatedCost: 12_345),
            metadata: ["from": "elsewhere"],
            createdAt: start, updatedAt: start.advanced(by: 1_000_000))
        return SessionSnapshot(session: session, messages: restorableMessages(count, of: session))
    }

    /// So many messages of a session, of every kind of field.
    func restorableMessages(_ count: Int, of session: Session) -> [SessionMessage] {
        (1..<(count + 1)).map { sequence in
            SessionMessage(
                id: newID(), sessionID: session.id, sequence: sequence,
                role: sequence.isMultiple(of: 2) ? .assistant : .user,
                content: "r\(sequence)", toolCallID: sequence.isMultiple(of: 3) ? "call_\(sequence)" : nil,
                metadata: sequence.isMultiple(of: 5) ? ["n": .integer(Int64(sequence))] : [:],
                createdAt: session.createdAt.advanced(by: Int64(sequence) * 10))
        }
    }
}

extension SessionMessage {
    /// The message with another key or place.
    func with(id: ULID? = nil, sessionID: ULID? = nil, sequence: Int? = nil) -> SessionMessage {
        SessionMessage(
            id: id ?? self.id, sessionID: sessionID ?? self.sessionID, sequence: sequence ?? self.sequence, role: role,
            content: content,
            toolCallID: toolCallID, metadata: metadata, createdAt: createdAt)
    }
}

/// Messages to restore, from a list, and where so said an error in place of the end.
struct ListedMessages: MessageSource {
    private let messages: [SessionMessage]
    private let failure: StoreError?

    init(_ messages: some Sequence<SessionMessage>, failure: StoreError? = nil) {
        self.messages = Array(messages)
        self.failure = failure
    }

    func makeReader() throws(StoreError) -> any MessageReader {
        Reader(rest: messages[...], failure: failure)
    }

    private struct Reader: MessageReader {
        var rest: ArraySlice<SessionMessage>
        let failure: StoreError?

        mutating func next() throws(StoreError) -> SessionMessage? {
            if let next = rest.popFirst() { return next }
            if let failure { throw failure }
            return nil
        }
    }
}
