import AgentSessions
import Configuration
import Testing

@testable import AgentSessionsBackends

@Suite("Refused configuration")
struct RefusalTests {
    private let folder: TestFolder
    private let registry: BackendRegistry

    init() throws {
        folder = try TestFolder()
        registry = try BackendRegistry.examples()
    }

    private func refusal(
        _ store: String? = nil, _ environment: [String: String] = [:], file: String? = nil
    ) -> StoreError? {
        failure { () throws(StoreError) in
            _ = try StoreConfiguration.load(store: store, file: file, environment: environment, registry: registry)
        }
    }

    @Test("The error for an unknown URL parameter names it and lists the known ones")
    func unknownParameter() {
        let error = refusal("example:x?colour=red")
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("\"colour\"") == true)
        #expect(error?.message.contains("max_batch") == true && error?.message.contains("workers") == true)
    }

    @Test("A setting of another backend is refused in the URL")
    func foreignParameter() {
        #expect(refusal("example:x?pool=2")?.message.contains("\"pool\"") == true)
    }

    @Test("A setting of another backend is ignored in the environment and in files")
    func foreignKeys() throws {
        let file = try folder.file("a.yaml", "pool: 3\n")
        #expect(refusal("example:x", ["AGENT_SESSIONS_POOL": "nonsense"], file: file) == nil)
    }

    @Test(
        "The error for an unknown key of a file names it, by its path if it is nested",
        arguments: [
            ("a.yaml", "colour: red\n", "colour"), ("b.json", "{\"colour\":1}", "colour"),
            ("c.yaml", "example:\n  mode: fast\n", "example.mode"),
            ("d.json", "{\"example\":{\"mode\":\"fast\"}}", "example.mode"), ("e.json", "{\"config\":\"x\"}", "config"),
            ("f.yaml", "AGENT_SESSIONS_STORE: 'example:'\n", "AGENT_SESSIONS_STORE"),
            ("g.json", "{\"Mode\":\"fast\"}", "Mode"),
        ])
    func unknownFileKey(_ name: String, _ text: String, _ key: String) throws {
        let path = try folder.file(name, text)
        let error = refusal("example:x", file: path)
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("\"\(key)\"") == true)
        #expect(error?.message.contains(name) == true)
        #expect(error?.message.contains("mode") == true)
    }

    @Test(
        "The error for a value that is not allowed names its key, the allowed values and its source",
        arguments: [
            ("mode", "turbo"), ("workers", "0"), ("workers", "65"), ("workers", "many"), ("workers", ""),
            ("cache", "-1"),
            ("cache", "1GB"), ("cache", "9999999999999999999TiB"), ("wait", "soon"), ("wait", "2h"), ("label", "a\0b"),
            ("max_content", "17MiB"), ("migrate", "maybe"),
        ])
    func badValue(_ name: String, _ value: String) throws {
        let variable = "AGENT_SESSIONS_" + name.uppercased()
        let yaml = try folder.file("a.yaml", "\(name): \"\(value.replacing("\0", with: "\\0"))\"\n")
        let escaped = value.replacing("\0", with: "%00")
        for (error, place) in [
            (refusal("example:x?\(name)=\(escaped)"), "the store URL of the command line"),
            (refusal("example:x", [variable: value]), variable),
            (refusal("example:x", file: yaml), "a.yaml"),
        ] {
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains(name) == true)
            #expect(error?.message.contains("it takes") == true)
            #expect(error?.message.contains(place) == true)
        }
    }

    @Test(
        "A value of the wrong type is refused",
        arguments: [
            ("a.yaml", "mode: [fast, slow]\n"), ("b.json", "{\"mode\":[\"fast\"]}"), ("c.json", "{\"mode\":null}"),
            ("d.json", "{\"mode\":{}}"), ("e.json", "{\"workers\":1.5}"), ("f.json", "{\"workers\":true}"),
            ("g.yaml", "workers:\n"), ("h.json", "{\"store\":[]}"),
        ])
    func wrongType(_ name: String, _ text: String) throws {
        let path = try folder.file(name, text)
        let error = refusal("example:x", file: path) ?? refusal(file: path)
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(name) == true)
    }

    @Test("A list from a configuration reader is of the wrong type for a store, and is ignored")
    func wrongTypeOfReader() {
        let reader = ConfigReader(
            provider: InMemoryProvider(values: ["store": ConfigValue(.stringArray(["a"]), isSecret: false)]))
        let error = failure { () throws(StoreError) in
            _ = try StoreConfiguration(levels: [.reader(reader, name: "app")], environment: [:], registry: registry)
        }
        #expect(error?.message.contains("HOME") == true)
    }

    @Test(
        "The error for an invalid store URL names the source of the URL",
        arguments: ["", "sessions.db", "/var/lib/a.db", "://x", "9x:", "example:?=1", "example:?mode=fast&mode=slow"])
    func badURL(_ text: String) {
        let error = refusal(nil, ["AGENT_SESSIONS_STORE": text])
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("AGENT_SESSIONS_STORE") == true)
    }

    @Test("The error for an unknown backend names the source of the URL")
    func unknownBackend() {
        let error = refusal("mongo:x")
        #expect(error?.message.contains("\"mongo\"") == true)
        #expect(error?.message.contains("--store") == true)
    }

    @Test("A file that cannot be read is an error with its path")
    func unreadableFiles() throws {
        for path in ["\(folder.path)/none.yaml", "\(folder.path)/none/x.json"] {
            let error = refusal("example:x", file: path)
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("none") == true)
        }
        let missing = refusal("example:x", ["AGENT_SESSIONS_CONFIG": "\(folder.path)/gone.yml"])
        #expect(missing?.message.contains("No such file") == true)
    }

    @Test("A directory in place of a configuration file is refused")
    func directory() throws {
        let nested = try TestFolder()
        let path = nested.path + "/x.yaml"
        try makeDirectory(path)
        let error = refusal("example:x", file: path)
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("directory") == true)
    }

    @Test("A configuration file of another kind is refused", arguments: ["a.toml", "noextension", "a.yaml.txt"])
    func otherKind(_ name: String) throws {
        let error = refusal("example:x", file: try folder.file(name, "mode: fast\n"))
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(".yaml, .yml or .json") == true)
    }

    @Test("A configuration file that is too long is refused")
    func tooLong() throws {
        let text = "# " + String(repeating: "x", count: ConfigurationFile.maximumBytes) + "\n"
        #expect(refusal("example:x", file: try folder.file("a.yaml", text))?.code == .limitExceeded)
    }

    @Test(
        "A file that does not match its extension is refused, with the line of the fault if it is known",
        arguments: [
            ("a.yaml", "mode: fast\n  workers: : 2\n", "line 2"), ("b.yaml", "mode: \"fast\n", "line"),
            ("c.yaml", "- mode\n", "key: value"), ("d.yaml", "", "key: value"),
            ("e.yaml", "mode: fast\nmode: slow\n", "duplicated"),
            ("f.yaml", "mode: \u{1}\n", "not valid YAML"), ("g.json", "{\"mode\":}", "byte 8"), ("h.json", "", "empty"),
            ("i.json", "[]", "object"), ("j.json", "{\"mode\":\"fast\",\"mode\":\"slow\"}", "duplicated"),
            ("k.json", "{\"workers\":99999999999999999999}", "64 bits"),
        ])
    func malformed(_ name: String, _ text: String, _ hint: String) throws {
        let error = refusal("example:x", file: try folder.file(name, text))
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(name) == true)
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "no error")")
    }

    @Test("A YAML mapping with a list as a key is refused")
    func keyOfAnotherType() throws {
        #expect(refusal("example:x", file: try folder.file("a.yaml", "[a, b]: 1\n"))?.code == .invalidArgument)
    }
}

