extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Makes `null`.
    ///
    /// Where an optional value is meant, Swift takes `nil` as its absence, except between the branches of a conditional
    /// expression: `isKnown ? value : nil` is `null` there. Write `guard` or `Optional.none` instead.
    public init(nilLiteral: ()) {
        self = .null
    }

    /// Makes a truth value.
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    /// Makes an integer, never a double.
    public init(integerLiteral value: Int64) {
        self = .integer(value)
    }

    /// Makes a double, also of a literal such as `1.0`.
    public init(floatLiteral value: Double) {
        self = .double(value)
    }

    /// Makes a string.
    public init(stringLiteral value: String) {
        self = .string(value)
    }

    /// Makes an array.
    public init(arrayLiteral elements: JSONValue...) {
        self = .array(elements)
    }

    /// Makes an object. Of a duplicate key, the last value stays.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(members: elements))
    }
}
