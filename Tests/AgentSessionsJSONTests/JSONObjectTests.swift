import AgentSessionsTestSupport
import Testing

@testable import AgentSessionsJSON

@Suite("JSON object")
struct JSONObjectTests {
    static let text = #"{"a":1,"b":[true,null],"c":{"d":"\n"},"é":2.5}"#
    static let members: JSONObject = ["é": 2.5, "c": ["d": "\n"], "a": 1, "b": [true, nil]]

    /// The same object in each way of storing it.
    static func forms() throws -> [JSONObject] {
        [members, try JSONObject(parsing: text), try JSONObject(parsing: " " + text)]
    }

    @Test("JSON objects are equal however they are stored")
    func equality() throws {
        for left in try Self.forms() {
            for right in try Self.forms() {
                #expect(left == right)
                #expect(left.hashValue == right.hashValue)
            }
            #expect(try left.losslessText() == Self.text)
            #expect(try left.utf8Count() == Self.text.utf8.count)
            #expect(left != JSONObject())
            #expect(left != ["a": 1])
            #expect(left != ["a": .double(.nan)])
            #expect(left.depth == 2)
        }
    }

    @Test("An empty object is empty in every form")
    func empty() throws {
        for object in [JSONObject(), [:], try JSONObject(parsing: "{}"), try JSONObject(parsing: "{ }")] {
            #expect(object.isEmpty)
            #expect(object.count == 0)
            #expect(object.keys.isEmpty)
            #expect(Array(object).isEmpty)
            #expect(object[""] == nil)
            #expect(object == JSONObject())
            #expect(try object.losslessText() == "{}")
        }
    }

    @Test("The members of an object are in canonical order and are found by key")
    func access() throws {
        for object in try Self.forms() {
            #expect(object.count == 4)
            #expect(!object.isEmpty)
            #expect(object.keys == ["a", "b", "c", "é"])
            #expect(object.map(\.key) == ["a", "b", "c", "é"])
            #expect(object.map(\.value) == [1, [true, nil], ["d": "\n"], 2.5])
            #expect(object["a"] == 1)
            #expect(object["é"] == 2.5)
            #expect(object["e\u{301}"] == nil)
            #expect(object["bb"] == nil)
            #expect(object["zzz"] == nil)
        }
    }

    @Test("The members of an object can be replaced, added and removed")
    func change() throws {
        for var object in try Self.forms() {
            object["a"] = "new"
            object["aa"] = 2
            object["b"] = nil
            object["missing"] = nil
            #expect(object == ["a": "new", "aa": 2, "c": ["d": "\n"], "é": 2.5])
            #expect(try object.losslessText() == #"{"a":"new","aa":2,"c":{"d":"\n"},"é":2.5}"#)
        }
    }

    @Test("The last value of a duplicated key is kept")
    func repeatedKey() {
        let object = JSONObject(members: [("b", 1), ("a", 2), ("b", 3), ("e\u{301}", 4), ("é", 5), ("b", 6)])
        #expect(object.map(\.key) == ["a", "b", "e\u{301}", "é"])
        #expect(object.map(\.value) == [2, 6, 4, 5])
        #expect(["a": 1, "a": 2] as JSONObject == ["a": 2])
        #expect(["a": 1, "a": 2] as JSONValue == ["a": 2])
    }

