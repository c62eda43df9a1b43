import AgentSessions
import Testing

@testable import agent_sessions

@Suite("Text output")
struct TextTests {
    @Test(
        "Control characters that would drive a terminal are shown as text",
        arguments: [
            ("plain", "plain"), ("tab\tline\n", "tab\\u{9}line\\u{A}"), ("\u{1B}[2J", "\\u{1B}[2J"),
            ("\u{9B}x", "\\u{9B}x"),
            ("a\u{202E}b", "a\\u{202E}b"), ("\u{2067}x", "\\u{2067}x"), ("\u{FEFF}", "\\u{FEFF}"),
            ("\u{2028}", "\\u{2028}"),
            ("\0", "\\u{0}"), ("\u{7F}", "\\u{7F}"), ("👩‍👧", "👩‍👧"), ("नमस्\u{200D}ते", "नमस्\u{200D}ते"), ("é日本", "é日本"),
            ("\u{FFFE}", "\\u{FFFE}"), ("\u{E000}", "\\u{E000}"), ("\r", "\\u{D}"),
        ])
    func visibleText(_ text: String, _ shown: String) {
        #expect(visible(text) == shown)
    }

    @Test("Line feeds and tabs can be kept in visible text")
    func lines() {
        #expect(visible("a\n\tb\r\u{1B}", keepsLines: true) == "a\n\tb\\u{D}\\u{1B}")
    }

    @Test(
        "The width of a text is the number of its terminal columns",
        arguments: [
            ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("한", 2), ("👩‍👩‍👧‍👦", 2), ("❤️", 2), ("\u{301}", 0),
        ])
    func columns(_ text: String, _ width: Int) {
        #expect(text.columns == width)
    }

    @Test("A text is shortened to a width with an ellipsis")
    func shortened() {
        #expect("abcdef".shortened(to: 6) == "abcdef")
        #expect("abcdef".shortened(to: 4) == "abc…")
        #expect("日本語".shortened(to: 4) == "日…")
    }

    @Test("The columns of a table are aligned")
    func table() {
        var table = Table([.text("NAME"), .number("N"), .text("LAST")])
        table.rows = [["日本", "7", "x"], ["longer name", "1234", ""]]
        #expect(
            table.text == """
                NAME            N  LAST
                日本            7  x
                longer name  1234
                """)
    }

    @Test("The names and values of a block are aligned")
    func block() {
        #expect(keyValueBlock([("a", "1"), ("long", "2"), ("none", "")], indent: 2) == "  a     1\n  long  2\n  none")
    }

    @Test(
        "Amounts of money are exact",
        arguments: [
            (0, "$0.00"), (1, "$0.000001"), (12_500, "$0.0125"), (1_000_000, "$1.00"), (1_230_000, "$1.23"),
            (-1_500_000, "-$1.50"), (Int64.max, "$9223372036854.775807"), (Int64.min, "-$9223372036854.775808"),
        ])
    func money(_ amount: Int64, _ text: String) {
        #expect(dollars(microdollars: amount) == text)
    }

    @Test(
        "Counts have digit groups and a plural",
        arguments: [
            (0, "0 sessions"), (1, "1 session"), (999, "999 sessions"), (5308, "5,308 sessions"),
            (1_000_000, "1,000,000 sessions"),
        ])
    func counts(_ count: Int, _ text: String) {
        #expect(counted(count, "session") == text)
    }

    @Test("A value that JSON cannot hold is an error, not a crash")
    func nonFinite() {
        let error = #expect(throws: StoreError.self) { try jsonText(.double(.infinity)) }
        #expect(error?.code == .internalFailure)
    }
}
