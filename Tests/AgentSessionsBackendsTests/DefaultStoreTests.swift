#if SQLite
import AgentSessions
import Foundation
import Testing

@testable import AgentSessionsBackends

@Suite("Default store")
struct DefaultStoreTests {
    private func path(_ environment: [String: String]) throws -> String {
        let found = try StoreConfiguration.load(environment: environment)
        #expect(found.source == "the default")
        #expect(found.backend.name == "sqlite")
        return try found.url.filePath()
    }

    @Test("The default store is in XDG_DATA_HOME if that is an absolute path")
    func xdg() throws {
        #expect(try path(["XDG_DATA_HOME": "/data", "HOME": "/home/me"]) == "/data/agent-sessions/sessions.db")
    }

    @Test(
        "The default store is in the home directory if XDG_DATA_HOME is not absolute",
        arguments: [nil, "", "relative/path"])
    func home(_ data: String?) throws {
        var environment = ["HOME": "/home/me"]
        environment["XDG_DATA_HOME"] = data
        #if os(macOS)
        let expected = "/home/me/Library/Application Support/agent-sessions/sessions.db"
        #else
        let expected = "/home/me/.local/share/agent-sessions/sessions.db"
        #endif
        #expect(try path(environment) == expected)
    }

    @Test(
        "A default store is found again whatever characters the home directory has",
        arguments: ["/h?x=1&y", "/h#1", "/h 100%", "/Zoë/мир", "/a\u{1}b"])
    func oddHome(_ home: String) throws {
        #expect(try path(["XDG_DATA_HOME": home]) == home + "/agent-sessions/sessions.db")
    }

    @Test(
        "The default store without a home directory is a clear error",
        arguments: [[:], ["HOME": ""], ["HOME": "relative"]])
    func homeless(_ environment: [String: String]) {
        let error = failure { () throws(StoreError) in _ = try StoreConfiguration.load(environment: environment) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("HOME") == true)
    }

    @Test("The default store and its directories are created for the owner alone, with the settings of the environment")
    func made() async throws {
        let folder = try TestFolder()
        let data = folder.path + "/new/data"
        let found = try StoreConfiguration.load(environment: [
            "XDG_DATA_HOME": data, "AGENT_SESSIONS_SYNCHRONOUS": "normal",
        ])
        for _ in 1...2 {
            let store = try await found.open()
            let settings = try await store.effectiveSettings()
            #expect(settings.contains(StoreSetting("synchronous", "1")))
            await store.close()
        }
        #expect(try permissions(folder.path + "/new") == 0o700)
        #expect(try permissions(data + "/agent-sessions") == 0o700)
        #expect(try permissions(data + "/agent-sessions/sessions.db") == 0o600)
    }

    @Test("A directory that cannot be created for the default store is a clear error")
    func blocked() async throws {
        let folder = try TestFolder()
        let file = try folder.file("file", "")
        let found = try StoreConfiguration.load(environment: ["XDG_DATA_HOME": file])
        let error = await #expect(throws: StoreError.self) { try await found.open() }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("Not a directory") == true)
    }

    @Test("A registry without SQLite has no default store")
    func noDefault() {
        let error = failure { () throws(StoreError) in
            _ = try StoreConfiguration.load(environment: ["HOME": "/home/me"], registry: BackendRegistry())
        }
        #expect(error?.message.contains("the default store") == true)
    }
}
#endif
