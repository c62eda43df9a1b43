import AgentSessions
import Configuration
import Testing

@testable import AgentSessionsBackends

@Suite("Configuration precedence")
struct PrecedenceTests {
    /// A setting of each kind with four values that differ, one for each place: the store URL, the level of the URL, a
    /// level below, and the default.
    struct Setting: Sendable, CustomTestStringConvertible {
        let name: String
        let values: [String]

        var testDescription: String { name }
    }

    static let settings = [
        Setting(name: "mode", values: ["fast", "medium", "odd", "slow"]),
        Setting(name: "workers", values: ["7", "8", "9", "1"]),
        Setting(name: "cache", values: ["2MiB", "3MiB", "4096", "1MiB"]),
        Setting(name: "wait", values: ["2s", "250ms", "1min", "1s"]),
        Setting(name: "label", values: ["in the url", "in the environment", "in the file", ""]),
        Setting(name: "password", values: ["one", "two", "three", ""]),
        Setting(name: "max_batch", values: ["70", "80", "90", "10000"]),
    ]

    private let folder: TestFolder
    private let registry: BackendRegistry

    init() throws {
        folder = try TestFolder()
        registry = try BackendRegistry.examples()
    }

    private func load(
        _ store: String? = nil, _ environment: [String: String] = [:], file: String? = nil
    ) throws -> StoreConfiguration {
        try StoreConfiguration.load(store: store, file: file, environment: environment, registry: registry)
    }

    private func variable(_ name: String) -> String { "AGENT_SESSIONS_" + name.uppercased() }

    private func encoded(_ value: String) -> String { value.replacing(" ", with: "%20") }

    @Test(
        "A setting is taken from the first of the store URL, the environment, the file and the default that names it",
        arguments: settings, 0..<8)
    func firstDecides(_ setting: Setting, _ places: Int) throws {
        let inURL = places & 1 != 0
        let inEnvironment = places & 2 != 0
        let inFile = places & 4 != 0
        let url = "example:x" + (inURL ? "?\(setting.name)=\(encoded(setting.values[0]))" : "")
        let environment = inEnvironment ? [variable(setting.name): setting.values[1]] : [:]
        let line = inFile ? "\(setting.name): \"\(setting.values[2])\"" : "pool: 1"
        let file = try folder.file("settings.yaml", line + "\n")
        let found = try load(url, environment, file: file)
        let expected = setting.values[inURL ? 0 : inEnvironment ? 1 : inFile ? 2 : 3]
        #expect(try found.settings.text(setting.name) == expected)
    }

    @Test("The parameters of a URL from the environment have the precedence of the environment", arguments: settings)
    func environmentURL(_ setting: Setting) throws {
        let url = "example:x?\(setting.name)=\(encoded(setting.values[0]))"
        let file = try folder.file(
            "settings.json", "{\"store\":\"other:\",\"\(setting.name)\":\"\(setting.values[2])\"}")
        let environment = ["AGENT_SESSIONS_STORE": url, variable(setting.name): setting.values[1]]
        let found = try load(nil, environment, file: file)
        #expect(try found.settings.text(setting.name) == setting.values[0])
        #expect(found.source == "the environment")
    }

    @Test(
        "The parameters of a URL from the file yield to the environment and override the keys of the file",
        arguments: settings)
    func fileURL(_ setting: Setting) throws {
        let url = "example:x?\(setting.name)=\(encoded(setting.values[0]))"
        let file = try folder.file(
            "settings.json", "{\"store\":\"\(url)\",\"\(setting.name)\":\"\(setting.values[2])\"}")
        #expect(try load(file: file).settings.text(setting.name) == setting.values[0])
        let found = try load(nil, [variable(setting.name): setting.values[1]], file: file)
        #expect(try found.settings.text(setting.name) == setting.values[1])
        #expect(found.given.first { $0.name == setting.name }?.source.contains(variable(setting.name)) == true)
    }

