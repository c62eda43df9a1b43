import Testing

@testable import AgentSessionsJSON

@Suite("Quoted text and hexadecimal digits")
struct TextTests {
    @Test(
        "Text from outside is escaped and shortened",
        arguments: [
            ("plain é 漢", "\"plain é 漢\""), ("a\nb\u{0}", "\"a\\u{a}b\\u{0}\""), ("\u{202E}x", "\"\\u{202e}x\""),
            ("\u{2028}\u{2029}\u{FFFE}\u{E000}\u{1B}", "\"\\u{2028}\\u{2029}\\u{fffe}\\u{e000}\\u{1b}\""), ("", "\"\""),
        ])
    func quoting(text: String, shown: String) {
        #expect(quoted(text) == shown)
    }

    @Test("Long text is cut after the given number of scalars")
    func cut() {
        #expect(quoted(String(repeating: "x", count: 60)).count == 62)
        #expect(quoted(String(repeating: "x", count: 61)) == "\"" + String(repeating: "x", count: 60) + "…\"")
        #expect(quoted("a" + String(repeating: "\u{301}", count: 500)).unicodeScalars.count == 63)
    }

    @Test("Text without quotation marks is escaped alike and cut after the given number of scalars")
    func unquoted() {
        #expect(shortened("plain é", limit: 40) == "plain é")
        #expect(shortened("a\n\u{0}\u{1B}\u{202E}b", limit: 40) == "a\\u{a}\\u{0}\\u{1b}\\u{202e}b")
        let forty = String(repeating: "é", count: 40)
        #expect(shortened(forty, limit: 40) == forty)
        #expect(shortened(forty + "k", limit: 40) == forty + "…")
    }

    @Test("Bytes are written in lower-case hexadecimal and read in either case")
    func hexadecimal() {
        let bytes = (0...255).map { UInt8($0) }
        let text = hexEncoded(bytes)
        #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff") && text.utf8.count == 512)
        #expect(hexDecoded(text) == bytes)
        #expect(hexDecoded(text.uppercased()) == bytes)
        #expect(hexEncoded([]).isEmpty && hexDecoded("") == [])
    }

    @Test(
        "Text that is not pairs of hexadecimal digits is refused",
        arguments: ["a", "0g", "g0", " 0", "0x", "é", "٣٣", "-1"])
    func notHexadecimal(text: String) {
        #expect(hexDecoded(text) == nil)
    }
}
