/// A JSON value (RFC 8259) that loses nothing on its way through a store.
///
/// Integers keep 64 bits and are never confused with doubles: `.integer(1)` and `.double(1)` differ, as do the texts `1`
/// and `1.0` that they are read from. Two strings are equal only if their UTF-8 bytes are, unlike `String` itself.
/// Doubles are compared by their bits, so 0.0 and -0.0 differ and NaN equals itself; the one thing that a value can hold
/// and JSON cannot is a double that is not finite, which is refused when the value is written.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue: Hashable {
    /// Whether two values are the same, strings by their bytes and doubles by their bits.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.double(let left), .double(let right)): left.bitPattern == right.bitPattern
        case (.string(let left), .string(let right)): left.isIdentical(to: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null:
            hasher.combine(0)
        case .bool(let value):
            hasher.combine(1)
            hasher.combine(value)
        case .integer(let value):
            hasher.combine(2)
            hasher.combine(value)
        case .double(let value):
            hasher.combine(3)
            hasher.combine(value.bitPattern)
        case .string(let value):
            hasher.combine(4)
            value.hashBytes(into: &hasher)
        case .array(let elements):
            hasher.combine(5)
            hasher.combine(elements)
        case .object(let object):
            hasher.combine(6)
            hasher.combine(object)
        }
    }
}

extension JSONValue {
    /// The arrays and objects within each other, this one included. A value that is neither has none.
    package var depth: Int {
        switch self {
        case .null, .bool, .integer, .double, .string: 0
        case .array(let elements): 1 + (elements.lazy.map(\.depth).max() ?? 0)
        case .object(let object): object.depth
        }
    }
}