    @Test("The store itself comes from the command line, else from the environment, else from the file")
    func store() throws {
        let file = try folder.file("settings.yml", "store: 'other:of-the-file'\n")
        let environment = ["AGENT_SESSIONS_STORE": "other:of-the-environment", "AGENT_SESSIONS_CONFIG": file]
        #expect(try load("other:of-the-line", environment).url.location == "of-the-line")
        #expect(try load(nil, environment).url.location == "of-the-environment")
        #expect(try load(nil, ["AGENT_SESSIONS_CONFIG": file]).url.location == "of-the-file")
        #expect(try load("other:", environment).source == "the command line")
    }

    @Test("A configuration file on the command line overrides the file of the environment")
    func fileOfTheLine() throws {
        let first = try folder.file("first.yaml", "store: 'other:first'\n")
        let second = try folder.file("second.yaml", "store: 'other:second'\n")
        #expect(try load(nil, ["AGENT_SESSIONS_CONFIG": second], file: first).url.location == "first")
    }

    @Test("The parameters of a URL that is not used are ignored")
    func parametersOfAnotherURL() throws {
        let found = try load("example:mine", ["AGENT_SESSIONS_STORE": "example:theirs?mode=fast"])
        #expect(try found.settings.text("mode") == "slow")
        #expect(found.given.isEmpty)
    }

    @Test("A configuration reader of an application is a level like any other, with typed values")
    func reader() throws {
        let reader = ConfigReader(
            provider: InMemoryProvider(values: [
                "store": "example:x", "workers": 12, "label": true, "mode": "fast", "wait": "2s",
            ]))
        let found = try StoreConfiguration(
            levels: [.environment(["AGENT_SESSIONS_WAIT": "3s"]), .reader(reader, name: "the application")],
            environment: [:], registry: registry)
        #expect(found.source == "the application")
        #expect(try found.settings.count("workers") == 12)
        #expect(try found.settings.text("label") == "true")
        #expect(try found.settings.duration("wait") == .seconds(3))
    }

    @Test("A scoped configuration reader reads only its own part")
    func scopedReader() throws {
        let provider = InMemoryProvider(values: ["sessions.store": "example:x", "sessions.workers": 3, "workers": 4])
        let level = ConfigurationLevel.reader(ConfigReader(provider: provider).scoped(to: "sessions"), name: "sessions")
        let found = try StoreConfiguration(levels: [level], environment: [:], registry: registry)
        #expect(try found.settings.count("workers") == 3)
    }

    @Test("A configuration tells the source of each given setting")
    func sources() throws {
        let found = try load("example:x?mode=fast", ["AGENT_SESSIONS_WORKERS": "5"])
        #expect(found.given.map(\.name) == ["mode", "workers"])
        #expect(found.given.map(\.shownValue) == ["fast", "5"])
        #expect(found.given[0].source == "the store URL of the command line")
        #expect(found.given[1].source == "AGENT_SESSIONS_WORKERS, from the environment")
    }

    @Test("The settings reach the store and lower its limits")
    func limits() async throws {
        let found = try load(
            "example:x?max_content=1KiB&max_metadata=2KiB&max_metadata_depth=3&max_batch=4&max_page=5")
        let store = try await found.open()
        let limits = store.capabilities.limits
        #expect(limits.contentBytes == 1024 && limits.metadataBytes == 2048 && limits.metadataDepth == 3)
        #expect(limits.batchMessages == 4 && limits.pageItems == 5)
        await store.close()
    }

    @Test("The migration policy is a setting that a caller can override")
    func migration() async throws {
        let found = try load("example:x?migrate=require")
        let error = await #expect(throws: StoreError.self) { try await found.open() }
        #expect(error?.code == .migrationRequired)
        await (try found.open(migrations: .apply)).close()
    }

    @Test("The environment defaults to that of the process")
    func processEnvironment() {
        #expect(ConfigurationLevel.processEnvironment["PATH"] != nil)
    }
}