@Suite("Secrets in a configuration")
struct SecretTests {
    private let secret = "hunter2"

    @Test("No description shows a password or a secret setting")
    func descriptions() throws {
        let found = try StoreConfiguration.load(
            store: "example://me:hunter2@host/db?password=hunter2&label=shown", environment: [:],
            registry: .examples())
        for text in ["\(found)", String(reflecting: found), "\(found.url)", "\(found.given)"] {
            #expect(!text.contains(secret))
        }
        #expect("\(found)".contains("password=***"))
        #expect("\(found)".contains("label=shown"))
        #expect(try found.settings.text("password") == secret)
    }

    @Test("A password that contains an unescaped ? is not shown, even if its rest counts as a setting")
    func cutPassword() throws {
        let found = try StoreConfiguration.load(
            store: "example://me:abc?label=hunter2@host/db", environment: [:], registry: .examples())
        for text in ["\(found)", "\(found.url)", "\(found.given)"] { #expect(!text.contains(secret), "\(text)") }
        let registry = try BackendRegistry.examples()
        let error = failure { () throws(StoreError) in
            _ = try StoreConfiguration.load(
                store: "example://me:abc?hunter2@host/db", environment: [:], registry: registry)
        }
        #expect(error?.message.contains("%3F") == true)
    }

    @Test("No error shows a secret, whatever its source")
    func errors() throws {
        let folder = try TestFolder()
        let registry = try BackendRegistry.examples()
        let yaml = try folder.file("a.yaml", "store: example://me:hunter2@host\n  broken: : x\n")
        let json = try folder.file("a.json", "{\"password\":\"hunter2\",}")
        let list = try folder.file("b.json", "{\"password\":[\"hunter2\"]}")
        let cases: [(String?, [String: String], String?)] = [
            ("example:x?password=hunter2%00", [:], nil), ("me:hunter2@host", [:], nil),
            ("example://me:hunter2@host?mode=x", [:], nil), (nil, ["AGENT_SESSIONS_STORE": "//me:hunter2@host"], nil),
            ("example:x", ["AGENT_SESSIONS_PASSWORD": "hunter2\0"], nil), ("example:x", [:], yaml),
            ("example:x", [:], json),
            ("example:x", [:], list), ("example://me:hunter2@host?password=%zz", [:], nil),
            // A password with an unescaped ?.
            ("example://me:abc?hunter2@host/db", [:], nil), ("example://me:abc?hunter2=x@host/db", [:], nil),
            ("example://me:abc?hunter2@host/db?mode=x", [:], nil), ("example://me:abc?mode=hunter2@host", [:], nil),
            ("example://me:abc?workers=hunter2&label=x@host", [:], nil),
            (nil, ["AGENT_SESSIONS_STORE": "example://me:abc?hunter2@host/db"], nil),
        ]
        for (store, environment, file) in cases {
            let error = failure { () throws(StoreError) in
                _ = try StoreConfiguration.load(store: store, file: file, environment: environment, registry: registry)
            }
            #expect(error != nil)
            #expect(!"\(String(describing: error))".contains(secret), "\(String(describing: error))")
        }
    }
}
