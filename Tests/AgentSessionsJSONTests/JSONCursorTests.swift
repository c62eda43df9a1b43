import AgentSessionsTestSupport
import Testing

@testable import AgentSessionsJSON

@Suite("JSON cursor")
struct JSONCursorTests {
    /// Lends a cursor over a text.
    private func read<Result>(
        _ text: String, limits: JSONLimits = .default, _ body: (inout JSONCursor) throws -> Result
    ) throws -> Result {
        try Array(text.utf8).withUnsafeBufferPointer { bytes in
            var cursor = try JSONCursor(bytes, limits: limits)
            return try body(&cursor)
        }
    }

    @Test("A cursor reads a known shape member by member")
    func knownShape() throws {
        let text = #"""
             { "role" : "us\u0065r", "content" : null, "n": [1, -2], "x": 2.5, "ok": true, "no": false,
              "a": {} }\#u{20}
            """#
        try read(text) { cursor in
            var seen: [String] = []
            try cursor.readObjectStart()
            while let key = try cursor.nextKey() {
                let name = cursor.string(key)
                seen.append(name)
                if name == "role" {
                    #expect(try cursor.peek() == .string)
                    #expect(try !cursor.readNull())
                    #expect(try cursor.readString() == "user")
                } else if name == "content" {
                    #expect(try cursor.peek() == .null)
                    #expect(try cursor.readNull())
                } else if name == "n" {
                    var numbers: [Int64] = []
                    try cursor.readArrayStart()
                    while try cursor.nextElement() { numbers.append(try cursor.readInteger()) }
                    #expect(numbers == [1, -2])
                } else if name == "x" {
                    #expect(try cursor.readValue() == .double(2.5))
                } else if name == "a" {
                    #expect(cursor.depth == 1)
                    let range = try cursor.skipValue()
                    #expect(String(decoding: cursor.bytes[range], as: UTF8.self) == "{}")
                } else {
                    #expect(try cursor.readBool() == (name == "ok"))
                }
            }
            try cursor.finish()
            #expect(cursor.offset == text.utf8.count)
            #expect(seen == ["role", "content", "n", "x", "ok", "no", "a"])
        }
    }

    @Test("A cursor gives keys without their escapes")
    func keys() throws {
        try read(#"{"r\u006fle":1,"role":2}"#) { cursor in
            try cursor.readObjectStart()
            while let key = try cursor.nextKey() {
                #expect(cursor.string(key) == "role")
                _ = try cursor.skipValue()
            }
        }
    }

    @Test("A value of another shape is an error")
    func wrongShape() throws {
        try read("true") { cursor throws in
            #expect(jsonErrorKind(try cursor.readObjectStart()) == .unexpectedCharacter)
            #expect(jsonErrorKind(try cursor.readArrayStart()) == .unexpectedCharacter)
            #expect(jsonErrorKind(try cursor.readString()) == .unexpectedCharacter)
            #expect(jsonErrorKind(try cursor.readInteger()) == .unexpectedCharacter)
            #expect(jsonErrorKind(try cursor.readNumber()) == .unexpectedCharacter)
            #expect(jsonErrorKind(try cursor.readObject()) == .notAnObject)
            #expect(try cursor.readBool())
        }
        try read("1.5") { cursor in
            #expect(jsonErrorKind(try cursor.readBool()) == .unexpectedCharacter)
            #expect(jsonErrorKind(try cursor.readInteger()) == .unexpectedCharacter)
        }
    }

    @Test(
        "A skipped value is checked and given as its range",
        arguments: [
            #"{"a":[1,{"b":"}"}],"c":"\""}"#, "[[],{},[ ] ]", #""é\n""#, "-1.5e+3", "true", "false", "null",
        ])
    func skipping(text: String) throws {
        try read("[ \(text) , 1]") { cursor in
            try cursor.readArrayStart()
            #expect(try cursor.nextElement())
            let range = try cursor.skipValue()
            #expect(String(decoding: cursor.bytes[range], as: UTF8.self) == text)
            #expect(try cursor.nextElement())
            #expect(try cursor.readInteger() == 1)
            #expect(try !cursor.nextElement())
            try cursor.finish()
        }
    }

    @Test(
        "A cursor keeps an object as lossless text, whatever its form", arguments: [#"{"a":1.0}"#, #"{ "a" : 1e0 }"#])
    func object(text: String) throws {
        try read("[\(text),\(text) ]") { cursor in
            try cursor.readArrayStart()
            var count = 0
            while try cursor.nextElement() {
                #expect(try cursor.readObject().losslessText() == #"{"a":1.0}"#)
                count += 1
            }
            #expect(count == 2)
            try cursor.finish()
        }
    }

    @Test("An object inside a text obeys its own limits and those of the cursor", arguments: ["", " "])
    func objectLimits(space: String) throws {
        let object = "{\(space)\"a\":[[]]}"
        func attempt(_ limits: JSONLimits, outer: JSONLimits = .default) throws -> JSONError.Kind? {
            try read("[[\(object)]]", limits: outer) { cursor in
                try cursor.readArrayStart()
                _ = try cursor.nextElement()
                try cursor.readArrayStart()
                _ = try cursor.nextElement()
                return jsonErrorKind(try cursor.readObject(limits: limits))
            }
        }
        #expect(try attempt(.default) == nil)
        #expect(try attempt(JSONLimits(maximumDepth: 3)) == nil)
        #expect(try attempt(JSONLimits(maximumDepth: 2)) == .tooDeep)
        #expect(try attempt(.default, outer: JSONLimits(maximumDepth: 5)) == nil)
        #expect(try attempt(.default, outer: JSONLimits(maximumDepth: 4)) == .tooDeep)
        #expect(try attempt(JSONLimits(maximumBytes: object.utf8.count)) == nil)
        #expect(try attempt(JSONLimits(maximumBytes: object.utf8.count - 1)) == .tooLarge)
    }

    @Test("An error inside an object has its position in the whole text")
    func movedError() throws {
        let error = #expect(throws: JSONError.self) {
            try read(#"[1, {"a":1,"a":2}]"#) { cursor in
                try cursor.readArrayStart()
                _ = try cursor.nextElement()
                _ = try cursor.readInteger()
                _ = try cursor.nextElement()
                _ = try cursor.readObject()
            }
        }
        #expect(error == .duplicateKey("a", at: 11))
    }
}
