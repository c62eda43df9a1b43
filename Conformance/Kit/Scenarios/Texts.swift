import AgentSessions

extension Scenario {
    /// Texts that engines have been known to change.
    static let texts: [Scenario] =
        hostile.map { name, what, text in
            Scenario("text.\(name)", .text, "2", "A content with \(what) is given back as it came.") { test in
                let session = try await test.access.create()
                // Alone, in the middle and at both ends: cutting shows at each.
                let contents = [text, "a\(text)b", "\(text)end", "begin\(text)"]
                let stored = try await test.access.append(
                    contents.map { NewMessage(.user, $0, metadata: ["text": .string($0)]) }, to: session.id)
                test.expect(stored.map(\.content), equals: contents, "what append gives")
                let found = try await test.access.messages(session.id)
                test.expect(found.map(\.content), equals: contents, "what is stored")
                test.expect(found, equals: stored, "the messages")
                test.expect(
                    try await test.access.messages(session.id, .last), equals: stored, "the last messages")
                if text.utf8.count <= 200 {
                    let call = try await test.access.append(
                        NewMessage(.tool, "", toolCallID: "a\(text)"), to: session.id)
                    test.expect([call.toolCallID ?? ""], equals: ["a\(text)"], "the tool call id")
                    test.expect(
                        try await test.access.messages(session.id, .last, limit: 1), equals: [call], "its message")
                }
            }
        }
        + actors.map { name, what, left, right in
            Scenario(
                "text.actor-\(name)", .text, "3.3",
                "Actor names that differ in \(what) are different actors, byte for byte."
            ) { test in
                let first = try await test.access.create(left)
                let second = try await test.access.create(right)
                test.expect([first.actorName, second.actorName], equals: [left, right], "what create gives")
                test.expect(
                    try await test.access.list(SessionFilter(actorName: left)), equals: [first], "the first actor's")
                test.expect(
                    try await test.access.list(SessionFilter(actorName: right)), equals: [second], "the second actor's")
            }
        } + [
            Scenario(
                "text.actor-control", .text, "2", "An actor name with a control character is refused.",
                layers: [.service]
            ) { test in
                let session = try await test.access.create("good")
                for name in ["", "a\u{0}", "a\nb", "\u{7F}", "\u{85}", "\u{1B}[31m"] {
                    await test.expect(.invalidArgument, "the name \(name.unicodeScalars.map(\.value))") {
                        () throws(StoreError) in
                        try await test.service.create(actorName: name)
                    }
                    await test.expect(.invalidArgument, "the name \(name.unicodeScalars.map(\.value)) in an update") {
                        () throws(StoreError) in
                        try await test.service.update(session.id, actorName: name)
                    }
                }
                test.expect(try await test.access.list(), equals: [session], "the list")
            }
        ]

    private static let hostile: [(String, String, String)] = [
        ("nul", "U+0000", "\u{0}"),
        ("nuls", "several U+0000", "\u{0}\u{0}x\u{0}"),
        ("control", "every control character", scalars(Array(1...31))),
        ("delete", "U+007F and the controls above it", "\u{7F}\u{80}\u{9F}"),
        ("line-ends", "line ends of every kind", "\r\n\n\r\u{85}\u{2028}\u{2029}"),
        ("blanks", "leading and trailing blanks", "  \t \u{A0}\u{3000} "),
        ("composed", "composed and decomposed accents side by side", "\u{E9} e\u{301} \u{C5} A\u{30A} \u{212B}"),
        ("lone-mark", "a lone combining mark", "\u{301}"),
        ("joiner", "a lone joiner and variation selector", "\u{200D}\u{FE0F}\u{200B}"),
        ("emoji", "emoji of several scalars", "👩‍👩‍👧‍👦🏳️‍🌈👍🏽🇩🇪"),
        ("astral", "scalars of four bytes", "𝕏𐍈𠜎\u{10000}\u{10FFFF}"),
        ("noncharacters", "noncharacters", scalars([0xFFFE, 0xFFFF, 0xFDD0, 0x1FFFE])),
        ("replacement", "U+FFFD", "\u{FFFD}"),
        ("byte-order-mark", "U+FEFF", "\u{FEFF}"),
        ("right-to-left", "text from right to left and its marks", "שלום \u{202E}abc\u{202C} مرحبا\u{200F}"),
        ("hangul", "Hangul, composed and in jamo", "한국어 \u{1112}\u{1161}\u{11AB}"),
        ("case", "letters that change length with their case", "ß ẞ İ ı ǅ ﬁ"),
        ("private-use", "private use scalars", "\u{E000}\u{F8FF}\u{F0000}\u{10FFFD}"),
        ("zalgo", "a letter with a hundred marks", "a" + String(repeating: "\u{316}", count: 90)),
        ("quotes", "quotes, backslashes and percent signs", #"'"`\\\0%s%n$1 {} ''"#),
        ("statement", "what looks like a statement", "'); DELETE FROM session_messages; --"),
        ("escape", "what looks like an escape", #"\u0000 \x00 &#0; %00 \N \."#),
        ("json", "what looks like JSON", #"{"role":"user","content":null}"#),
        ("null-word", "what looks like a null", "NULL"),
        ("number", "what looks like a number", "1e400"),
        ("bytes", "what looks like bytes in hexadecimal", #"\xDEADBEEF"#),
    ]

    private static let actors: [(String, String, String, String)] = [
        ("case", "case", "local/Agent", "local/agent"),
        ("composition", "composition", "caf\u{E9}", "cafe\u{301}"),
        ("trailing-blank", "a trailing blank", "agent", "agent "),
        ("prefix", "length, one the beginning of the other", "agent", "agent/1"),
        ("percent", "what a pattern would match: %", "a%", "abc"),
        ("underscore", "what a pattern would match: _", "a_c", "abc"),
        ("star", "what a pattern would match: *", "a*", "abc"),
        ("width", "width", "agent", "\u{FF41}gent"),
        ("sharp-s", "ß and ss", "stra\u{DF}e", "strasse"),
        ("quote", "a quote", "o'neil", "o''neil"),
        ("invisible", "an invisible character", "agent", "agent\u{200B}"),
    ]
}

private func scalars(_ values: [UInt32]) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: values.compactMap { Unicode.Scalar($0) })
    return String(text)
}
