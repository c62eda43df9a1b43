/// Why a text is not taken as JSON, or a value cannot be written as JSON.
///
/// A description says what is allowed and where the text departs from it. It never quotes the text, which may be private,
/// except for the name of a duplicate key (shortened to 40 characters, control characters escaped) and the path to a number
/// that has no JSON form (likewise).
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong. New kinds may be added.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        private enum Name: String {
            case empty, truncated, unexpectedCharacter, invalidUTF8, unpairedSurrogate, duplicateKey, numberOutOfRange
            case nonFiniteNumber, tooDeep, tooLarge, notAnObject, trailingContent
        }

        private let name: Name

        /// The text has nothing but whitespace; a JSON text is one value (RFC 8259, section 2).
        public static var empty: Kind { Kind(name: .empty) }
        /// The text ends inside a value.
        public static var truncated: Kind { Kind(name: .truncated) }
        /// A byte that the grammar of RFC 8259 does not allow where it stands.
        public static var unexpectedCharacter: Kind { Kind(name: .unexpectedCharacter) }
        /// A string that is not UTF-8 (RFC 3629): overlong forms, surrogates and values above U+10FFFF are not.
        public static var invalidUTF8: Kind { Kind(name: .invalidUTF8) }
        /// A `\uD800`...`\uDFFF` escape without its other half, which stands for no character (RFC 7493, section 2.1).
        public static var unpairedSurrogate: Kind { Kind(name: .unpairedSurrogate) }
        /// A key that its object already has, once escapes are resolved (RFC 7493, section 2.3).
        public static var duplicateKey: Kind { Kind(name: .duplicateKey) }
        /// An integer beyond 64 bits, or a number with a fraction or exponent beyond the range of a double.
        public static var numberOutOfRange: Kind { Kind(name: .numberOutOfRange) }
        /// A double that is infinite or not a number, which JSON cannot write (RFC 8785, section 3.2.2.3).
        public static var nonFiniteNumber: Kind { Kind(name: .nonFiniteNumber) }
        /// More arrays and objects within each other than ``JSONLimits/maximumDepth``.
        public static var tooDeep: Kind { Kind(name: .tooDeep) }
        /// More bytes than ``JSONLimits/maximumBytes``.
        public static var tooLarge: Kind { Kind(name: .tooLarge) }
        /// A value other than an object, where an object is required.
        public static var notAnObject: Kind { Kind(name: .notAnObject) }
        /// Something other than whitespace after the value.
        public static var trailingContent: Kind { Kind(name: .trailingContent) }

        /// The name, such as `duplicateKey`.
        public var description: String { name.rawValue }
    }

    /// What is wrong, for code to go by.
    public let kind: Kind

    /// Where in the text, as a count of the bytes before it. `nil` when no text is involved.
    public let offset: Int?

    /// What is wrong and what is allowed, as a phrase.
    public let detail: String

    package init(_ kind: Kind, at offset: Int? = nil, _ detail: String) {
        self.kind = kind
        self.offset = offset
        self.detail = detail
    }

    /// The offset and the detail, safe to show and to log.
    public var description: String {
        guard let offset else { return "JSON: \(detail)" }
        return "JSON, byte \(offset): \(detail)"
    }

    /// The same error of a text that begins further on.
    func moved(by distance: Int) -> JSONError {
        JSONError(kind, at: offset.map { $0 + distance }, detail)
    }
}
