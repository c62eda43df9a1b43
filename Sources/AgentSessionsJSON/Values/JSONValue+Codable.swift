/// Coding in whatever format the coder has.
///
/// How well integers and doubles are told apart is up to that format: Foundation's JSON coders write 1.0 as `1`, which
/// comes back as an integer. The text of a ``JSONObject`` is the form that loses nothing.
extension JSONValue: Codable {
    /// Decodes whatever value is there.
    ///
    /// - Throws: `DecodingError`, also for an integer that does not fit 64 bits with a sign.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: JSONObject.CodedKey.self) {
            self = .object(try JSONObject(from: container))
            return
        }
        if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !container.isAtEnd { elements.append(try container.decode(JSONValue.self)) }
            self = .array(elements)
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if (try? container.decode(UInt64.self)) != nil {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "an integer is too large for 64 bits with a sign")
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else {
            self = .string(try container.decode(String.self))
        }
    }

    /// Encodes the value. What becomes of a double that is not finite is up to the encoder.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let elements): try container.encode(elements)
        case .object(let object): try container.encode(object)
        }
    }
}

extension JSONObject: Codable {
    /// A key of any text.
    struct CodedKey: CodingKey {
        let stringValue: String

        var intValue: Int? { nil }

        init(stringValue: String) {
            self.stringValue = stringValue
        }

        init?(intValue: Int) {
            return nil
        }
    }

    /// Decodes an object, whatever its keys.
    public init(from decoder: any Decoder) throws {
        try self.init(from: try decoder.container(keyedBy: CodedKey.self))
    }

    init(from container: KeyedDecodingContainer<CodedKey>) throws {
        var members: [(String, JSONValue)] = []
        for key in container.allKeys {
            members.append((key.stringValue, try container.decode(JSONValue.self, forKey: key)))
        }
        self.init(members: members)
    }

    /// Encodes the members in canonical order, as far as the encoder keeps it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodedKey.self)
        for (key, value) in self { try container.encode(value, forKey: CodedKey(stringValue: key)) }
    }
}
