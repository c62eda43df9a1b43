import AgentSessions
import Logging
import Synchronization
import Testing

@testable import AgentSessionsBackends

@Suite("Environment variables")
struct EnvironmentTests {
    private func load(_ environment: [String: String], store: String? = "example:x") throws -> StoreConfiguration {
        try StoreConfiguration.load(store: store, environment: environment, registry: .examples())
    }

    @Test("A variable that begins like ours but is not a setting causes a warning that names it and hides its value")
    func unknown() throws {
        let found = try load(["AGENT_SESSIONS_COLOUR": "hunter2", "COLOUR": "red", "AGENT_SESSIONS_MODE": "fast"])
        #expect(found.warnings.count == 1)
        let warning = try #require(found.warnings.first)
        #expect(warning.contains("\"AGENT_SESSIONS_COLOUR\"") && !warning.contains("hunter2"))
        #expect(!warning.contains("Did you mean"))
        #expect(try found.settings.text("mode") == "fast")
    }

    @Test(
        "The warning about an unknown variable suggests a setting with a similar name",
        arguments: [
            ("AGENT_SESSIONS_STOER", "AGENT_SESSIONS_STORE"), ("AGENT_SESSIONS_STORES", "AGENT_SESSIONS_STORE"),
            ("AGENT_SESSIONS_store", "AGENT_SESSIONS_STORE"), ("AGENT_SESSIONS_CONFGI", "AGENT_SESSIONS_CONFIG"),
            ("AGENT_SESSIONS_MAX_BATHC", "AGENT_SESSIONS_MAX_BATCH"),
            ("AGENT_SESSIONS_WORKRS", "AGENT_SESSIONS_WORKERS"),
            ("AGENT_SESSIONSMODE", nil), ("AGENT_SESSIONS_", nil), ("AGENT_SESSIONS_DATABASE_URL", nil),
            ("AGENT_SESSIONS_\(String(repeating: "X", count: 10_000))", nil),
        ])
    func near(_ name: String, _ meant: String?) throws {
        let warnings = try load([name: "memory:"]).warnings
        #expect(warnings.count == (name.hasPrefix("AGENT_SESSIONS_") ? 1 : 0))
        if let meant {
            #expect(warnings.first?.hasSuffix("Did you mean \(meant)?") == true, "\(warnings)")
        } else {
            #expect(warnings.allSatisfy { !$0.contains("Did you mean") }, "\(warnings)")
        }
    }

    /// The variables that Kubernetes gives every pod for a service with one named port and one UDP port.
    static func links(_ service: String) -> [String: String] {
        var links: [String: String] = [:]
        for (name, value) in [
            ("SERVICE_HOST", "10.3.241.7"), ("SERVICE_PORT", "80"), ("SERVICE_PORT_HTTP", "80"),
            ("SERVICE_PORT_METRICS_2", "9090"), ("PORT", "tcp://10.3.241.7:80"),
            ("PORT_80_TCP", "tcp://10.3.241.7:80"), ("PORT_80_TCP_PROTO", "tcp"), ("PORT_80_TCP_PORT", "80"),
            ("PORT_80_TCP_ADDR", "10.3.241.7"), ("PORT_53_UDP", "udp://[fd00::7]:53"), ("PORT_53_UDP_ADDR", "fd00::7"),
            ("PORT_9_SCTP_PROTO", "sctp"),
        ] {
            links["\(service)_\(name)"] = value
        }
        return links
    }

    @Test(
        "The variables that Kubernetes adds for a service of our name cause no warning",
        arguments: ["AGENT_SESSIONS", "AGENT_SESSIONS_API", "AGENT_SESSIONS_STORE", "AGENT_SESSIONS_80"])
    func serviceLinks(_ service: String) throws {
        let found = try load(Self.links(service))
        #expect(found.warnings.isEmpty, "\(found.warnings)")
        #expect(found.given.isEmpty)
    }

    @Test(
        "A variable that only resembles those of Kubernetes causes a warning",
        arguments: [
            "AGENT_SESSIONS_SERVICE", "AGENT_SESSIONS_HOST_SERVICE", "AGENT_SESSIONS_PORT_80",
            "AGENT_SESSIONS_PORT_80_SSH",
            "AGENT_SESSIONS_PORT_80_TCP_NAME", "AGENT_SESSIONS_PORT_80_TCP_ADDR_2", "AGENT_SESSIONS_80_TCP",
            "AGENT_SESSIONS_PORT_999999_TCP",
        ])
    func noServiceLink(_ name: String) throws {
        #expect(try load([name: "80"]).warnings.count == 1)
    }

    #if Postgres
    @Test("AGENT_SESSIONS_PORT is a setting of Postgres if it is a port, and is ignored if it is a Kubernetes link")
    func port() throws {
        for (value, port) in [("6432", "6432"), ("tcp://10.0.0.1:5432", "")] {
            let found = try StoreConfiguration.load(
                store: "postgres://host/db", environment: ["AGENT_SESSIONS_PORT": value])
            #expect(try found.settings.text("port") == port)
            #expect(found.warnings.isEmpty)
        }
    }
    #endif

    @Test("A setting of another backend is not read from the environment, whatever its value")
    func ofAnotherBackend() throws {
        let found = try load(["AGENT_SESSIONS_POOL": "nonsense"])
        #expect(found.warnings.isEmpty && found.given.isEmpty)
    }

    @Test("An unknown setting in a file or in a URL is still an error")
    func elsewhere() throws {
        let (folder, registry) = (try TestFolder(), try BackendRegistry.examples())
        let file = try folder.file("a.yaml", "stoer: memory\n")
        for (store, file) in [("example:x?stoer=1", nil), ("example:x", file as String?)] {
            let error = failure { () throws(StoreError) in
                _ = try StoreConfiguration.load(store: store, file: file, environment: [:], registry: registry)
            }
            #expect(error?.code == .invalidArgument && error?.message.contains("\"stoer\"") == true)
        }
    }

    @Test("An error mentions a misspelled variable of the environment that may be its cause")
    func withError() {
        let error = failure { () throws(StoreError) in
            _ = try StoreConfiguration.load(environment: ["AGENT_SESSIONS_STOER": "hunter2:"])
        }
        #expect(error?.message.contains("HOME") == true)
        #expect(error?.message.contains("Did you mean AGENT_SESSIONS_STORE?") == true)
        #expect(error?.message.contains("hunter2") == false)
    }

    @Test("Opening the store logs the warnings once for each configuration")
    func logged() async throws {
        let found = try load(["AGENT_SESSIONS_STOER": "hunter2", "AGENT_SESSIONS_COLOUR": "hunter2"])
        let log = Log()
        let context = StoreContext(logger: Logger(label: "test") { _ in log.handler })
        for _ in 1...3 { await (try found.open(context: context)).close() }
        await (try found.openExisting(context: context, migrations: .apply)).close()
        #expect(log.warnings == found.warnings)
        #expect(log.warnings.count == 2)
    }
}

/// The logged warnings.
private final class Log: Sendable {
    private let lines = Mutex<[String]>([])

    var warnings: [String] { lines.withLock { $0 } }

    var handler: any LogHandler { Handler(log: self) }

    private struct Handler: LogHandler {
        let log: Log
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            if event.level == .warning { log.lines.withLock { $0.append("\(event.message)") } }
        }
    }
}
