import AgentSessions
import Configuration

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension ConfigurationLevel {
    /// Environment variables: `AGENT_SESSIONS_STORE`, and `AGENT_SESSIONS_…` for every setting. Other variables
    /// are ignored, as are those of Kubernetes for services whose names begin like ours.
    public static func environment(_ variables: [String: String]) -> ConfigurationLevel {
        let own = variables.filter { (name, value) in
            name.hasPrefix(SettingKey.environmentPrefix) && !isServiceLink(name, value)
        }
        let provider = EnvironmentVariablesProvider(environmentVariables: own)
        return ConfigurationLevel(
            name: "the environment", reader: ConfigReader(provider: provider).scoped(to: ["agent", "sessions"]),
            keys: Array(own.keys), otherSettings: [SettingKey.config], isShared: true,
            spelling: { SettingKey.environmentVariable($0) })
    }

    /// The environment of this process.
    public static var processEnvironment: [String: String] { ProcessInfo.processInfo.environment }
}
