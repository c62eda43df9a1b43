#if SQLite
import AgentSessions
import AgentSessionsBackends
import AgentSessionsMemory
import AgentSessionsTestSupport
import Testing

@testable import agent_sessions

@Suite("Store verbs")
struct StoreCommandTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test("The migrate verb updates a store and prints the chain of migrations")
    func migrate() async throws {
        let result = try await bench.run("migrate", "--json").json()
        #expect(result["applied"] == 2)
        let steps = try #require(result["migrations"]?.arrayValue)
        #expect(steps.map { $0["name"] } == ["b1_001_resource_registry", "a7_001_session_persistence"])
        #expect(steps[1]["parent"] == "b1_001_resource_registry" && steps[0]["parent"] == JSONValue.null)
        #expect(steps[0]["origin"] == "core" && steps[0]["build"] == .string(BuildInfo.writer))
        #expect(steps[0]["applied_at"]?.stringValue?.hasSuffix("Z") == true)
        let text = try await bench.run("migrate", "--status").text
        #expect(text.contains("b1_001_resource_registry") && text.contains("2 of 2 steps applied."))
    }

    @Test("The migrate verb with --status shows the chain of a new store and applies nothing, whatever is configured")
    func migrateStatus() async throws {
        for options in [["--json"], ["--json", "--store", bench.store() + "?migrate=auto"]] {
            let result = try await bench.run(["--store", bench.store(), "migrate", "--status"] + options).json()
            #expect(result["applied"] == 0)
            #expect(result["migrations"]?[0]?["applied_at"] == JSONValue.null)
            #expect(result["migrations"]?[0]?["build"] == JSONValue.null)
        }
        let text = try await bench.run("migrate", "--status").text
        #expect(text.contains("not yet") && text.contains("The store does not exist yet"))
        #expect(try bench.files("a.db").isEmpty)
        let required = ["--store", bench.store() + "?migrate=require"]
        try await bench.run(required + ["list"]).expectRefusal("There is no store")
        try await bench.run(required + ["create", "--actor", "x"]).expectRefusal("migrationRequired")
        #expect(try await bench.run(required + ["migrate", "--json"]).json()["applied"] == 2)
        #expect(try await bench.run(required + ["list"]).status == 0)
    }

    @Test("The backends verb describes each backend and the current state of the configured store")
    func backends() async throws {
        _ = try await bench.session()
        let all = try #require(try await bench.run("backends", "--json").json().arrayValue)
        #expect(all.map { $0["name"]?.stringValue } == BackendRegistry.standard.names)
        let memory = try #require(all.first)
        #expect(memory["effective"] == JSONValue.null && memory["configured"] == false)
        #expect(memory["capabilities"]?["durability"] == "T0" && memory["capabilities"]?["scope"] == "one")
        #expect(memory["capabilities"]?["limits"]?["content_bytes"] == 16_777_216)
        let sqlite = try #require(all.first { $0["name"] == "sqlite" })
        #expect(sqlite["configured"] == true)
        #expect(sqlite["effective"]?["journal_mode"] == "wal")
        #expect(sqlite["example"]?.stringValue?.hasPrefix("sqlite:") == true)
        let setting = try #require(sqlite["settings"]?.arrayValue?.first { $0["name"] == "synchronous" })
        #expect(setting["default"] == "full" && setting["allowed"]?.stringValue?.contains("normal") == true)
        #expect(setting["summary"]?.stringValue?.isEmpty == false)
    }

    @Test("The backends verb prints settings, values in force and what a store survives")
    func backendsText() async throws {
        _ = try await bench.session()
        let text = try await bench.run("backends").text
        for part in [
            "memory: ", "sqlite: ", "survives", "any number of processes", "one process", "in force", "journal_mode",
            "wal",
            "busy_timeout", "default 5s",
        ] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test("The backends verb works even if the configured store cannot be opened, and says why")
    func backendsWithoutStore() async throws {
        let result = try await bench.run(["--store", "mongo:x", "backends", "--json"])
        #expect(result.status == 0)
        #expect(result.errors.hasPrefix("note: "))
        #expect(result.errors.contains("\"mongo\""))
        #expect(result.text.contains("\"effective\":null"))
    }

    @Test("The backends, verify and copy verbs create no store and say that there is none")
    func looking() async throws {
        let shown = try await bench.run("backends", "--json")
        #expect(shown.status == 0 && shown.errors.contains("There is no store"))
        try await bench.run("verify").expectRefusal("There is no store")
        try await bench.run(["copy", "--from", bench.store(), "--to", bench.store("b.db")])
            .expectRefusal("There is no store")
        try bench.file("a.db", [])
        try await bench.run("verify").expectRefusal("There is no store")
        #expect(try bench.contents("a.db").isEmpty)
        #expect(try bench.files("b.db").isEmpty)
    }

    @Test("The backends verb shows a weaker durability tier")
    func weakerTier() async throws {
        _ = try await bench.session()
        let all = try await bench.run(["--store", bench.store() + "?synchronous=normal", "backends", "--json"]).json()
        let sqlite = try #require(all.arrayValue?.first { $0["name"] == "sqlite" })
        #expect(sqlite["capabilities"]?["durability"] == "T1")
        #expect(try await bench.run(["--store", "memory:", "backends"]).text.contains("T1") == false)
    }

    @Test("A backend that an application registers is used and shown like others")
    func registered() async throws {
        var registry = BackendRegistry.standard
        try registry.register(TerseBackend.self)
        let bench = try Workbench(registry: registry)
        let all = try await bench.run(["--store", "terse:", "backends", "--json"]).json().arrayValue
        #expect(all?.last?["effective"] == [:])
        let text = try await bench.run(["--store", "terse:", "backends"]).text
        #expect(text.contains("a crash of the process, not the loss of power (T1)"))
        #expect(try await bench.run(["--store", "terse:", "list"]).text == "No sessions.\n")
    }

    @Test(
        "Every verb refuses a store URL that it cannot use",
        arguments: [
            ("mongo:x", "no backend \"mongo\""), ("a.db", "no scheme"), ("sqlite:", "path"),
            ("sqlite:a.db?colour=red", "\"colour\""), ("sqlite:a.db?busy_timeout=-1", "busy_timeout"),
            ("sqlite:a.db?synchronous=maybe", "full"), ("sqlite://host/a.db", "host"), ("memory:x", "no location"),
            ("sqlite:///nowhere/at/all/a.db", "error"), ("sqlite:a%zz.db", "percent"),
            ("sqlite::memory:", "Use memory: for a store in memory"),
            ("sqlite:file::memory:", "Use memory: for a store in memory"),
        ])
    func storeRefused(_ url: String, _ hint: String) async throws {
        for verb in [["list"], ["create", "--actor", "x"], ["migrate"]] {
            try await bench.run(["--store", url] + verb).expectRefusal(hint)
            try await bench.run(verb + ["--json", "--store=\(url)"]).expectRefusal(hint)
        }
    }

    @Test("A directory and a file that is not a database are refused and stay as they are")
    func noDatabase() async throws {
        let text = Array("this is no database, but a letter to a friend\n".utf8)
        try bench.file("a.db", text)
        try await bench.run("list").expectRefusal("error")
        #expect(try bench.contents("a.db") == text)
        try await bench.run(["--store", "sqlite://\(bench.path)", "list"]).expectRefusal("error")
    }

    @Test("A configuration file names the store for any verb, and its faults are reported")
    func configuration() async throws {
        let yaml = try bench.file("c.yaml", "store: 'sqlite://\(bench.path)/from-file.db'\nbusy_timeout: 2s\n".utf8)
        _ = try await bench.run(["--config", yaml, "create", "--actor", "x"])
        _ = try await bench.run(["create", "--config=\(yaml)", "--actor", "x"])
        #expect(try bench.files("from-file.db").first == "from-file.db")
        #expect(try await bench.run(["list", "--config", yaml, "--json"]).json()["sessions"]?.arrayValue?.count == 2)
        try await bench.run(["--config", bench.path("none.yaml"), "list"]).expectRefusal("none.yaml")
        try await bench.run(["--config", bench.file("d.json", "{\"colour\":1}".utf8), "list"]).expectRefusal(
            "\"colour\"")
    }

    @Test("The environment names the store, and an unknown variable is reported")
    func environment() async throws {
        let bench = try Workbench(environment: ["AGENT_SESSIONS_STORE": "memory:"])
        #expect(try await bench.run(["list", "--json"]).json() == ["sessions": [], "next": .null])
    }

    @Test("Each unknown variable of the environment is reported once, without its value, and stops nothing")
    func foreignVariables() async throws {
        let bench = try Workbench(environment: [
            "AGENT_SESSIONS_STORE": "memory:", "AGENT_SESSIONS_STOER": "s3cret", "AGENT_SESSIONS_BANNER": "s3cret",
            "AGENT_SESSIONS_SERVICE_HOST": "10.0.0.1", "AGENT_SESSIONS_PORT": "tcp://10.0.0.1:80",
        ])
        let listed = try await bench.run(["list", "--json"])
        #expect(listed.status == 0 && listed.text.contains("\"sessions\":[]"))
        #expect(
            listed.errors == """
                warning: "AGENT_SESSIONS_BANNER" in the environment is not a setting, and has no effect. \
                `agent-sessions backends` shows the settings.
                warning: "AGENT_SESSIONS_STOER" in the environment is not a setting, and has no effect. Did you mean \
                AGENT_SESSIONS_STORE?

                """)
        let copied = try await bench.run(["copy", "--from", "memory:", "--to", bench.store()])
        #expect(copied.status == 0)
        #expect(copied.errors.split(separator: "\n").count == 2)
        // A misspelled variable may be the cause of an error.
        let homeless = try Workbench(environment: ["AGENT_SESSIONS_STOER": "memory:", "HOME": ""])
        try await homeless.run(["list"]).expectRefusal("Did you mean AGENT_SESSIONS_STORE?")
    }

    @Test("The store is in the data directory if nothing is configured")
    func defaultStore() async throws {
        let bench = try Workbench()
        let data = try Workbench(environment: ["XDG_DATA_HOME": bench.path])
        _ = try await data.run(["create", "--actor", "x"]).text
        #expect(try bench.files("agent-sessions") == ["agent-sessions"])
    }
}

/// A backend that declares as little as possible.
private enum TerseBackend: StoreBackend {
    static let name = "terse"
    static let summary = "a backend for tests"
    static let exampleURL = "terse:"
    static let capabilities = StoreCapabilities(durability: .processCrash, scope: .one)
    static let settings: [SettingDefinition] = []

    static func open(
        _ url: StoreURL, settings: SettingValues, context: StoreContext
    ) async throws(StoreError) -> TerseStore {
        TerseStore()
    }
}

private struct TerseStore: ForwardingSessionStore {
    let base: any SessionStore = MemorySessionStore()
    let backendName = TerseBackend.name
    let capabilities = TerseBackend.capabilities

    func effectiveSettings() async throws(StoreError) -> [StoreSetting] { [] }
    func migrations() async throws(StoreError) -> [MigrationStatus] { [] }
    func identity() async throws(StoreError) -> StoreIdentity? { nil }
    func engineChecks() async throws(StoreError) -> [VerificationCheck] { [] }
}
#endif
