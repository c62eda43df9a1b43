import AgentSessions

/// Where two values differ, as it stands in a report: the fields one by one, and texts from the place where they part.
struct Differences {
    /// So many fields are shown.
    private static let maximum = 5

    private var found: [(path: String, text: String)] = []

    /// What is to be said of a value that is not the expected one.
    static func text(expected: Any, found: Any) -> String {
        var differences = Differences()
        differences.compare(expected, found, at: "")
        guard !differences.found.isEmpty else { return plain(expected, found) }
        var lines = differences.found.prefix(maximum).map { $0.path.isEmpty ? $0.text : "\($0.path): \($0.text)" }
        let more = differences.found.count - lines.count
        if more > 0 { lines.append("and \(more) more differences") }
        return lines.joined(separator: "; ")
    }

    private static func plain(_ expected: Any, _ found: Any) -> String {
        "expected \(shown(expected)), found \(shown(found))"
    }

    private mutating func add(_ text: String, at path: String) {
        found.append((path, text))
    }

    private mutating func compare(_ expected: Any, _ found: Any, at path: String) {
        switch (expected, found) {
        case (let expected as String, let found as String):
            if !expected.isSame(as: found) { add(TextDifference(expected, found).text, at: path) }
        case (let expected as [UInt8], let found as [UInt8]):
            if expected != found { add(TextDifference(bytes: expected, found).text, at: path) }
        case (let expected as JSONObject, let found as JSONObject):
            compareMembers(expected, found, at: path)
        case (let expected as JSONValue, let found as JSONValue):
            compareValues(expected, found, at: path)
        default:
            compareParts(expected, found, at: path)
        }
    }

    private mutating func compareParts(_ expected: Any, _ found: Any, at path: String) {
        let (left, right) = (Mirror(reflecting: expected), Mirror(reflecting: found))
        guard left.subjectType == right.subjectType, left.displayStyle == right.displayStyle else {
            return add(Self.plain(expected, found), at: path)
        }
        switch left.displayStyle {
        case .optional:
            guard let expected = left.children.first?.value, let found = right.children.first?.value else {
                if !left.children.isEmpty || !right.children.isEmpty { add(Self.plain(expected, found), at: path) }
                return
            }
            compare(expected, found, at: path)
        case .collection:
            compareElements(Array(left.children.map(\.value)), Array(right.children.map(\.value)), at: path)
        case .struct where !left.children.isEmpty && !(expected is any CustomStringConvertible),
            .tuple where !left.children.isEmpty:
            for (mine, other) in zip(left.children, right.children) {
                let label = mine.label ?? ""
                compare(mine.value, other.value, at: path.isEmpty ? label : "\(path).\(label)")
            }
        default:
            if !isEqual(expected, found) { add(Self.plain(expected, found), at: path) }
        }
    }

    /// The elements from the first that differs: after one that is missing, all others differ, too.
    private mutating func compareElements(_ expected: [Any], _ found: [Any], at path: String) {
        let before = self.found.count
        if expected.count != found.count { add("expected \(expected.count) elements, found \(found.count)", at: path) }
        for (index, (mine, other)) in zip(expected, found).enumerated() {
            let sofar = self.found.count
            compare(mine, other, at: "\(path)[\(index)]")
            if self.found.count > sofar { return }
        }
        // One is the beginning of the other.
        guard self.found.count > before else { return }
        let rest = expected.count > found.count ? ("missing", expected) : ("too many", found)
        add("\(rest.0): \(shown(rest.1[min(expected.count, found.count)]))", at: path)
    }

    private mutating func compareMembers(_ expected: JSONObject, _ found: JSONObject, at path: String) {
        guard expected != found else { return }
        let before = self.found.count
        let (left, right) = (Array(expected), Array(found))
        for (key, value) in left {
            guard let other = right.first(where: { $0.key.isSame(as: key) }) else {
                add("missing: \(shown(value))", at: "\(path)[\(shown(key))]")
                continue
            }
            compareValues(value, other.value, at: "\(path)[\(shown(key))]")
        }
        for (key, value) in right where !left.contains(where: { $0.key.isSame(as: key) }) {
            add("too many: \(shown(value))", at: "\(path)[\(shown(key))]")
        }
        if self.found.count == before { add("expected the members in another order", at: path) }
    }

    private mutating func compareValues(_ expected: JSONValue, _ found: JSONValue, at path: String) {
        switch (expected, found) {
        case (.object(let expected), .object(let found)): compareMembers(expected, found, at: path)
        case (.array(let expected), .array(let found)): compareElements(expected, found, at: path)
        case (.string(let expected), .string(let found)): compare(expected, found, at: path)
        default: if expected != found { add(Self.plain(expected, found), at: path) }
        }
    }
}

private func isEqual(_ left: Any, _ right: Any) -> Bool {
    func compare<Value: Equatable>(_ left: Value) -> Bool { (right as? Value) == left }
    guard let left = left as? any Equatable else { return String(describing: left) == String(describing: right) }
    return compare(left)
}

/// Where two texts part.
struct TextDifference {
    /// A text of so many bytes is shown whole.
    private static let short = 60
    /// So many bytes are shown on each side of the place.
    private static let context = 12

    private let expected: [UInt8]
    private let found: [UInt8]

    init(_ expected: String, _ found: String) {
        self.init(bytes: Array(expected.utf8), Array(found.utf8))
    }

    init(bytes expected: [UInt8], _ found: [UInt8]) {
        self.expected = expected
        self.found = found
    }

    /// What was expected and what was found; with the bytes around the place where they part, unless a reader sees at
    /// once what differs.
    var text: String {
        if isPlain(expected), isPlain(found), folded(expected) != folded(found) {
            return "expected \(quotedText(expected[...])), found \(quotedText(found[...]))"
        }
        let place = zip(expected, found).prefix { $0 == $1 }.count
        return "from byte \(place) on: expected \(excerpt(expected, at: place)), found \(excerpt(found, at: place))"
    }

    /// Whether it is short, of visible characters of ASCII, and has no blank at its ends.
    private func isPlain(_ bytes: [UInt8]) -> Bool {
        let blank = UInt8(ascii: " ")
        return bytes.count <= Self.short && bytes.allSatisfy { (0x20...0x7E).contains($0) } && bytes.first != blank
            && bytes.last != blank
    }

    private func folded(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).lowercased() }

    private func excerpt(_ bytes: [UInt8], at place: Int) -> String {
        let range = max(0, place - Self.context)..<min(bytes.count, place + Self.context)
        let part = bytes[range]
        let before = range.lowerBound > 0 ? "…" : ""
        let after = range.upperBound < bytes.count ? "…" : ""
        let hex = bytes[place..<range.upperBound].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return before + quotedText(part) + after
            + " (\(hex.isEmpty ? "the end" : hex.joined(separator: " "))\(hex.isEmpty ? "" : after), \(bytes.count) bytes)"
    }

    private func quotedText(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self).debugDescription
    }
}

extension String {
    /// Whether a text is the same to every reader: by its bytes, as `==` takes some that differ for equal; and by
    /// characters and units of UTF-16, as a text that was made of bytes without a look at them may have the right bytes
    /// and count them wrong.
    public func isSame(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8) && unicodeScalars.elementsEqual(other.unicodeScalars) && count == other.count
            && utf16.count == other.utf16.count
    }
}
