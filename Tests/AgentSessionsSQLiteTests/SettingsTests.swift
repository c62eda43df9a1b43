#if SQLite
import AgentSessions
import Foundation
import Testing

@testable import AgentSessionsSQLite

@Suite("Settings of a SQLite store")
struct SettingsTests {
    @Test(
        "The settings of SQLite can be read and decide its capabilities",
        arguments: [
            (SQLiteConfiguration.Synchronous.full, "2", DurabilityTier.powerLoss),
            (.extra, "3", .powerLoss), (.normal, "1", .processCrash), (.off, "0", .processCrash),
        ])
    func capabilities(synchronous: SQLiteConfiguration.Synchronous, level: String, tier: DurabilityTier) async throws {
        try await withStore([
            setting(\.synchronous, synchronous), setting(\.cacheBytes, 1 << 20), setting(\.checkpointPages, 77),
        ]) { service, _ in
            let settings = try await service.store.effectiveSettings()
            let values = Dictionary(uniqueKeysWithValues: settings.map { ($0.name, $0.value) })
            #expect(values["journal_mode"] == "wal")
            #expect(values["synchronous"] == level)
            // Without it, macOS leaves synced data in the cache of the disk.
            #expect(values["fullfsync"] == (tier == .powerLoss ? "1" : "0"))
            #expect(values["foreign_keys"] == "1")
            #expect(values["page_size"] == "4096")
            #expect(values["cache_size"] == "-1024")
            #expect(values["wal_autocheckpoint"] == "77")
            #expect(try #require(values["engine"]).hasPrefix("SQLite 3."))
            #expect(service.capabilities.durability == tier)
        }
    }

    @Test("The default settings of SQLite are safe")
    func defaults() {
        let configuration = SQLiteConfiguration(path: "x")
        #expect(configuration.synchronous == .full)
        #expect(SQLiteBackend.capabilities.durability == .powerLoss)
        #expect(SQLiteBackend.capabilities.scope == .many)
    }

    @Test("The settings hold on every connection of SQLite")
    func everyConnection() async throws {
        try await withStore { service, _ in
            let store = service.store
            for _ in 0..<20 {
                try await store.read { (transaction) throws(StoreError) in
                    let connection = transaction.connection
                    #expect(try connection.text(of: "PRAGMA foreign_keys") == "1")
                    #expect(try connection.text(of: "PRAGMA query_only") == "1")
                    #expect(try connection.text(of: "PRAGMA fullfsync") == "1")
                    #expect(try connection.text(of: "PRAGMA journal_mode") == "wal")
                }
            }
        }
    }

    @Test("A reader connection of SQLite cannot write")
    func readOnlyReader() async throws {
        try await withStore { service, _ in
            let session = try await service.create(actorName: "a")
            try await expect(.unavailable) {
                try await service.store.read { (reader) throws(StoreError) in try reader.remove(session) }
            }
            #expect(try await service.get(session.id) == session)
        }
    }

    @Test("The files of a SQLite store belong to the owner alone")
    func ownerOnly() async throws {
        try await withStore { service, folder in
            _ = try await service.create(actorName: "a")
            for name in ["sessions.db", "sessions.db-wal", "sessions.db-shm"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: folder.path(name))
                #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
            }
        }
    }

    @Test("The SQLite backend opens the file and settings of a URL")
    func openedByURL() async throws {
        let folder = try TemporaryFolder()
        let url = try StoreURL(parsing: "sqlite://\(folder.path())?synchronous=normal")
        let given = Dictionary(uniqueKeysWithValues: url.parameters.map { ($0.name, $0.value) })
            .merging(["busy_timeout": "1s", "cache_size": "2MiB", "checkpoint_pages": "9"]) { $1 }
        let settings = try SettingValues(SQLiteBackend.settings, given: given)
        let store = try await SQLiteBackend.open(url, settings: settings, context: StoreContext())
        let effective = try await store.effectiveSettings()
        #expect(effective.contains(StoreSetting("synchronous", "1")))
        #expect(effective.contains(StoreSetting("cache_size", "-2048")))
        #expect(effective.contains(StoreSetting("wal_autocheckpoint", "9")))
        #expect(store.capabilities.durability == .processCrash)
        #expect(store.backendName == "sqlite")
        await store.close()
        #expect(throws: StoreError.self) {
            try SettingValues(SQLiteBackend.settings, given: ["synchronous": "maybe"])
        }
    }
}
#endif
