package import AgentSessionsJSON

/// Random numbers and values that a seed repeats (SplitMix64).
package struct JSONGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    package mutating func below(_ bound: Int) -> Int {
        Int.random(in: 0..<bound, using: &self)
    }

    /// A finite double: any bit pattern, or a decimal such as people write.
    package mutating func double() -> Double {
        switch below(4) {
        case 0: return Double(below(2_000_000) - 1_000_000) / [1, 10, 100, 1000, 1e6, 1e9][below(6)]
        case 1: return Double(Int64(bitPattern: next()) >> Int64(below(64)))
        default:
            while true {
                let value = Double(bitPattern: next())
                if value.isFinite { return value }
            }
        }
    }

    package mutating func integer() -> Int64 {
        Int64(bitPattern: next()) >> Int64(below(64))
    }

    /// Text of the characters that matter: escapes, controls, each length of UTF-8, both sides of the surrogates.
    package mutating func string() -> String {
        let scalars: [Unicode.Scalar] = [
            "a", "b", "z", "0", " ", "/", "\"", "\\", "\n", "\t", "\u{0}", "\u{8}", "\u{C}", "\r", "\u{1F}", "\u{7F}",
            "\u{80}", "é", "\u{301}", "€", "\u{D7FF}", "\u{E000}", "\u{FB33}", "\u{FFFF}", "😀", "\u{10FFFF}",
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<below(below(4) == 0 ? 40 : 6) { text.append(scalars[below(scalars.count)]) }
        return String(text)
    }

    package mutating func value(depth: Int = 4) -> JSONValue {
        switch below(depth > 0 ? 9 : 7) {
        case 0: return .null
        case 1: return .bool(below(2) == 0)
        case 2: return .integer(integer())
        case 3: return .double(double())
        case 4, 5, 6: return .string(string())
        case 7: return .array((0..<below(5)).map { _ in value(depth: depth - 1) })
        default: return .object(object(depth: depth - 1))
        }
    }

    package mutating func object(depth: Int = 4) -> JSONObject {
        JSONObject(members: (0..<below(6)).map { _ in (string(), value(depth: depth)) })
    }

    /// Text with whitespace, unsorted members and needless escapes: valid, but not as we would write it.
    package mutating func looseText(_ value: JSONValue) -> String {
        let space = [" ", "", "\n", "\t\r\n "][below(4)]
        switch value {
        case .array(let elements):
            return "[" + space + elements.map { looseText($0) }.joined(separator: space + ",") + space + "]"
        case .object(let object):
            let members = object.shuffled(using: &self)
            let written = members.map { looseText(.string($0.key)) + space + ":" + space + looseText($0.value) }
            return "{" + space + written.joined(separator: "," + space) + "}"
        case .string(let text):
            let escaped = text.utf16.map { unit in
                let hex = String(unit, radix: 16, uppercase: below(2) == 0)
                return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            }
            return below(3) == 0 ? "\"" + escaped.joined() + "\"" : value.lossless
        case .null, .bool, .integer, .double:
            return value.lossless
        }
    }
}

extension JSONValue {
    /// The lossless text, or nothing if there is none.
    package var lossless: String { (try? LosslessJSON.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// The canonical text, or nothing if there is none.
    package var canonical: String {
        (try? CanonicalJSON.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
