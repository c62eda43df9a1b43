/// What may be shown of a store URL, in descriptions and errors alike: neither a password nor a part of one, and no value
/// of a parameter.
///
/// A password stands between the first colon of the authority and the last `@`. People forget to escape what is in it, so
/// an `@` counts wherever it stands. A `?` of its own cuts a password in two, and what follows looks like parameters, up
/// to the `@`: `postgres://user:abc?SECRET@host/db`. To hide too much does no harm. Where the authority is empty, as in
/// `sqlite:///a:b@c`, there is no password.
struct ShownURL {
    /// The location.
    let location: String
    /// Whether the parameters may be the rest of a password: their names and values are not shown then.
    let hidesParameters: Bool

    /// - Parameters:
    ///   - location: The location as it was written.
    ///   - query: What follows the question mark, whole or in parts.
    init(location: String, query: some Sequence<String>) {
        var shown = location.unicodeScalars
        let hasAuthority = shown.starts(with: "//".unicodeScalars)
        let rest = hasAuthority ? shown.dropFirst(2) : shown[...]
        let authority = rest.prefix { $0 != "/" }
        guard let colon = authority.firstIndex(of: ":") else {
            self.location = location
            hidesParameters = false
            return
        }
        hidesParameters = query.contains { $0.unicodeScalars.contains("@") }
        let secret = shown.index(after: colon)
        if hidesParameters {
            shown.replaceSubrange(secret..., with: "***".unicodeScalars)
        } else if let at = rest[secret...].lastIndex(of: "@") {
            shown.replaceSubrange(secret..<at, with: "***".unicodeScalars)
        } else if hasAuthority, authority.first != "[", !authority[secret...].allSatisfy(Self.isPartOfPorts) {
            // No port: perhaps a password whose `@` was forgotten.
            shown.replaceSubrange(secret..<authority.endIndex, with: "***".unicodeScalars)
        }
        self.location = String(shown)
    }

    private static func isPartOfPorts(_ scalar: Unicode.Scalar) -> Bool {
        ("0"..."9").contains(scalar) || scalar == ","
    }

    /// The name of a parameter: what does not look like one, or may be a part of a password, is not shown.
    func name(_ name: String) -> String {
        hidesParameters ? "…" : shownSettingName(name)
    }

    /// The name, to stand in a sentence.
    func quotedName(_ name: String) -> String { quoted(self.name(name)) }

    /// What to say after an error about a parameter that may be the rest of a password; nothing for others.
    var advice: String {
        hidesParameters ? " If it is a part of the password, write %3F for ? and %40 for @ there." : ""
    }
}

extension StoreURL: CustomStringConvertible {
    /// The URL as it may be shown: without a password, and without the values of parameters.
    public var description: String {
        let names = parameters.map { "\(shown.name($0.name))=…" }.joined(separator: "&")
        return "\(scheme):\(shown.location)" + (names.isEmpty ? "" : "?\(names)")
    }

    /// A text that may be a store URL, as it may be shown: of one that cannot be read, the scheme.
    package static func shown(_ text: String) -> String {
        guard let scheme = scheme(of: text) else { return text }
        return (try? StoreURL(parsing: text).description) ?? "\(scheme):…"
    }

    private var shown: ShownURL {
        ShownURL(location: location, query: parameters.flatMap { [$0.name, $0.value] })
    }

    /// Whether a value of a parameter must not be shown, whatever the parameter is, as it may be a part of a password.
    package var hidesValues: Bool { shown.hidesParameters }

    /// The error of a parameter that is no setting.
    package func unknownParameter(_ name: String, known: [SettingDefinition]) -> StoreError {
        let error = StoreError.unknownSetting(shown.name(name), known: known)
        return StoreError(error.code, error.message + shown.advice)
    }
}
