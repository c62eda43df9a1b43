import Foundation
import Testing

@testable import AgentSessionsJSON

@Suite("JSON coding")
struct JSONCodableTests {
    @Test("Values survive Foundation's encoders and decoders")
    func roundTrip() throws {
        let value: JSONValue = [
            "null": nil, "true": true, "false": false, "one": 1, "half": 0.5, "least": .integer(.min),
            "text": "é\n😀", "array": [1, [2], [:]], "object": ["a": ["b": []]],
        ]
        let data = try JSONEncoder().encode(value)
        #expect(try JSONDecoder().decode(JSONValue.self, from: data) == value)
        let object = try #require(value.objectValue)
        #expect(try JSONDecoder().decode(JSONObject.self, from: try JSONEncoder().encode(object)) == object)
        #expect(try JSONParser.parse(Array(data)) == value)
    }

    @Test("An object that is stored as text is encoded by its members")
    func text() throws {
        let object = try JSONObject(parsing: #"{"a":[1,{"b":null}]}"#)
        let plist = try PropertyListEncoder().encode(["k": ["a": "b"] as JSONObject])
        #expect(try PropertyListDecoder().decode([String: JSONObject].self, from: plist) == ["k": ["a": "b"]])
        #expect(try JSONDecoder().decode(JSONObject.self, from: try JSONEncoder().encode(object)) == object)
    }

    @Test("A value that is not an object is not decoded as one", arguments: ["1", "[]", "\"a\"", "null"])
    func notAnObject(text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(JSONObject.self, from: Data(text.utf8)) }
    }

    @Test("An integer beyond 64 bits is an error, not a double")
    func largeInteger() {
        let data = Data("[9223372036854775808]".utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(JSONValue.self, from: data) }
    }

    @Test("Any text can be a key")
    func codedKey() {
        #expect(JSONObject.CodedKey(stringValue: "a").intValue == nil)
        #expect(JSONObject.CodedKey(intValue: 1) == nil)
    }
}