    @Test("Keys with escapes are found, and sorted by the text that they stand for")
    func escapedKeys() throws {
        let object = try JSONObject(parsing: #"{"\u0062":1,"\u0061":2,"\"":3,"\n":4}"#)
        #expect(object.keys == ["\n", "\"", "a", "b"])
        #expect(object["\n"] == 4)
        #expect(try object.losslessText() == #"{"\n":4,"\"":3,"a":2,"b":1}"#)
        #expect(try JSONObject(parsing: try object.losslessText()) == object)
    }

    @Test("Anything but an object is refused", arguments: ["1", "[]", "\"{}\"", "null", " [{}]", "x"])
    func notAnObject(text: String) {
        #expect(jsonErrorKind(try JSONObject(parsing: text)) == .notAnObject)
    }

    @Test("The canonical form is the lossless one without the marks of doubles")
    func canonical() throws {
        let text = #"{"a":[1.0,-0.0,-10.0,0.0,1.05,0.05,1e+21,2],"b":"-0.0,\"1.0,\\","c":{"d":3.0},"e\"1.0":-0.0}"#
        let expected = #"{"a":[1,0,-10,0,1.05,0.05,1e+21,2],"b":"-0.0,\"1.0,\\","c":{"d":3},"e\"1.0":0}"#
        let stored = try JSONObject(parsing: text)
        for object in [stored, JSONObject(members: stored.map { ($0, $1) })] {
            var bytes = Array("before".utf8)
            try object.appendCanonical(into: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == "before" + expected)
            #expect(JSONValue.array([.object(object)]).canonical == "[\(expected)]")
            #expect(JSONValue.array([.object(object)]).lossless == "[\(text)]")
        }
    }

    @Test("An object that has no JSON form reports an error and still has a hash")
    func nonFinite() {
        let object: JSONObject = ["a": ["b": .double(.nan)]]
        let error = #expect(throws: JSONError.self) { try object.losslessText() }
        #expect(error?.description.contains("the number at a.b is") == true)
        #expect(jsonErrorKind(try object.utf8Count()) == .nonFiniteNumber)
        #expect(jsonErrorKind(try object.check(.default)) == .nonFiniteNumber)
        var bytes: [UInt8] = []
        #expect(throws: JSONError.self) { try object.appendCanonical(into: &bytes) }
        #expect(object.hashValue == object.hashValue)
    }

    @Test("Limits are checked on objects that were not read from text")
    func check() throws {
        for object in try Self.forms() {
            let count = Self.text.utf8.count
            try object.check(JSONLimits(maximumBytes: count, maximumDepth: 2))
            let small = JSONLimits(maximumBytes: count - 1)
            #expect(jsonErrorKind(try object.check(small)) == .tooLarge)
            let flat = JSONLimits(maximumDepth: 1)
            #expect(jsonErrorKind(try object.check(flat)) == .tooDeep)
        }
    }

    @Test(
        "Lossless text is adopted without a change",
        arguments: [
            "{}", #"{"a":[]}"#, #"{"a":{},"b":[{},[1,-2],true,false,null]}"#,
            #"{"":"","a":"\"\\\b\f\n\r\t\u0000\u001f"}"#,
            #"{"n":[0,-1,123456789012345678,-123456789012345678,0.5,-0.25,1.0,0.0,-0.0,12345678901234.5,0.000001]}"#,
            #"{"a":"é東京😀","é":1,"😀":2,"\#u{FB33}":3}"#,
        ])
    func recognised(text: String) throws {
        text.withBytes { bytes in
            let scanner = LosslessScanner(bytes: bytes, maximumDepth: 64)
            #expect(scanner.endOfObject(at: 0) == bytes.count)
            #expect((try? JSONObject(parsing: bytes).losslessText()) == text)
        }
        #expect(try JSONObject(parsing: text).losslessText() == text)
        #expect(try JSONParser.parse(text).lossless == text)
    }

    @Test(
        "Other valid text is rewritten in the lossless form",
        arguments: [
            (#"{ "a" : 1 }"#, #"{"a":1}"#),
            (#"{"b":1,"a":2}"#, #"{"a":2,"b":1}"#),
            (#"{"x":{"b":[],"a":{}},"a":[{"d":1,"c":2}]}"#, #"{"a":[{"c":2,"d":1}],"x":{"a":{},"b":[]}}"#),
            (#"{"a":-0}"#, #"{"a":0}"#),
            (#"{"a":1.50}"#, #"{"a":1.5}"#),
            (#"{"a":1.00}"#, #"{"a":1.0}"#),
            (#"{"a":1e2}"#, #"{"a":100.0}"#),
            (#"{"a":1.5e2}"#, #"{"a":150.0}"#),
            (#"{"a":1e21}"#, #"{"a":1e+21}"#),
            (#"{"a":0.0000001}"#, #"{"a":1e-7}"#),
            (#"{"a":0.10000000000000001}"#, #"{"a":0.1}"#),
            (#"{"a":9223372036854775807}"#, #"{"a":9223372036854775807}"#),
            (#"{"a":"\/"}"#, #"{"a":"/"}"#),
            (#"{"a":"\u000A"}"#, #"{"a":"\n"}"#),
            (#"{"a":"\u001F"}"#, #"{"a":"\u001f"}"#),
            (#"{"a":"\u0041"}"#, #"{"a":"A"}"#),
            (#"{"a":"\u002f\u0020"}"#, #"{"a":"/ "}"#),
        ])
    func rewritten(text: String, expected: String) throws {
        #expect(try JSONObject(parsing: text).losslessText() == expected)
        #expect(try JSONParser.parse(text).lossless == expected)
    }
}
