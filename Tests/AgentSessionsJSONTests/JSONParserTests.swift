import AgentSessionsTestSupport
import Testing

@testable import AgentSessionsJSON

@Suite("JSON parser")
struct JSONParserTests {
    @Test(
        "The parser gives the value of valid text",
        arguments: [
            ("null", nil),
            (" \t\r\n true \n", true),
            ("false", false),
            ("0", 0),
            ("-0", 0),
            ("-1", -1),
            ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)),
            ("1.0", 1.0),
            ("-0.0", .double(-0.0)),
            ("1e0", 1.0),
            ("1E+2", 100.0),
            ("1e-2", 0.01),
            ("12.5e1", 125.0),
            ("1e-400", 0.0),
            ("9223372036854775808.0", 9_223_372_036_854_775_808.0),
            ("\"\"", ""),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\u00E9\u20AC\ud83d\ude00\u0000""#, "Aéé€😀\u{0}"),
            (#""\uDBFF\uDFFF\uD800\uDC00""#, "\u{10FFFF}\u{10000}"),
            (
                "\"a longer text that needs more than one word, 東京 and 😀 too\"",
                "a longer text that needs more than one word, 東京 and 😀 too"
            ),
            ("\"\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10000}\"", "\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10000}"),
            ("[]", []),
            ("[ ]", []),
            ("[1,\"a\" , [null]]", [1, "a", [nil]]),
            ("{}", [:]),
            ("{ }", [:]),
            (#"{"b":1,"a":{"c":[]}}"#, ["a": ["c": []], "b": 1]),
            (#"{"":0," ":1}"#, ["": 0, " ": 1]),
        ] as [(String, JSONValue)])
    func accepts(text: String, value: JSONValue) throws {
        #expect(try JSONParser.parse(text) == value)
        #expect(try JSONParser.parse(Array(text.utf8)) == value)
        // The same inside an object, as the store reads it.
        let object = try JSONObject(parsing: "{\"k\":\(text)}")
        #expect(object == ["k": value])
        #expect(object["k"] == value)
    }

    static let rejected: [(text: String, kind: JSONError.Kind, offset: Int?)] = [
        ("", .empty, 0),
        (" \n", .empty, 0),
        ("\u{FEFF}{}", .unexpectedCharacter, 0),
        ("[", .truncated, 1),
        ("{", .truncated, 1),
        ("[1", .truncated, 2),
        ("[1,", .truncated, 3),
        ("{\"a\"", .truncated, 4),
        ("{\"a\":", .truncated, 5),
        ("{\"a\":1", .truncated, 6),
        ("{\"a\":1,", .truncated, 7),
        ("\"abc", .truncated, 4),
        ("\"\\", .truncated, 2),
        ("\"\\u12", .truncated, 5),
        ("\"\\ud83d", .truncated, 7),
        ("\"\\ud83d\\u", .truncated, 9),
        ("nul", .truncated, 3),
        ("-", .truncated, 1),
        ("1.", .truncated, 2),
        ("1e", .truncated, 2),
        ("1e+", .truncated, 3),
        ("nulL", .unexpectedCharacter, 3),
        ("True", .unexpectedCharacter, 0),
        ("trux", .unexpectedCharacter, 3),
        ("falsy", .unexpectedCharacter, 4),
        ("NaN", .unexpectedCharacter, 0),
        ("Infinity", .unexpectedCharacter, 0),
        ("-Infinity", .unexpectedCharacter, 1),
        ("+1", .unexpectedCharacter, 0),
        (".5", .unexpectedCharacter, 0),
        ("01", .unexpectedCharacter, 1),
        ("-01", .unexpectedCharacter, 2),
        ("1.e1", .unexpectedCharacter, 2),
        ("1ex", .unexpectedCharacter, 2),
        ("1e+-1", .unexpectedCharacter, 3),
        ("'a'", .unexpectedCharacter, 0),
        ("[1 2]", .unexpectedCharacter, 3),
        ("[1,]", .unexpectedCharacter, 3),
        ("[,1]", .unexpectedCharacter, 1),
        ("[}", .unexpectedCharacter, 1),
        ("{]", .unexpectedCharacter, 1),
        ("{\"a\" 1}", .unexpectedCharacter, 5),
        ("{\"a\":1 \"b\":2}", .unexpectedCharacter, 7),
        ("{\"a\":1,}", .unexpectedCharacter, 7),
        ("{,}", .unexpectedCharacter, 1),
        ("{1:2}", .unexpectedCharacter, 1),
        ("{a:1}", .unexpectedCharacter, 1),
        ("// comment\n1", .unexpectedCharacter, 0),
        ("\u{A0}1", .unexpectedCharacter, 0),
        ("\"\\x\"", .unexpectedCharacter, 2),
        ("\"\\u00g0\"", .unexpectedCharacter, 5),
        ("\"\\U0041\"", .unexpectedCharacter, 2),
        ("\"a\nb\"", .unexpectedCharacter, 2),
        ("\"a\u{0}b\"", .unexpectedCharacter, 2),
        ("\"\t\"", .unexpectedCharacter, 1),
        ("\"\\ud800\"", .unpairedSurrogate, 1),
        ("\"\\udc00\"", .unpairedSurrogate, 1),
        ("\"\\ud800\\n\"", .unpairedSurrogate, 1),
        ("\"\\ud800x\"", .unpairedSurrogate, 1),
        ("\"\\ud800\\ud800\"", .unpairedSurrogate, 1),
        ("\"\\ud800\\u0041\"", .unpairedSurrogate, 1),
        ("\"\\udc00\\ud800\"", .unpairedSurrogate, 1),
        ("{\"a\":1,\"a\":2}", .duplicateKey, 7),
        ("{\"a\":1,\"\\u0061\":2}", .duplicateKey, 7),
        ("{\"\\n\":1,\"b\":[],\"\\u000a\":2}", .duplicateKey, 15),
        ("{\"b\":1,\"a\":{\"x\":0},\"c\":3,\"b\":4}", .duplicateKey, 25),
        ("[{\"\":1,\"\":2}]", .duplicateKey, 7),
        ("9223372036854775808", .numberOutOfRange, 0),
        ("-9223372036854775809", .numberOutOfRange, 0),
        ("[100000000000000000000]", .numberOutOfRange, 1),
        ("1e400", .numberOutOfRange, 0),
        ("-1e400", .numberOutOfRange, 0),
        ("{} {}", .trailingContent, 3),
        ("1 2", .trailingContent, 2),
        ("1a", .trailingContent, 1),
        ("nulll", .trailingContent, 4),
        ("[]]", .trailingContent, 2),
    ]

    @Test("The error for invalid text has its kind and position", arguments: rejected)
    func rejects(text: String, kind: JSONError.Kind, offset: Int?) throws {
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(text) }
        #expect(error?.kind == kind)
        #expect(error?.offset == offset)
    }

