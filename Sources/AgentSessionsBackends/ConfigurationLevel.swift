import AgentSessions
public import Configuration

/// A source of settings, such as the environment or a file. ``StoreConfiguration`` takes several, the one with the
/// highest precedence first.
public struct ConfigurationLevel: Sendable {
    /// What the level is called in errors, such as `the environment`.
    let name: String
    /// What reads the level's values.
    let reader: ConfigReader
    /// The keys that the level holds, as it writes them; `nil` if it cannot list them, so that unknown keys are not found.
    let keys: [String]?
    /// How the level writes the name of a setting.
    let spelling: @Sendable (String) -> String
    /// Settings that the level may hold besides those of the store.
    let otherSettings: [String]
    /// Whether other programs put keys of their own here, so that an unknown key is not an error.
    let isShared: Bool

    init(
        name: String, reader: ConfigReader, keys: [String]?, otherSettings: [String] = [], isShared: Bool = false,
        spelling: @escaping @Sendable (String) -> String = { $0 }
    ) {
        self.name = name
        self.reader = reader
        self.keys = keys
        self.otherSettings = otherSettings
        self.isShared = isShared
        self.spelling = spelling
    }

    /// The part of an application's own configuration that is about the store, with the keys `store`, `busy_timeout`
    /// and so on.
    ///
    /// A reader cannot list its keys, so an unknown key is not found here.
    ///
    /// - Parameters:
    ///   - reader: The reader, scoped to the part.
    ///   - name: What errors call it, such as `the section agent_sessions`.
    public static func reader(_ reader: ConfigReader, name: String) -> ConfigurationLevel {
        ConfigurationLevel(name: name, reader: reader, keys: nil)
    }

    /// A store URL that was given as such: the `--store` of a command line, or an argument.
    public static func commandLine(store: String) -> ConfigurationLevel {
        let provider = InMemoryProvider(
            name: "command line",
            values: [AbsoluteConfigKey([SettingKey.store]): ConfigValue(.string(store), isSecret: true)])
        return ConfigurationLevel(
            name: "the command line", reader: ConfigReader(provider: provider), keys: ["--" + SettingKey.store],
            spelling: { "--\($0)" })
    }
}

extension ConfigurationLevel {
    /// Where a setting was given, for errors.
    func place(of setting: String) -> String { "\(spelling(setting)), from \(name)" }

    /// The value of a setting here, as text; `nil` where there is none.
    ///
    /// A number or boolean of a file that has types is converted to its text.
    ///
    /// - Throws: `invalidArgument` if it is neither a string nor a number.
    func text(_ setting: String, isSecret: Bool) throws(StoreError) -> String? {
        let spelled = spelling(setting)
        if let keys, !keys.contains(spelled) { return nil }
        let key = ConfigKey([setting])
        if let text = reader.string(forKey: key, isSecret: isSecret) { return text }
        if let number = reader.int(forKey: key, isSecret: isSecret) { return String(number) }
        if let number = reader.double(forKey: key, isSecret: isSecret) { return String(number) }
        if let flag = reader.bool(forKey: key, isSecret: isSecret) { return String(flag) }
        guard keys == nil else {
            throw StoreError(
                .invalidArgument, "\(spelled) in \(name) is of the wrong type: give a string or an integer.")
        }
        return nil
    }

    /// Looks for keys that are not settings of the store or of a backend.
    ///
    /// - Returns: A warning about each, if the level is shared.
    /// - Throws: `invalidArgument` if it is not shared; the message names the first key and the settings that exist.
    func checkKeys(_ settings: [String]) throws(StoreError) -> [String] {
        guard let keys else { return [] }
        let known = Set((settings + otherSettings).map(spelling)).sorted()
        let unknown = keys.filter { !known.contains($0) }.sorted()
        guard let first = unknown.first, !isShared else { return unknown.map { warning($0, known) } }
        throw StoreError(
            .invalidArgument,
            "\(quoted(first)) in \(name) is not a setting: the settings there are \(known.joined(separator: ", ")).")
    }

    private func warning(_ key: String, _ known: [String]) -> String {
        let advice =
            nearestName(to: key, among: known).map { "Did you mean \($0)?" }
            ?? "`agent-sessions backends` shows the settings."
        return "\(quoted(key)) in \(name) is not a setting, and has no effect. \(advice)"
    }
}
