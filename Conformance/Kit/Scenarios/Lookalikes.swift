import AgentSessions

extension Scenario {
    /// What is nearly the same, and another: texts that differ in a byte, messages that changed places.
    static let lookalikes: [Scenario] = [
        replayedTexts("contents", "contents", alikeTexts + longTexts, within: \.contentBytes) {
            NewMessage(.user, $0)
        },
        replayedTexts("tool-call-ids", "tool call ids", alikeTexts, within: \.toolCallIDBytes) {
            NewMessage(.tool, "result", toolCallID: $0)
        },
        Scenario(
            "replay.order-inside", .replay, "3.6",
            "A batch whose first and last messages are in their places, and those between are not, is a conflict."
        ) { test in
            let session = try await test.access.create()
            let stored = try await test.access.append((1...4).map(turn), to: session.id)
            let batch = try [0, 2, 1, 3].map { (index) throws(StoreError) in again(try stored.at(index)) }
            try await test.expectUnchanged(session.id, "a batch in another order") {
                await test.expect(.conflict, "the batch with its middle exchanged") { () throws(StoreError) in
                    try await test.access.append(batch, to: session.id)
                }
            }
        },
        Scenario(
            "replay.ids-exchanged", .replay, "3.6",
            "Messages of one payload are told apart by their ids: a batch with two of them exchanged is a conflict."
        ) { test in
            let session = try await test.access.create()
            let stored = try await test.access.append(
                (1...3).map { _ in NewMessage(.user, "the same") }, to: session.id)
            for order in [[1, 0, 2], [0, 2, 1], [2, 1, 0]] {
                let batch = try order.map { (index) throws(StoreError) in again(try stored.at(index)) }
                try await test.expectUnchanged(session.id, "a batch in another order") {
                    await test.expect(.conflict, "the messages \(order)") { () throws(StoreError) in
                        try await test.access.append(batch, to: session.id)
                    }
                }
            }
        },
        Scenario(
            "update.actor-alike", .update, "3.4",
            "A new actor name may differ from the old one in its case, its blanks, its composition or its end alone, and "
                + "lists follow it."
        ) { test in
            let session = try await test.access.create("first")
            var before = "first"
            // Each name after each other of its kin.
            for names in alikeNames(within: test.store.capabilities.limits) {
                for (index, name) in names.enumerated() {
                    for other in names[(index + 1)...] {
                        for next in [name, other] {
                            let changed = try await test.access.update(session.id, actorName: next)
                            test.expect(
                                Array(changed.actorName.utf8), equals: Array(next.utf8),
                                "the bytes of the name that update gives")
                            test.expect(try await test.access.get(session.id), equals: changed, "the session \(next)")
                            test.expect(
                                try await test.access.list(SessionFilter(actorName: next)), equals: [changed],
                                "the list of \(next)")
                            if next != before {
                                test.expect(
                                    try await test.access.list(SessionFilter(actorName: before)), equals: [],
                                    "the list of \(before), which is \(next) now")
                            }
                            before = next
                        }
                    }
                }
            }
        },
        Scenario(
            "list.actor-alike", .list, "3.3",
            "A filter by actor tells names apart that differ in their case, their blanks, their composition or their end "
                + "alone, and no actor has the empty name."
        ) { test in
            var made: [Session] = []
            for name in alikeNames(within: test.store.capabilities.limits).joined() {
                made.append(try await test.access.create(name))
            }
            for session in made {
                test.expect(
                    try await test.access.list(SessionFilter(actorName: session.actorName)), equals: [session],
                    "the list of \(session.actorName)")
            }
            test.expect(try await test.access.list(SessionFilter(actorName: "")), equals: [], "the list of nobody")
        },
        Scenario(
            "replay.ids-alike", .replay, "3.6",
            "Messages whose ids differ in one byte, or in one half, are different messages."
        ) { test in
            let session = try await test.access.create()
            var stored: [SessionMessage] = []
            for id in alikeIDs(to: test.newID()) {
                stored.append(
                    try await test.access.append(NewMessage(.user, "m\(stored.count)", id: id), to: session.id))
            }
            test.expect(stored.map(\.sequence), equals: Array(1...stored.count), "the sequences")
            for message in stored {
                test.expect(try await test.access.append(again(message), to: session.id), equals: message, "the replay")
            }
        },
        Scenario(
            "replay.pairs-alike", .replay, "3.6",
            "Payloads that differ in one text or one number are different, whichever was first: in the content, the tool "
                + "call id, and a key or a value deep in metadata.", layers: [.repository]
        ) { test in
            let session = try await test.access.create()
            let most = test.store.capabilities.limits.toolCallIDBytes
            var payloads: [(NewMessage, NewMessage)] = []
            for (left, right) in alikePairs {
                payloads.append((NewMessage(.tool, left), NewMessage(.tool, right)))
                payloads.append((deep(.string(left)), deep(.string(right))))
                guard max(left.utf8.count, right.utf8.count) <= most else { continue }
                payloads.append(
                    (NewMessage(.tool, "", toolCallID: left), NewMessage(.tool, "", toolCallID: right)))
                payloads.append((deep(.object([left: 1])), deep(.object([right: 1]))))
            }
            for (left, right) in alikeNumbers { payloads.append((deep(left), deep(right))) }
            for (left, right) in payloads {
                for (first, second) in [(left, right), (right, left)] {
                    let stored = try await test.access.append(first, to: session.id)
                    var other = second
                    other.id = stored.id
                    let error = await test.expect(.conflict, "\(shown(second)) in place of \(shown(first))") {
                        [other] () throws(StoreError) in
                        try await test.access.append(other, to: session.id)
                    }
                    // What is wrong with one pair is wrong with many.
                    guard error != nil else { return }
                }
            }
        },
    ]

