import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let texts: [Mutant] = [
        text("text.nul-cut", "A text ends at its first NUL.", caughtBy: ["text.nul", "text.nuls"]) { text in
            String(text.unicodeScalars.prefix { $0 != "\0" })
        },
        text("text.nul-dropped", "NULs are left out of texts.", caughtBy: ["text.nul", "text.nuls"]) {
            $0.filtered { $0 != "\0" }
        },
        text("text.nul-replaced", "NULs come back as U+FFFD.", caughtBy: ["text.nul", "text.nuls"]) {
            $0.mapped { $0 == "\0" ? "\u{FFFD}" : $0 }
        },
        text("text.controls-dropped", "Control characters are left out of texts.", caughtBy: ["text.control"]) {
            $0.filtered { $0.value >= 32 || $0 == "\n" || $0 == "\t" || $0 == "\r" || $0 == "\0" }
        },
        text(
            "text.nfc", "Texts come back in Unicode's composed form.",
            caughtBy: ["text.hangul", "text.lone-mark", "text.composed"]
        ) { $0.composed },
        text("text.nfd", "Composed letters come back decomposed.", caughtBy: ["text.composed"]) {
            $0.replacing("\u{E9}", with: "e\u{301}")
        },
        text("text.trimmed", "White space at the end is left out of texts.", caughtBy: ["text.blanks"]) { text in
            var scalars = text.unicodeScalars
            while let last = scalars.last, last == " " || last == "\n" || last == "\t" { scalars.removeLast() }
            return String(scalars)
        },
        text("text.lines", "CR LF comes back as LF.", caughtBy: ["text.line-ends"]) {
            $0.replacing("\r\n", with: "\n")
        },
        text("text.without-bom", "A byte order mark at the beginning is left out.", caughtBy: ["text.byte-order-mark"])
        { text in
            text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        },
        text(
            "text.three-bytes", "Characters beyond U+FFFF come back as question marks.",
            caughtBy: ["text.private-use", "text.astral", "text.emoji"]
        ) { text in
            text.mapped { $0.value > 0xFFFF ? "?" : $0 }
        },
        text(
            "text.noncharacters", "U+FFFE and U+FFFF come back as U+FFFD.",
            caughtBy: ["text.astral", "text.noncharacters"]
        ) { text in
            text.mapped { $0.value & 0xFFFE == 0xFFFE ? "\u{FFFD}" : $0 }
        },
        text(
            "text.latin", "Characters beyond U+00FF come back as question marks.",
            caughtBy: ["text.case", "text.replacement", "text.right-to-left"]
        ) { text in
            text.mapped { $0.value > 0xFF ? "?" : $0 }
        },
        text("text.escapes", "A backslash comes back doubled.", caughtBy: ["text.bytes", "text.escape", "text.quotes"])
        { $0.replacing("\\", with: "\\\\") },
        text("text.quotes", "A single quote comes back doubled.", caughtBy: ["text.statement", "text.quotes"]) {
            $0.replacing("'", with: "''")
        },
        text(
            "text.empty-is-blank", "An empty text comes back as a blank.",
            caughtBy: ["text.delete", "text.json", "text.null-word"]
        ) { $0.isEmpty ? " " : $0 },
        text("text.64-kib", "A text is cut after 65,535 bytes.", caughtBy: ["page.long-among-short"]) {
            $0.cut(65_535)
        },
        text("text.1-mib", "A text is cut after 1 MiB.", caughtBy: ["limits.content"]) { $0.cut(1 << 20) },
        text("text.8-mib", "A text is cut after 8 MiB.", caughtBy: ["limits.content"]) { $0.cut(8 << 20) },
        text("text.zero-width", "Zero-width characters are left out.", caughtBy: ["text.joiner", "text.emoji"]) {
            $0.filtered { !["\u{200B}", "\u{200C}", "\u{200D}", "\u{2060}"].contains($0) }
        },
        text("text.line-separators", "U+2028 and U+2029 come back as line ends.", caughtBy: ["text.line-ends"]) {
            $0.mapped { $0 == "\u{2028}" || $0 == "\u{2029}" ? "\n" : $0 }
        },
        message(
            "text.empty-call-is-none", "An empty tool call id comes back as none.", caughtBy: ["record.tool-call-id"]
        ) { message in
            message.with(toolCallID: message.toolCallID == "" ? .some(nil) : nil)
        },
        message(
            "text.no-call-is-empty", "No tool call id comes back as an empty one.",
            caughtBy: ["text.delete", "text.json", "text.null-word"]
        ) { message in
            message.with(toolCallID: .some(message.toolCallID ?? ""))
        },
        message("text.call-cut", "A tool call id is cut after 64 bytes.", caughtBy: ["text.zalgo"]) { message in
            message.with(toolCallID: .some(message.toolCallID?.cut(64)))
        },
        message("text.call-cut-at-nul", "A tool call id ends at its first NUL.", caughtBy: ["text.nul", "text.nuls"]) {
            message in
            message.with(
                toolCallID: .some(message.toolCallID.map { String($0.unicodeScalars.prefix { $0 != "\0" }) }))
        },
        message(
            "text.call-composed", "A tool call id comes back in Unicode's composed form.",
            caughtBy: ["text.hangul", "text.lone-mark", "text.composed"]
        ) { message in
            message.with(toolCallID: .some(message.toolCallID?.composed))
        },
        message(
            "record.known-roles", "A role that is not one of the five comes back as user.",
            caughtBy: ["record.role-critic", "record.role-x", "record.role-a-b_c9"]
        ) { message in
            let known: [MessageRole] = [.system, .developer, .user, .assistant, .tool]
            return message.with(role: known.contains(message.role) ? message.role : .user)
        },
        message(
            "record.developer-is-system", "The role developer comes back as system.",
            caughtBy: ["record.role-developer"]
        ) { message in
            message.with(role: message.role == .developer ? .system : message.role)
        },
        message("record.role-dashes", "Dashes in a role come back as underscores.", caughtBy: ["record.role-a-b_c9"]) {
            message in
            message.with(role: try? MessageRole(message.role.name.replacing("-", with: "_")))
        },
        message("record.role-cut", "A role is cut after 16 characters.", caughtBy: ["record.role-longest"]) { message in
            message.with(role: try? MessageRole(message.role.name.cut(16)))
        },
        actor(
            "record.actor-small-letters", "An actor's name comes back in small letters.", caughtBy: ["text.actor-case"]
        ) { $0.lowercased() },
        actor(
            "record.actor-trimmed", "White space around an actor's name is left out.",
            caughtBy: ["text.actor-trailing-blank"]
        ) { name in
            String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        },
        actor("record.actor-cut", "An actor's name is cut after 128 bytes.", caughtBy: ["limits.actor"]) {
            $0.cut(128)
        },
        actor(
            "record.actor-composed", "An actor's name comes back in Unicode's composed form.",
            caughtBy: ["text.actor-composition"]
        ) { $0.composed },
    ]

    static let metadata: [Mutant] = [
        value(
            "metadata.floats", "Doubles come back with the precision of floats.",
            caughtBy: ["record.metadata-number-kinds", "record.metadata-doubles"]
        ) { value in
            if case .double(let number) = value { .double(Double(Float(number))) } else { value }
        },
        value("metadata.15-digits", "Doubles come back with 15 digits.", caughtBy: ["record.metadata-doubles"]) {
            value in
            guard case .double(let number) = value, number.isFinite, abs(number) < 1e15, abs(number) > 1e-3 else {
                return value
            }
            return .double((number * 1e12).rounded() / 1e12)
        },
        value(
            "metadata.all-doubles", "Integers come back as doubles and back again.",
            caughtBy: ["record.metadata-integers"]
        ) { value in
            guard case .integer(let number) = value else { return value }
            let double = Double(number)
            return .integer(double >= 9.2e18 ? .max : Int64(double))
        },
        value(
            "metadata.whole-doubles", "Doubles without a fraction come back as integers.",
            caughtBy: ["record.metadata-number-kinds", "record.metadata-negative-zero"]
        ) { value in
            guard case .double(let number) = value, number == number.rounded(), abs(number) < 1e15 else {
                return value
            }
            return .integer(Int64(number))
        },
        value("metadata.minus-zero", "Minus zero comes back as zero.", caughtBy: ["record.metadata-negative-zero"]) {
            value in
            if case .double(let number) = value, number == 0 { .double(0) } else { value }
        },
        value("metadata.32-bits", "Integers wrap at 32 bits.", caughtBy: ["record.metadata-integers"]) { value in
            if case .integer(let number) = value { .integer(Int64(Int32(truncatingIfNeeded: number))) } else { value }
        },
        value(
            "metadata.large-doubles", "Doubles beyond 1e300 come back as the largest.",
            caughtBy: ["record.metadata-doubles"]
        ) { value in
            if case .double(let number) = value, abs(number) > 1e300 {
                .double(number < 0 ? -1e300 : 1e300)
            } else {
                value
            }
        },
        value(
            "metadata.tiny-doubles", "Doubles that are too small for full precision come back as zero.",
            caughtBy: ["record.metadata-doubles"]
        ) { value in
            if case .double(let number) = value, number.isSubnormal { .double(0) } else { value }
        },
        value("metadata.null-dropped", "Members that are null are left out.", caughtBy: ["record.metadata-null"]) {
            if case .null = $0 { Optional<JSONValue>.none } else { $0 }
        },
        value("metadata.empty-dropped", "Members that are empty are left out.", caughtBy: ["record.metadata-nested"]) {
            value in
            switch value {
            case .array(let elements) where elements.isEmpty: nil
            case .object(let object) where object.isEmpty: nil
            default: value
            }
        },
        value("metadata.bool-is-number", "Booleans come back as numbers.", caughtBy: ["record.metadata-bools"]) {
            value in
            if case .bool(let flag) = value { .integer(flag ? 1 : 0) } else { value }
        },
        value(
            "metadata.numbers-in-texts", "Texts that look like integers come back as integers.",
            caughtBy: ["record.metadata-texts-like-values"]
        ) { value in
            if case .string(let text) = value, let number = Int64(text) { .integer(number) } else { value }
        },
        value(
            "metadata.composed", "Texts come back in Unicode's composed form.",
            caughtBy: ["text.composed", "text.hangul"]
        ) { value in
            if case .string(let text) = value { .string(text.composed) } else { value }
        },
        value("metadata.nul-cut", "Texts end at their first NUL.", caughtBy: ["record.metadata-strings"]) { value in
            if case .string(let text) = value {
                .string(String(text.unicodeScalars.prefix { $0 != "\0" }))
            } else {
                value
            }
        },
        value("metadata.sorted-arrays", "Arrays of texts come back sorted.", caughtBy: ["record.metadata-array-order"])
        { value in
            guard case .array(let elements) = value else { return value }
            let texts = elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
            return texts.count == elements.count ? .array(texts.sorted().map { .string($0) }) : value
        },
        object("metadata.flat", "Objects deeper than 16 levels come back empty.", caughtBy: ["limits.depth"]) {
            $0.cut(levels: 16)
        },
        object(
            "metadata.first-level", "Metadata keeps its first level only.",
            caughtBy: ["record.metadata-nested", "record.metadata-sql"]
        ) { $0.cut(levels: 1) },
        object(
            "metadata.small-keys", "Keys come back in small letters.",
            caughtBy: ["record.metadata-keys-bytewise", "record.metadata-sql"]
        ) { object in
            JSONObject(members: object.map { ($0.key.lowercased(), $0.value) })
        },
        object(
            "metadata.composed-keys", "Keys come back in Unicode's composed form.",
            caughtBy: ["record.metadata-keys-bytewise"]
        ) { object in
            JSONObject(members: object.map { ($0.key.composed, $0.value) })
        },
        object("metadata.empty-key", "The empty key is left out.", caughtBy: ["record.metadata-keys-bytewise"]) {
            object in
            JSONObject(members: object.filter { !$0.key.isEmpty }.map { ($0.key, $0.value) })
        },
        object(
            "metadata.dotted-keys", "A dot in a key comes back as an object.",
            caughtBy: ["record.metadata-keys-bytewise"]
        ) { object in
            JSONObject(
                members: object.map { member in
                    let parts = member.key.split(separator: ".", maxSplits: 1)
                    guard parts.count == 2 else { return (member.key, member.value) }
                    return (String(parts[0]), .object(JSONObject(members: [(String(parts[1]), member.value)])))
                })
        },
        object(
            "metadata.dollar-keys", "Keys that begin with a dollar sign are left out.",
            caughtBy: ["record.metadata-keys-bytewise"]
        ) { object in
            JSONObject(members: object.filter { !$0.key.hasPrefix("$") }.map { ($0.key, $0.value) })
        },
        object("metadata.64-kib", "Metadata of more than 64 KiB comes back empty.", caughtBy: ["limits.metadata"]) {
            object in
            ((try? object.jsonText().utf8.count) ?? 0) > 64 << 10 ? JSONObject() : object
        },
        Mutant(
            "metadata.of-sessions-alone", "Messages come back without metadata.",
            caughtBy: ["record.metadata-line-separators", "record.metadata-lone-marks"]
        ) { store in
            store.alterMessages { $0.with(metadata: JSONObject()) }
        },
    ]

    private static func text(
        _ id: String, _ mistake: String, caughtBy: [String] = [], _ alter: @escaping @Sendable (String) -> String
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { $0.alterTexts(alter) }
    }

    private static func message(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (SessionMessage) -> SessionMessage
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { $0.alterMessages(alter) }
    }

    private static func actor(
        _ id: String, _ mistake: String, caughtBy: [String] = [], _ alter: @escaping @Sendable (String) -> String
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { $0.alterActors(alter) }
    }

    private static func value(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (JSONValue) -> JSONValue?
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { $0.alterValues(alter) }
    }

    private static func object(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (JSONObject) -> JSONObject
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.alterSessions { session in
                var session = session
                session.metadata = alter(session.metadata)
                return session
            }
            store.alterMessages { $0.with(metadata: alter($0.metadata)) }
        }
    }
}

