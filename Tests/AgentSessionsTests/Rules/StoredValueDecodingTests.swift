import Testing

@testable import AgentSessions

@Suite("Stored value decoding")
struct StoredValueDecodingTests {
    @Test(
        "Valid UTF-8 is decoded as text, and other bytes are not",
        arguments: [
            "", "a", "é", "\u{0}", String(repeating: "x", count: 31), String(repeating: "x", count: 64) + "é",
            "🧑‍🚀" + String(repeating: "y", count: 40),
        ])
    func text(text: String) {
        let bytes = Array(text.utf8)
        bytes.withUnsafeBufferPointer { buffer in
            #expect(String(stored: buffer).map { Array($0.utf8) } == bytes)
            #expect(buffer.isASCII == bytes.allSatisfy { $0 < 0x80 })
        }
        for index in bytes.indices {
            var broken = bytes
            broken[index] = 0xFF
            #expect(broken.withUnsafeBufferPointer { String(stored: $0) } == nil)
        }
    }

    @Test(
        "A valid role name is decoded as a role",
        arguments: ["system", "developer", "user", "assistant", "tool", "users", "a", "critic", "s0_-"])
    func role(name: String) throws {
        #expect(name.withBytes { MessageRole(stored: $0) } == (try MessageRole(name)))
    }

    @Test(
        "A word that is not a valid role name is not decoded",
        arguments: ["", "User", "u ", "userx".uppercased(), "1a", "é", String(repeating: "a", count: 33)])
    func invalidRole(name: String) {
        #expect(name.withBytes { MessageRole(stored: $0) } == nil)
    }

    @Test("A JSON object is decoded", arguments: ["{}", #"{"a":1}"#, "{ }", #"{"a":{"b":[]}}"#])
    func object(text: String) throws {
        #expect(text.withBytes { JSONObject(stored: $0) } == (try JSONObject(parsing: text)))
    }

    @Test(
        "A text that is not a JSON object is not decoded",
        arguments: ["", "{", "}", "[]", "{}}", "}{", "null", #"{"a":1,"a":2}"#])
    func invalidObject(text: String) {
        #expect(text.withBytes { JSONObject(stored: $0) } == nil)
    }
}
