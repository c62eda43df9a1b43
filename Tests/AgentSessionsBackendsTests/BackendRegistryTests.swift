import AgentSessions
import AgentSessionsMemory
import Testing

@testable import AgentSessionsBackends

@Suite("Backend registry")
struct BackendRegistryTests {
    @Test("A registered backend is found by its name")
    func lookup() throws {
        let registry = try BackendRegistry.examples()
        #expect(registry.names == ["example", "other"])
        #expect(try registry.backend(named: "example") == ExampleBackend.self)
    }

    @Test("The standard registry holds the compiled backends, with memory first")
    func standard() {
        #expect(BackendRegistry.standard.names.first == "memory")
        #if SQLite
        #expect(BackendRegistry.standard.names.contains("sqlite"))
        #endif
        #if LMDB
        #expect(BackendRegistry.standard.names.contains("lmdb"))
        #endif
        #if Postgres
        #expect(BackendRegistry.standard.names.contains("postgres"))
        #endif
    }

    @Test("A backend is found by its aliases too")
    func alias() throws {
        try NamedBackend.$chosenAlias.withValue("alias") {
            var registry = try BackendRegistry.examples()
            try registry.register(NamedBackend.self)
            #expect(try registry.backend(named: "alias") == NamedBackend.self)
            #expect(registry.names == ["example", "other", "named"])
        }
    }

    @Test("An alias that another backend uses is refused")
    func takenAlias() throws {
        try NamedBackend.$chosenAlias.withValue("other") {
            var registry = try BackendRegistry.examples()
            let error = #expect(throws: StoreError.self) { try registry.register(NamedBackend.self) }
            #expect(error?.message.contains("\"other\"") == true)
            #expect(registry.names == ["example", "other"])
        }
    }

    @Test("Every standard backend could also be registered by an application")
    func standardIsConsistent() throws {
        var registry = BackendRegistry()
        for backend in BackendRegistry.standard.backends { try registry.register(backend) }
        #expect(registry.names == BackendRegistry.standard.names)
    }

    @Test("A second backend of the same name is refused")
    func duplicate() throws {
        var registry = try BackendRegistry.examples()
        let error = #expect(throws: StoreError.self) { try registry.register(ExampleBackend.self) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("\"example\"") == true)
        #expect(registry.names == ["example", "other"])
    }

    @Test("A backend that is registered in one registry is not known to any other")
    func isValue() throws {
        var copy = BackendRegistry.standard
        try copy.register(ExampleBackend.self)
        #expect(!BackendRegistry.standard.names.contains("example"))
    }

    @Test("A name that is not a valid URL scheme is refused", arguments: ["", "Sql", "9db", "a_b", "a-b", "a b", "é"])
    func badName(_ name: String) {
        NamedBackend.$chosenName.withValue(name) {
            var registry = BackendRegistry()
            let error = #expect(throws: StoreError.self) { try registry.register(NamedBackend.self) }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test(
        "A setting whose name already means something else is refused",
        arguments: ["store", "config", "migrate", "Big", "", "mode"])
    func badSetting(_ name: String) {
        NamedBackend.$chosenSetting.withValue(name) {
            var registry = BackendRegistry()
            let error = #expect(throws: StoreError.self) { try registry.register(NamedBackend.self) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("\"\(name)\"") == true)
        }
    }

    @Test("The error for an unknown backend names it and lists the known ones")
    func unknown() throws {
        let registry = try BackendRegistry.examples()
        let error = failure { () throws(StoreError) in _ = try registry.backend(named: "mongo") }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("\"mongo\"") == true)
        #expect(error?.message.contains("example, other") == true)
    }

    @Test("The error of an empty registry says that it knows no backend")
    func empty() {
        let error = failure { () throws(StoreError) in _ = try BackendRegistry().backend(named: "memory") }
        #expect(error?.message.contains("are none") == true)
    }

    @Test("A URL alone opens a store, and its parameters are applied")
    func openByURL() async throws {
        let store = try await BackendRegistry.examples().open("example:x?max_content=1KiB")
        #expect(store.capabilities.limits.contentBytes == 1024)
        let service = store.makeService()
        let session = try await service.create(actorName: "local/test")
        #expect(try await service.get(session.id) == session)
        await store.close()
    }

    @Test(
        "The error for a URL that cannot be opened says why",
        arguments: [
            "memory:somewhere", "example:?nothing=1", "example:?workers=0", "unknown:", "no-scheme",
            "example:?mode=%zz",
        ])
    func openRefused(_ url: String) async throws {
        var registry = BackendRegistry.standard
        try registry.register(ExampleBackend.self)
        let error = await #expect(throws: StoreError.self) { try await registry.open(url) }
        #expect(error?.code == .invalidArgument)
    }
}

/// A backend with any name and setting.
private enum NamedBackend: StoreBackend {
    @TaskLocal static var chosenName = "named"
    @TaskLocal static var chosenAlias: String?
    @TaskLocal static var chosenSetting = "free"

    static var name: String { chosenName }
    static var aliases: [String] { chosenAlias.map { [$0] } ?? [] }
    static let summary = "a backend for tests"
    static let exampleURL = "named:"
    static let capabilities = StoreCapabilities(durability: .memory, scope: .one)
    static var settings: [SettingDefinition] {
        [
            SettingDefinition("mode", .text, default: "", "taken twice where the other is called mode too"),
            SettingDefinition(chosenSetting, .text, default: "", "what the test wants"),
        ]
    }

    static func open(
        _ url: StoreURL, settings: SettingValues, context: StoreContext
    ) async throws(StoreError) -> MemorySessionStore {
        MemorySessionStore()
    }
}