    /// Each differs from others in what engines, columns and comparisons have been known to pass over.
    private static let alikeTexts = [
        "", "a", "A", "a ", " a", "a\t", "a\n", "a\r", "a\r\n", "a\u{0}", "a\u{0}b", "a\u{0}c", "ab", "\u{E9}",
        "e\u{301}", "\u{FEFF}a", "ﬁ", "fi", String(repeating: "x", count: 200) + "a",
        String(repeating: "x", count: 200) + "b",
    ]

    /// Texts that are one to somebody who trims, folds, composes, replaces or cuts.
    private static let alikePairs: [(String, String)] =
        [
            ("a ", "a"), (" a", "a"), ("a  b", "a b"), ("A", "a"), ("\u{E9}", "e\u{301}"), ("ﬁ", "fi"), ("a𝕏", "a"),
            ("a\u{200D}b", "ab"), ("a\u{A0}b", "a b"), ("o''n", "o'n"), (#"a\\b"#, #"a\b"#), ("1.0", "1"), ("a\n", "a"),
            ("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\tb", "a b"), ("a\u{0}", "a"), ("a\u{0}b", "a\u{0}c"),
            ("\u{FEFF}a", "a"), ("", " "),
        ]
        + [63, 127, 254, 255, 256, 4096, 65_535, 65_536].map { count in
            (String(repeating: "n", count: count) + "x", String(repeating: "n", count: count) + "y")
        }

    /// Numbers that are one in fewer bits, in fewer digits, without a sign or as a number of another kind.
    private static let alikeNumbers: [(JSONValue, JSONValue)] = [
        (.integer(.max), .integer(.max - 1)), (.integer(.min), .integer(.min + 1)), (.integer(.min), .integer(.max)),
        (9_007_199_254_740_993, 9_007_199_254_740_992), (.integer(1 << 32), 0), (65_536, 0), (-1, 1), (-1, 0),
        (.integer(1 << 32 - 1), -1), (.integer(1 << 31), .integer(1 << 31 - 1)), (.integer(1 << 32 | 5), 5),
        (1_000_000_000_000_001, 1_000_000_000_000_000), (.double(0), .double(-0.0)), (1, .double(1)), (.double(0), 0),
        (.double(0.1), .double(Double(Float(0.1)))), (.double(1e301), .double(1e300)),
        (.double(1), .double(1.0.nextUp)),
        (.double(.leastNonzeroMagnitude), .double(0)), (.double(1e-10), .double(0)), (.double(1.001), .double(1)),
    ]

    private static func deep(_ value: JSONValue) -> NewMessage {
        NewMessage(.tool, "deep", metadata: ["in": [["value": value]]])
    }

    private static let longTexts = ["a", "b", "a\u{0}"].map { String(repeating: "long ", count: 2000) + $0 }

    /// Names that are taken for each other, kin by kin, as long as a store takes them.
    private static func alikeNames(within limits: StoreLimits) -> [[String]] {
        alikeNames.map { names in names.filter { $0.utf8.count <= limits.actorNameBytes } }
    }

    private static let alikeNames = [
        ["local/a", "local/A", "LOCAL/A", "local/a ", " local/a", "local/ a"], ["caf\u{E9}", "cafe\u{301}"],
        ["stra\u{DF}e", "strasse"], ["a", "b", "B", "b "].map { String(repeating: "n", count: 200) + $0 },
        [31, 32, 63, 64, 127, 128, 255].map { String(repeating: "l", count: $0) },
    ]

    /// Sends each of several texts again, and each in the place of every other.
    private static func replayedTexts(
        _ name: String, _ what: String, _ texts: [String], within limit: any KeyPath<StoreLimits, Int> & Sendable,
        _ message: @escaping @Sendable (String) -> NewMessage
    ) -> Scenario {
        Scenario(
            "replay.\(name)-alike", .replay, "3.6",
            "A replay gives back the message whatever its text, and \(what) that differ in a single byte are different "
                + "payloads: case, blanks, line ends, U+0000, composition, the end of a long one."
        ) { test in
            let session = try await test.access.create()
            let most = test.store.capabilities.limits[keyPath: limit]
            let texts = texts.filter { $0.utf8.count <= most }
            let stored = try await test.access.append(texts.map(message), to: session.id)
            try await test.expectUnchanged(session.id, "replays and refusals") {
                for (index, one) in stored.enumerated() {
                    test.expect(
                        try await test.access.append(again(one), to: session.id), equals: one,
                        "the replay of text \(index)")
                    for (other, text) in texts.enumerated() where other != index {
                        var changed = message(text)
                        changed.id = one.id
                        await test.expect(.conflict, "text \(other) in the place of text \(index)") {
                            [changed] () throws(StoreError) in
                            try await test.access.append(changed, to: session.id)
                        }
                    }
                }
            }
        }
    }
}
