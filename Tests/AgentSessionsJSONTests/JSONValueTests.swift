import AgentSessionsTestSupport
import Testing

@testable import AgentSessionsJSON

@Suite("JSON value")
struct JSONValueTests {
    static let distinct: [JSONValue] = [
        nil, true, false, 0, 1, -1, 0.0, .double(-0.0), 1.0, .double(.nan), .double(.infinity), "", "1",
        "é", "e\u{301}", "null", [], [0], [nil], [0, 1], [:], ["a": 0], ["a": 1], ["b": 0], ["a": 0, "b": 0],
        ["é": 0], ["e\u{301}": 0], ["é": 0, "e\u{301}": 0], ["a": .double(.nan)], ["a": .double(-.infinity)],
        "a text of some length, é", "a text of some length, ê", "a text of some length; é",
    ]

    @Test("A value equals only itself and has the same hash as itself")
    func equality() {
        for (left, first) in Self.distinct.enumerated() {
            for (right, second) in Self.distinct.enumerated() {
                #expect((first == second) == (left == right), "\(first) \(second)")
            }
        }
        #expect(Set(Self.distinct + Self.distinct).count == Self.distinct.count)
    }

    @Test("An accessor gives a value only for its own case")
    func accessors() {
        #expect(JSONValue.null.isNull)
        #expect(!JSONValue.bool(false).isNull)
        #expect(JSONValue.bool(true).boolValue == true)
        #expect(JSONValue.integer(7).integerValue == 7)
        #expect(JSONValue.double(1.5).doubleValue == 1.5)
        #expect(JSONValue.integer(7).doubleValue == 7)
        #expect(JSONValue.string("a").stringValue == "a")
        #expect(JSONValue.array([1]).arrayValue == [1])
        #expect(JSONValue.object(["a": 1]).objectValue == ["a": 1])
        let other: JSONValue = nil
        #expect(other.boolValue == nil)
        #expect(other.integerValue == nil)
        #expect(JSONValue.double(1).integerValue == nil)
        #expect(other.doubleValue == nil)
        #expect(other.stringValue == nil)
        #expect(other.arrayValue == nil)
        #expect(other.objectValue == nil)
    }

    @Test("A subscript gives nil for a missing element")
    func subscripts() {
        let value: JSONValue = ["a": [1, ["b": "c"]]]
        #expect(value["a"]?[1]?["b"] == "c")
        #expect(value["b"] == nil)
        #expect(value[0] == nil)
        #expect(value["a"]?[2] == nil)
        #expect(value["a"]?[-1] == nil)
        #expect(value["a"]?["b"] == nil)
    }

    @Test("The depth counts arrays and objects within each other")
    func depth() throws {
        #expect(JSONValue.integer(1).depth == 0)
        #expect(JSONValue.array([]).depth == 1)
        #expect(JSONValue.array([1, [2], ["a": [3]]]).depth == 3)
        #expect(JSONObject().depth == 1)
        #expect(try JSONObject(parsing: #"{"a":[{"b":"]}[{"},[]],"c":{}}"#).depth == 3)
    }

    @Test("Values that are too deep are not written")
    func tooDeep() throws {
        var arrays: JSONValue = 0
        var objects: JSONValue = 0
        for _ in 0..<JSONLimits.deepest {
            arrays = [arrays]
            objects = ["a": objects]
        }
        for value in [arrays, objects] {
            #expect(!value.canonical.isEmpty)
            #expect(jsonErrorKind(try CanonicalJSON.encode([value])) == .tooDeep)
            #expect(jsonErrorKind(try LosslessJSON.encode(["a": value])) == .tooDeep)
        }
        // The same around an object that is kept as text.
        let unlimited = JSONLimits(maximumBytes: .max, maximumDepth: .max)
        let text = JSONValue.object(try JSONObject(parsing: objects.lossless, limits: unlimited))
        #expect(text.canonical == objects.canonical)
        #expect(jsonErrorKind(try CanonicalJSON.encode([text])) == .tooDeep)
        // Numbers below the deepest level are not checked for a JSON form.
        var infinite: JSONValue = .double(.infinity)
        for _ in 0...JSONLimits.deepest { infinite = [infinite] }
        #expect(jsonErrorKind(try CanonicalJSON.encode(infinite)) == .tooDeep)
    }

    @Test(
        "The error for a number without a JSON form has its path",
        arguments: [
            (.double(.nan), "JSON: a number is infinite or not a number; allowed are finite numbers"),
            ([1, [.double(.infinity)]], "JSON: the number at [1][0] is infinite or not a number"),
            (["a": 1, "b": ["c": [nil, true, .double(.nan)], "d": "e"]], "JSON: the number at b.c[2] is"),
            (["a": [], "b": [:], "c": 1.0, "d": [["e": .double(.nan)]]], "JSON: the number at d[0].e is"),
        ] as [(JSONValue, String)])
    func nonFinitePath(value: JSONValue, description: String) {
        let canonical = #expect(throws: JSONError.self) { try CanonicalJSON.encode(value) }
        #expect(canonical?.kind == .nonFiniteNumber)
        #expect(canonical?.description.hasPrefix(description) == true)
        let lossless = #expect(throws: JSONError.self) { try LosslessJSON.encode(value) }
        #expect(lossless == canonical)
    }

    @Test("Texts are identical only byte for byte")
    func identity() {
        #expect("é" == "e\u{301}")
        #expect(!"é".isIdentical(to: "e\u{301}"))
        #expect("".isIdentical(to: ""))
        let text = "some text, longer than a word or two"
        #expect(text.isIdentical(to: String(text.reversed().reversed())))
        for index in text.indices {
            var other = text
            other.replaceSubrange(index...index, with: "#")
            #expect(!text.isIdentical(to: other))
        }
        // Of one length and canonically equivalent, but in another order.
        #expect("a\u{323}\u{307}" == "a\u{307}\u{323}")
        #expect(!"a\u{323}\u{307}".isIdentical(to: "a\u{307}\u{323}"))
        [1, 2].withUnsafeBufferPointer { short in
            [1, 2, 3].withUnsafeBufferPointer { long in #expect(!short.hasSameBytes(as: long)) }
        }
    }
}
