import AgentSessions
public import Configuration

/// One place where a store can be configured, such as the environment or a file. ``StoreConfiguration`` takes several,
/// the one that counts most first.
public struct ConfigurationLevel: Sendable {
    /// What the level is called in errors, such as `the environment`.
    let name: String
    /// What answers for the level's values.
    let reader: ConfigReader
    /// The keys that the level holds, as it writes them; `nil` where it cannot list them, and so cannot be searched for
    /// keys that nobody knows.
    let keys: [String]?
    /// How the level writes the name of a setting.
    let spelling: @Sendable (String) -> String
    /// Settings that the level may hold besides those of the store.
    let otherSettings: [String]

    init(
        name: String, reader: ConfigReader, keys: [String]?, otherSettings: [String] = [],
        spelling: @escaping @Sendable (String) -> String = { $0 }
    ) {
        self.name = name
        self.reader = reader
        self.keys = keys
        self.otherSettings = otherSettings
        self.spelling = spelling
    }

    /// The part of an application's own configuration that is about the store, with the keys `store`, `busy_timeout`
    /// and so on.
    ///
    /// A reader cannot list its keys, so a key that no backend knows is not found out here.
    ///
    /// - Parameters:
    ///   - reader: The reader, scoped to the part.
    ///   - name: What errors call it, such as `the section agent_sessions`.
    public static func reader(_ reader: ConfigReader, name: String) -> ConfigurationLevel {
        ConfigurationLevel(name: name, reader: reader, keys: nil)
    }

    /// A store URL that somebody gave in so many words: the `--store` of a command line, or an argument.
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
    /// Where a setting stands, for errors.
    func place(of setting: String) -> String { "\(spelling(setting)), from \(name)" }

    /// The value of a setting here, as text; `nil` where there is none.
    ///
    /// A number or truth value of a file that has types is taken as it would be written.
    ///
    /// - Throws: `invalidArgument` where there is one that is neither text nor number.
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
                .invalidArgument, "\(spelled) in \(name) is of the wrong type: give a text or a whole number.")
        }
        return nil
    }

    /// Checks that every key here is a setting of the store or of a backend.
    ///
    /// - Throws: `invalidArgument`, naming the key and the ones that there are.
    func requireKnownKeys(_ settings: [String]) throws(StoreError) {
        guard let keys else { return }
        let known = Set((settings + otherSettings).map(spelling))
        if let unknown = keys.sorted().first(where: { !known.contains($0) }) {
            throw StoreError(
                .invalidArgument,
                "\(quoted(unknown)) in \(name) is not a setting: the settings there are "
                    + "\(known.sorted().joined(separator: ", ")).")
        }
    }
}
