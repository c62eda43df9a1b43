/// Who speaks in a message: one of the five that chat interfaces agree on, or a word of an application's own.
///
/// A role matches `[a-z][a-z0-9_-]{0,31}`.
public struct MessageRole: Sendable, Hashable {
    /// The word as it is stored.
    public let name: String

    private init(known name: String) { self.name = name }

    /// Instructions from the application.
    public static let system = MessageRole(known: "system")
    /// Instructions from the developer, as newer chat interfaces tell them from `system`.
    public static let developer = MessageRole(known: "developer")
    /// The person.
    public static let user = MessageRole(known: "user")
    /// The model.
    public static let assistant = MessageRole(known: "assistant")
    /// The result of a tool that the model called.
    public static let tool = MessageRole(known: "tool")

    /// The role of that name.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where `name` does not match `[a-z][a-z0-9_-]{0,31}`.
    public init(_ name: String) throws(StoreError) {
        guard Self.isValid(name.utf8) else {
            throw StoreError(
                .invalidArgument,
                "\(quoted(name)) is not a role: a role is system, developer, user, assistant, tool, or another word "
                    + "of 1 to 32 characters that begins with a-z and goes on with a-z, 0-9, _ or -.")
        }
        self.name = name
    }

    private static func isValid(_ name: String.UTF8View) -> Bool {
        guard let first = name.first, name.count <= 32, (0x61...0x7A).contains(first) else { return false }
        return name.allSatisfy { byte in
            switch byte {
            case 0x61...0x7A, 0x30...0x39, 0x5F, 0x2D: true
            default: false
            }
        }
    }
}

extension MessageRole: Codable, CustomStringConvertible {
    /// The word as it is stored.
    public var description: String { name }

    /// Reads the word.
    public init(from decoder: any Decoder) throws {
        self = try MessageRole(decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the word.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}
