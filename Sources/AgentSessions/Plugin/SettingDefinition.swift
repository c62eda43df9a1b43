/// A setting that a backend knows: its name, what it takes, and what it is when nobody says.
public struct SettingDefinition: Sendable, Hashable {
    /// What a setting takes.
    public enum Kind: Sendable, Hashable {
        /// One of these words.
        case choice([String])
        /// A whole number within these bounds.
        case count(ClosedRange<Int>)
        /// Bytes within these bounds: a number, or one with a unit (`KiB`, `MiB`, `GiB`, `TiB`).
        case size(ClosedRange<Int>)
        /// A time within these bounds in milliseconds: a number with `ms`, `s`, `min` or `h`.
        case duration(ClosedRange<Int>)
        /// Any text.
        case text
    }

    /// The name in a store URL and in files, such as `busy_timeout`: `[a-z][a-z0-9_]*`. The environment variable is
    /// `AGENT_SESSIONS_` and the name in capitals.
    public let name: String
    /// What it takes.
    public let kind: Kind
    /// The value when nobody says, written as it would be configured; empty for none.
    public let defaultValue: String
    /// What it does, in one line.
    public let summary: String
    /// Whether the value must not be shown.
    public let isSecret: Bool

    /// A setting that a backend knows.
    public init(_ name: String, _ kind: Kind, default defaultValue: String, _ summary: String, isSecret: Bool = false) {
        self.name = name
        self.kind = kind
        self.defaultValue = defaultValue
        self.summary = summary
        self.isSecret = isSecret
    }

    /// What is allowed, in words, for help and errors.
    public var allowed: String {
        switch kind {
        case .choice(let words): words.joined(separator: ", ")
        case .count(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .size(let range):
            "a size from \(sizeText(range.lowerBound)) to \(sizeText(range.upperBound)), such as 64MiB"
        case .duration(let range):
            "a time from \(durationText(range.lowerBound)) to \(durationText(range.upperBound)), such as 250ms or 5s"
        case .text: "any text"
        }
    }

    /// Checks a value.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument``, naming the setting, what was given and what is allowed.
    public func check(_ value: String) throws(StoreError) { try check(value, isShown: !isSecret) }

    /// Checks a value, which an error shows or not.
    package func check(_ value: String, isShown: Bool) throws(StoreError) {
        let valid: Bool =
            switch kind {
            case .choice(let words): words.contains(value)
            case .count(let range):
                (value.utf8.first == 0x2D ? Int(value) : wholeNumber(value)).map(range.contains) ?? false
            case .size(let range): bytes(inSizeText: value).map(range.contains) ?? false
            case .duration(let range): milliseconds(inDurationText: value).map(range.contains) ?? false
            case .text: !value.utf8.contains(0)
            }
        guard valid else {
            let given = isShown ? quoted(value) : "what was given"
            throw StoreError(.invalidArgument, "\(name) cannot be \(given): it takes \(allowed).")
        }
    }
}

/// The settings of one store: a checked value for each definition.
public struct SettingValues: Sendable {
    private let definitions: [String: SettingDefinition]
    private let given: [String: String]

    /// Checked values.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where a name is not defined or a value is not allowed.
    public init(_ definitions: [SettingDefinition], given: [String: String] = [:]) throws(StoreError) {
        self.definitions = Dictionary(definitions.map { ($0.name, $0) }) { first, _ in first }
        self.given = given
        for (name, value) in given.sorted(by: { $0.key < $1.key }) {
            guard let definition = self.definitions[name] else {
                throw .unknownSetting(name, known: definitions)
            }
            try definition.check(value)
        }
    }

    /// These values with others in place of some.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` as ``init(_:given:)``.
    package func replacing(_ values: [String: String]) throws(StoreError) -> SettingValues {
        try SettingValues(Array(definitions.values), given: given.merging(values) { _, new in new })
    }

    /// Whether somebody gave a value.
    public func isGiven(_ name: String) -> Bool { given[name] != nil }

    /// The value as text, or the default.
    ///
    /// - Throws: ``StoreError/Code/internalFailure`` where there is no such setting.
    public func text(_ name: String) throws(StoreError) -> String {
        if let value = given[name] { return value }
        guard let definition = definitions[name] else {
            throw StoreError(.internalFailure, "The backend reads a setting that it does not declare: \(name).")
        }
        return definition.defaultValue
    }

    /// The value as a whole number.
    public func count(_ name: String) throws(StoreError) -> Int {
        try number(name) { Int($0) }
    }

    /// The value in bytes.
    public func bytes(_ name: String) throws(StoreError) -> Int {
        try number(name, bytes(inSizeText:))
    }

    /// The value as a time.
    public func duration(_ name: String) throws(StoreError) -> Duration {
        .milliseconds(try number(name, milliseconds(inDurationText:)))
    }

    private func number(_ name: String, _ parse: (String) -> Int?) throws(StoreError) -> Int {
        let text = try text(name)
        guard let number = parse(text) else {
            throw StoreError(.internalFailure, "The default of the setting \(name) is not of its kind: \(text).")
        }
        return number
    }
}

extension StoreError {
    /// A setting of that name does not exist.
    public static func unknownSetting(_ name: String, known: [SettingDefinition]) -> StoreError {
        let names = known.map(\.name).sorted().joined(separator: ", ")
        return StoreError(
            .invalidArgument,
            "There is no setting \(quoted(shownSettingName(name))) here: the settings are \(names.isEmpty ? "none" : names)."
        )
    }
}

/// The name of a setting as it may be shown: of what does not look like one, nothing, as it may be a part of a password.
func shownSettingName(_ name: String) -> String {
    let isName = name.utf8.allSatisfy {
        (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x5F
    }
    return isName ? name : "…"
}

private let sizeUnits: [(suffix: String, bytes: Int)] = [
    ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1), ("", 1),
]

private let durationUnits: [(suffix: String, milliseconds: Int)] = [
    ("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000),
]

/// Bytes, of a text such as `4096`, `64MiB`; `nil` where it is none or too large.
private func bytes(inSizeText text: String) -> Int? {
    scaled(text, sizeUnits.map { ($0.suffix, $0.bytes) })
}

/// Milliseconds, of a text such as `250ms`, `5s`; `nil` where it is none or too large.
private func milliseconds(inDurationText text: String) -> Int? {
    scaled(text, durationUnits.map { ($0.suffix, $0.milliseconds) })
}

/// A number of figures alone, which `Int` would let a sign stand before; `nil` where it is none or too large.
private func wholeNumber(_ text: some StringProtocol) -> Int? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
}

private func scaled(_ text: String, _ units: [(suffix: String, factor: Int)]) -> Int? {
    guard
        let unit = units.first(where: { text.hasSuffix($0.suffix) }),
        let number = wholeNumber(text.dropLast(unit.suffix.count))
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit.factor)
    return overflow ? nil : product
}

private func sizeText(_ bytes: Int) -> String {
    for unit in sizeUnits where bytes >= unit.bytes && bytes % unit.bytes == 0 && bytes > 0 {
        return "\(bytes / unit.bytes)\(unit.suffix)"
    }
    return "\(bytes)B"
}

private func durationText(_ milliseconds: Int) -> String {
    for unit in durationUnits.reversed() where milliseconds > 0 && milliseconds % unit.milliseconds == 0 {
        return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
    }
    return "\(milliseconds)ms"
}
