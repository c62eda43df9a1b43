import Testing

@testable import AgentSessions

@Suite("Stored forms")
struct StoredValueDecodingTests {
    @Test(arguments: [
        "", "a", "é", "\u{0}", String(repeating: "x", count: 31), String(repeating: "x", count: 64) + "é",
        "🧑‍🚀" + String(repeating: "y", count: 40),
    ])
    func `a text comes back, and bytes that are none do not`(text: String) {
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

    @Test(arguments: ["system", "developer", "user", "assistant", "tool", "users", "a", "critic", "s0_-"])
    func `a role comes back`(name: String) throws {
        #expect(name.withBytes { MessageRole(stored: $0) } == (try MessageRole(name)))
    }

    @Test(arguments: ["", "User", "u ", "userx".uppercased(), "1a", "é", String(repeating: "a", count: 33)])
    func `a word that is no role is none`(name: String) {
        #expect(name.withBytes { MessageRole(stored: $0) } == nil)
    }

    @Test(arguments: ["{}", #"{"a":1}"#, "{ }", #"{"a":{"b":[]}}"#])
    func `an object comes back`(text: String) throws {
        #expect(text.withBytes { JSONObject(stored: $0) } == (try JSONObject(parsing: text)))
    }

    @Test(arguments: ["", "{", "}", "[]", "{}}", "}{", "null", #"{"a":1,"a":2}"#])
    func `a text that is no object is none`(text: String) {
        #expect(text.withBytes { JSONObject(stored: $0) } == nil)
    }
}