extension String {
    fileprivate func filtered(_ keeps: (Unicode.Scalar) -> Bool) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: unicodeScalars.filter(keeps))
        return String(text)
    }

    fileprivate func mapped(_ map: (Unicode.Scalar) -> Unicode.Scalar) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: unicodeScalars.map(map))
        return String(text)
    }

    /// The text with the accents that the scenarios use composed, which is what a form of Unicode does to them.
    fileprivate var composed: String {
        let pairs: [(String, String)] = [
            ("e\u{301}", "\u{E9}"), ("a\u{308}", "\u{E4}"), ("o\u{308}", "\u{F6}"), ("u\u{308}", "\u{FC}"),
            ("n\u{303}", "\u{F1}"), ("A\u{30A}", "\u{C5}"), ("E\u{301}", "\u{C9}"), ("\u{212B}", "\u{C5}"),
            ("a\u{301}", "\u{E1}"), ("e\u{300}", "\u{E8}"), ("\u{2126}", "\u{3A9}"),
            ("\u{1112}\u{1161}\u{11AB}", "\u{D55C}"),
        ]
        var scalars = Array(unicodeScalars)
        for (decomposed, composed) in pairs {
            scalars = scalars.replacing(Array(decomposed.unicodeScalars), with: Array(composed.unicodeScalars))
        }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }

    /// The first bytes, and no half of a character.
    fileprivate func cut(_ bytes: Int) -> String {
        guard utf8.count > bytes else { return self }
        return String(decoding: utf8.prefix(bytes), as: UTF8.self)
            .filtered { $0 != "\u{FFFD}" }
    }
}

extension JSONObject {
    fileprivate func cut(levels: Int) -> JSONObject {
        guard levels > 0 else { return JSONObject() }
        return JSONObject(
            members: map { member in
                if case .object(let object) = member.value {
                    (member.key, .object(object.cut(levels: levels - 1)))
                } else {
                    (member.key, member.value)
                }
            })
    }

    fileprivate func jsonText() throws -> String {
        reduce(into: "") { $0 += $1.key + "\($1.value)" }
    }
}
