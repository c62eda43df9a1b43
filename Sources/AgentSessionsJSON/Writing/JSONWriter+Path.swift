extension JSONWriter {
    /// Writes a whole value. If it holds a number that has no JSON form, the error says where.
    func write(_ value: JSONValue, into bytes: inout [UInt8]) throws(JSONError) {
        do throws(JSONError) {
            try append(value, depth: 0, into: &bytes)
        } catch {
            throw Self.pathOfNonFinite(in: value).map(JSONError.nonFiniteNumber(at:)) ?? error
        }
    }

    /// The path to the first number that is not finite, such as `usage.cost[2]`, and empty if it is the value itself.
    ///
    /// It is looked for only after the fact, so that writing need not keep account of where it is.
    private static func pathOfNonFinite(in value: JSONValue, depth: Int = 0) -> String? {
        guard depth <= JSONLimits.deepest else { return nil }
        switch value {
        case .null, .bool, .integer, .string:
            return nil
        case .double(let value):
            return value.isFinite ? nil : ""
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                if let path = pathOfNonFinite(in: element, depth: depth + 1) { return joined("[\(index)]", path) }
            }
            return nil
        case .object(let object):
            guard case .members(let members) = object.storage else { return nil }
            for (key, value) in members {
                if let path = pathOfNonFinite(in: value, depth: depth + 1) {
                    return joined(shortened(key, limit: 40), path)
                }
            }
            return nil
        }
    }

    private static func joined(_ component: String, _ rest: String) -> String {
        rest.isEmpty || rest.hasPrefix("[") ? component + rest : component + "." + rest
    }
}
