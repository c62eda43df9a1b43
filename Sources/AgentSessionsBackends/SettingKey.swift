/// The names of settings, and how they are written on each level.
enum SettingKey {
    /// The store's URL.
    static let store = "store"
    /// The configuration file, which only the environment and the command line name.
    static let config = "config"
    /// The prefix of every environment variable of this package.
    static let environmentPrefix = "AGENT_SESSIONS_"

    /// The environment variable of a setting: `busy_timeout` is `AGENT_SESSIONS_BUSY_TIMEOUT`.
    static func environmentVariable(_ name: String) -> String { environmentPrefix + name.uppercased() }

    /// Whether `name` matches `[a-z][a-z0-9_]*`.
    static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, (0x61...0x7A).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 0x61...0x7A, 0x30...0x39, 0x5F: true
            default: false
            }
        }
    }
}
