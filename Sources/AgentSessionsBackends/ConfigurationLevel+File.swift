public import AgentSessions
import Configuration

extension ConfigurationLevel {
    /// A file of settings: YAML where its name ends in `.yaml` or `.yml`, JSON where it ends in `.json`. One object of
    /// `store` and settings, such as `busy_timeout: 10s`.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/unavailable`` where the file cannot be read,
    ///   ``AgentSessions/StoreError/Code/limitExceeded`` where it has more than 1 MiB, and
    ///   ``AgentSessions/StoreError/Code/invalidArgument`` where it is neither YAML nor JSON. No message quotes the
    ///   file, which may hold a password.
    public static func file(_ path: String) throws(StoreError) -> ConfigurationLevel {
        let file = ConfigurationFile(path: path)
        let values = try file.values()
        var readable: [AbsoluteConfigKey: ConfigValue] = [:]
        for (key, value) in values {
            if let value { readable[AbsoluteConfigKey([key])] = ConfigValue(.string(value), isSecret: true) }
        }
        let provider = InMemoryProvider(name: path, values: readable)
        return ConfigurationLevel(
            name: "the file \(quoted(path, limit: 200))", reader: ConfigReader(provider: provider),
            keys: Array(values.keys))
    }
}
