import Testing

@testable import AgentSessionsJSON

@Suite("JSON errors")
struct JSONErrorTests {
    @Test(
        "The description of a JSON error says what is allowed and where, and quotes nothing",
        arguments: [
            ("", "JSON, byte 0: the text is empty; it must hold one value"),
            ("[\"secret", "JSON, byte 8: the text ends inside a value"),
            ("[secret]", "JSON, byte 1: unexpected character; allowed here: a value"),
            ("[1 secret]", "JSON, byte 3: unexpected character; allowed here: , or ]"),
            ("{\"secret\":1;", "JSON, byte 11: unexpected character; allowed here: , or }"),
            ("{secret:1}", "JSON, byte 1: unexpected character; allowed here: a string"),
            ("{\"secret\";1}", "JSON, byte 9: unexpected character; allowed here: :"),
            (
                "\u{FEFF}1",
                "JSON, byte 0: the text begins with a byte order mark; JSON is UTF-8 without one (RFC 8259, section 8.1)"
            ),
            (
                "[99999999999999999999]",
                "JSON, byte 1: an integer is too large for 64 bits; allowed are -9223372036854775808 to 9223372036854775807"
            ),
            (
                "[1e999]",
                "JSON, byte 1: a number is too large for a double; allowed are magnitudes up to 1.7976931348623157e308"
            ),
            (
                "{\"secret\":\"\\ud800\"}",
                "JSON, byte 11: a surrogate escape stands alone; allowed is a high one (\\uD800-\\uDBFF) followed by a "
                    + "low one (\\uDC00-\\uDFFF)"
            ),
            ("{} secret", "JSON, byte 3: something follows the value; only whitespace may stand after it"),
            ("{\"a\":1,\"a\":2}", "JSON, byte 7: the key \"a\" is duplicated; the keys of an object must be unique"),
        ])
    func descriptions(text: String, description: String) {
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(text) }
        #expect(error?.description == description)
    }

    @Test("A JSON error names the limit that was exceeded")
    func limits() {
        let limits = JSONLimits(maximumBytes: 5, maximumDepth: 1)
        let large = #expect(throws: JSONError.self) { try JSONParser.parse("123456", limits: limits) }
        #expect(large?.description == "JSON: the text is too large; allowed are 5 bytes")
        let deep = #expect(throws: JSONError.self) { try JSONParser.parse("[[]]", limits: limits) }
        #expect(deep?.description == "JSON, byte 1: arrays and objects are nested too deeply; allowed are 1 levels")
        let other = #expect(throws: JSONError.self) { try JSONObject(parsing: "[]") }
        #expect(other?.description == "JSON, byte 0: the value is not an object; allowed here: {")
        let bytes: [UInt8] = [0x22, 0xFF, 0x22]
        let invalid = #expect(throws: JSONError.self) { try JSONParser.parse(bytes) }
        #expect(invalid?.description == "JSON, byte 1: a string is not valid UTF-8")
    }

    @Test("Each kind of JSON error has its name")
    func kinds() {
        let kinds: [JSONError.Kind] = [
            .empty, .truncated, .unexpectedCharacter, .invalidUTF8, .unpairedSurrogate, .duplicateKey,
            .numberOutOfRange, .nonFiniteNumber, .tooDeep, .tooLarge, .notAnObject, .trailingContent,
        ]
        #expect(Set(kinds).count == kinds.count)
        #expect(Set(kinds.map(\.description)).count == kinds.count)
        #expect(JSONError.Kind.invalidUTF8.description == "invalidUTF8")
    }
}