    @Test("Invalid text inside an object is refused at any depth", arguments: rejected)
    func rejectsInObject(text: String, kind: JSONError.Kind, offset: Int?) throws {
        #expect(throws: JSONError.self) { try JSONObject(parsing: text) }
        guard kind != .empty, kind != .truncated, kind != .trailingContent else { return }
        let error = #expect(throws: JSONError.self) { try JSONObject(parsing: "{\"k\":[\(text)]}") }
        if !text.hasPrefix("\u{FEFF}") {
            #expect(error?.kind == kind)
            #expect(error?.offset == offset.map { $0 + 6 })
        }
    }

    @Test(
        "Bytes that are not UTF-8 are refused in keys and values",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xC2, 0xC2], [0xE0, 0x80, 0x80],
            [0xE0, 0x9F, 0xBF], [0xE1, 0x80], [0xE1, 0x80, 0x41], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF1, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        for before in ["", "twelve bytes", "é"] {
            let string = [0x22] + Array(before.utf8) + bytes + [0x22]
            let expected = jsonOutcome(try JSONParser.parse(string))
            #expect(expected == .failure(.invalidUTF8(at: 1 + before.utf8.count)))
            for text in [Array("{\"k\":".utf8) + string + [0x7D], [0x7B] + string + Array(":1}".utf8)] {
                text.withUnsafeBufferPointer { buffer in
                    #expect(jsonErrorKind(try JSONObject(parsing: buffer)) == .invalidUTF8)
                }
            }
            // Cut off in the middle of a character and of the text.
            #expect(jsonErrorKind(try JSONParser.parse(Array(string.dropLast()))) == .invalidUTF8)
        }
    }

    @Test("An empty buffer is parsed as empty text")
    func emptyBuffer() {
        let buffer = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        #expect(jsonErrorKind(try JSONParser.parse(buffer)) == .empty)
        #expect(jsonErrorKind(try JSONObject(parsing: buffer)) == .empty)
    }

    @Test("A depth of 64 is accepted and a depth of 65 is not", arguments: [("[", "]"), ("{\"a\":", "}")])
    func depth(open: String, close: String) throws {
        func nested(_ depth: Int) -> String {
            String(repeating: open, count: depth) + "0" + String(repeating: close, count: depth)
        }
        #expect(try JSONParser.parse(nested(64)).depth == 64)
        #expect(jsonErrorKind(try JSONParser.parse(nested(65))) == .tooDeep)
        #expect(try JSONObject(parsing: "{\"k\":\(nested(63))}").depth == 64)
        #expect(jsonErrorKind(try JSONObject(parsing: "{\"k\":\(nested(64))}")) == .tooDeep)
    }

    @Test("No depth of nesting overflows the stack", arguments: ["[", "{\"a\":", "[{\"a\":"])
    func extremeDepth(open: String) {
        let text = String(repeating: open, count: 10_000)
        let unlimited = JSONLimits(maximumBytes: .max, maximumDepth: .max)
        for text in [text, "{\"k\":" + text] {
            #expect(jsonErrorKind(try JSONParser.parse(text, limits: unlimited)) == .tooDeep)
            #expect(jsonErrorKind(try JSONParser.parse(text)) == .tooDeep)
        }
        #expect(jsonErrorKind(try JSONObject(parsing: "{\"k\":" + text, limits: unlimited)) == .tooDeep)
    }

    @Test("The deepest text that any limits allow is read and written")
    func deepest() throws {
        let unlimited = JSONLimits(maximumBytes: .max, maximumDepth: .max)
        let depth = JSONLimits.deepest
        let text = String(repeating: "{\"a\":", count: depth) + "1.0" + String(repeating: "}", count: depth)
        let value = try JSONParser.parse(text, limits: unlimited)
        #expect(value.lossless == text)
        #expect(try JSONObject(parsing: text, limits: unlimited).losslessText() == text)
        #expect(try JSONObject(parsing: " " + text, limits: unlimited).losslessText() == text)
        #expect(try JSONObject(parsing: text, limits: unlimited).objectAtDepth(depth)?["a"] == 1.0)
    }

    @Test("A text may have as many bytes as the limit allows and no more")
    func size() throws {
        let limits = JSONLimits(maximumBytes: 10)
        #expect(try JSONParser.parse("\"12345678\"", limits: limits) == "12345678")
        #expect(jsonErrorKind(try JSONParser.parse("\"123456789\"", limits: limits)) == .tooLarge)
        #expect(try JSONObject(parsing: "{\"a\":\"bc\"}", limits: limits) == ["a": "bc"])
        for text in ["{\"a\":\"bcd\"}", "{\"a\": \"bc\"}"] {
            #expect(jsonErrorKind(try JSONObject(parsing: text, limits: limits)) == .tooLarge)
        }
        // 1e20 is short, but not in the form that is kept.
        #expect(jsonErrorKind(try JSONObject(parsing: "{\"a\":1e20}", limits: limits)) == .tooLarge)
    }
}

extension JSONObject {
    /// The object at a depth of nested members named "a".
    fileprivate func objectAtDepth(_ depth: Int) -> JSONObject? {
        var object: JSONObject? = self
        for _ in 1..<depth { object = object?["a"]?.objectValue }
        return object
    }
}
