/// A JSON object whose keys are unique and whose members have one order, that of canonical JSON.
///
/// An object that was read from text keeps the text and is parsed only when it is looked into, so that a store can carry
/// millions of them for the price of checking them. The text is the lossless form: compact, keys in canonical order,
/// minimal escapes, and every number written so that it is read back as itself. Two objects are equal when their
/// lossless texts have the same bytes; keys that Swift's `==` takes for equal ("é" composed and decomposed) are two keys.
public struct JSONObject: Sendable {
    /// A member.
    public typealias Element = (key: String, value: JSONValue)

    enum Storage: Sendable {
        /// The lossless text, known to be valid.
        case text(String)
        /// The members in canonical order, without duplicate keys.
        case members([Element])
    }

    var storage: Storage

    /// Makes an object without members, which costs nothing.
    public init() {
        storage = .text("{}")
    }

    /// Makes an object of members in any order. Of a duplicate key, the last value stays.
    ///
    /// Only the step to an array is `@inlinable`: a sorting that is not specialised cost an import of chat lines 2 %.
    @inlinable
    public init(members: some Sequence<(String, JSONValue)>) {
        self.init(unsorted: Array(members))
    }

    @usableFromInline
    init(unsorted members: [(String, JSONValue)]) {
        let sorted = members.enumerated().sorted { left, right in
            if left.element.0.isIdentical(to: right.element.0) { return left.offset < right.offset }
            return KeyOrder.precedes(left.element.0, right.element.0)
        }
        var unique: [Element] = []
        for (_, member) in sorted {
            if let last = unique.last, last.key.isIdentical(to: member.0) { unique.removeLast() }
            unique.append((key: member.0, value: member.1))
        }
        storage = .members(unique)
    }

    /// Makes an object of members that are in canonical order already, without duplicate keys.
    package init(sortedMembers: [Element]) {
        storage = .members(sortedMembers)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Makes an object. Of a duplicate key, the last value stays.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(members: elements)
    }
}

extension JSONObject: Hashable {
    /// Whether the lossless texts have the same bytes. A member that has no text equals itself bit for bit.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        switch (left.storage, right.storage) {
        case (.text(let left), .text(let right)):
            left.isIdentical(to: right)
        case (.members(let left), .members(let right)):
            left.elementsEqual(right) { $0.key.isIdentical(to: $1.key) && $0.value == $1.value }
        case (.text(let text), .members), (.members, .text(let text)):
            // Members that have no text hold a number that no text holds.
            (try? (left.isText ? right : left).losslessText())?.isIdentical(to: text) ?? false
        }
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        // Equal objects have equal texts, however they are stored; objects without a text share one hash.
        (try? losslessText())?.hashBytes(into: &hasher)
    }

    private var isText: Bool {
        if case .text = storage { true } else { false }
    }
}
