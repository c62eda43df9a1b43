#if LMDB
import AgentSessions
import CAgentSessionsLMDB
import Foundation
import Testing

@testable import AgentSessionsLMDB

@Suite("Opening of an LMDB store", .timeLimit(.minutes(2)))
struct OpeningTests {
    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test("The folder and files of an LMDB store belong to the owner alone")
    func ownerOnly() async throws {
        try await withFolder { folder in
            let store = try await LMDBSessionStore.open(LMDBConfiguration(path: folder + "/store"))
            #expect(try mode(folder + "/store") == 0o700)
            #expect(try mode(folder + "/store/data.mdb") == 0o600)
            #expect(try mode(folder + "/store/lock.mdb") == 0o600)
            await store.close()
        }
    }

    @Test("Different spellings of a path open the same LMDB environment")
    func pathSpellings() async throws {
        try await withFolder { folder in
            let path = folder + "/store"
            let first = try await LMDBSessionStore.open(LMDBConfiguration(path: path))
            try FileManager.default.createSymbolicLink(atPath: folder + "/alias", withDestinationPath: path)
            var stores = [first]
            for spelling in [folder + "/alias", folder + "/./store/", folder + "/store/../alias"] {
                stores.append(try await LMDBSessionStore.open(LMDBConfiguration(path: spelling)))
            }
            for (number, store) in stores.enumerated() {
                _ = try await PersistentSessionService(store).create(actorName: "store-\(number)")
            }
            for store in stores {
                let sessions = try await store.list(SessionListRequest(limit: 10))
                #expect(sessions.count == 4)
            }
            var other = LMDBConfiguration(path: folder + "/alias")
            other.sync = .none
            let refused = other
            let error = await errorOf { () async throws(StoreError) in try await LMDBSessionStore.open(refused) }
            #expect(error?.code == .invalidArgument)
            await first.close()
            let rest = try await stores[3].list(SessionListRequest(limit: 10))
            #expect(rest.count == 4)
            for store in stores { await store.close() }
            let again = try await LMDBSessionStore.open(refused)
            #expect(again.capabilities.durability == .processCrash)
            await again.close()
        }
    }

    @Test("A path without an LMDB store is refused and stays untouched")
    func notAStore() async throws {
        try await withFolder { folder in
            func refusal(_ path: String) async -> StoreError? {
                await errorOf { () async throws(StoreError) in
                    try await LMDBSessionStore.open(LMDBConfiguration(path: path))
                }
            }
            let file = folder + "/file"
            try Data("hello".utf8).write(to: URL(fileURLWithPath: file))
            #expect(await refusal(file)?.message.contains("not a folder") == true)
            let long = folder + "/" + String(repeating: "n", count: 300)
            for (path, native) in [(file + "/store", "ENOTDIR"), (long, "ENAMETOOLONG")] {
                let error = await refusal(path)
                #expect(error?.code == .unavailable && error?.nativeCode == native)
            }
            #expect(await refusal(folder + "/none/store")?.nativeCode == "ENOENT")
            let others = await refusal(folder)
            #expect(others?.code == .unavailable)
            #expect(others?.message.contains("holds other files") == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])

            let damaged = folder + "/damaged"
            try FileManager.default.createDirectory(atPath: damaged, withIntermediateDirectories: true)
            let junk = Data(repeating: 7, count: 16384)
            try junk.write(to: URL(fileURLWithPath: damaged + "/data.mdb"))
            let error = await refusal(damaged)
            #expect(error?.code == .corrupt)
            #expect(error?.nativeCode == "MDB_INVALID")
            #expect(try Data(contentsOf: URL(fileURLWithPath: damaged + "/data.mdb")) == junk)
        }
    }

    /// What LMDB writes first: two pages of an empty environment.
    private func emptyDataFile(in folder: String) throws -> Data {
        var environment: OpaquePointer?
        #expect(mdb_env_create(&environment) == 0)
        #expect(mdb_env_open(environment, folder, 0, 0o600) == 0)
        mdb_env_close(environment)
        return try Data(contentsOf: URL(filePath: folder + "/data.mdb"))
    }

    @Test("An interrupted creation is completed", arguments: [0, 512, 1024, 2048, 4096, 4608, 5120, 6144, 8191])
    func interruptedCreation(length: Int) async throws {
        try await withFolder { folder in
            let path = folder + "/store"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            let whole = try emptyDataFile(in: path)
            #expect(whole.count == 8192)
            let file = URL(filePath: path + "/data.mdb")
            let zeros = Data(count: length)
            // After a loss of power a part may be zeros.
            for remains in [whole.prefix(length), zeros, whole.prefix(min(length, 4096)) + Data(count: 4096)] {
                try remains.write(to: file)
                let store = try await LMDBSessionStore.open(LMDBConfiguration(path: path))
                let session = try await PersistentSessionService(store).create(actorName: "a")
                #expect(try await store.get(session.id) != nil)
                await store.close()
            }
        }
    }

    @Test("A store that was truncated after its first commit does not count as an interrupted creation")
    func truncatedStore() async throws {
        try await withFolder { folder in
            let path = folder + "/store"
            let store = try await LMDBSessionStore.open(LMDBConfiguration(path: path))
            _ = try await PersistentSessionService(store).create(actorName: "a")
            await store.close()
            let file = URL(filePath: path + "/data.mdb")
            let whole = try Data(contentsOf: file)
            // The first two pages, each of which may be the newer one, and junk.
            for remains in [
                whole.prefix(4096), whole.prefix(8191), whole[4096..<8192] + whole[..<4096].prefix(100),
                Data(count: 4096) + whole[4096..<8192], Data(repeating: 7, count: 4096), Data(count: 12_288),
            ] {
                try remains.write(to: file)
                let error = await errorOf { () async throws(StoreError) in
                    try await LMDBSessionStore.open(LMDBConfiguration(path: path))
                }
                #expect(error?.code == .corrupt, "\(remains.count)")
                #expect(try Data(contentsOf: file) == remains)
            }
        }
    }

    @Test("The LMDB environment of another application is refused and stays untouched")
    func foreignEnvironment() async throws {
        try await withFolder { folder in
            let path = folder + "/foreign"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            var environment: OpaquePointer?
            var transaction: OpaquePointer?
            var database: MDB_dbi = 0
            #expect(mdb_env_create(&environment) == 0)
            #expect(mdb_env_open(environment, path, 0, 0o600) == 0)
            #expect(mdb_txn_begin(environment, nil, 0, &transaction) == 0)
            #expect(mdb_dbi_open(transaction, nil, 0, &database) == 0)
            let put = [UInt8]("key".utf8).withMDBValue { key in
                [UInt8]("value".utf8).withMDBValue { value in mdb_put(transaction, database, &key, &value, 0) }
            }
            #expect(put == 0)
            #expect(mdb_txn_commit(transaction) == 0)
            mdb_env_close(environment)
            let before = try Data(contentsOf: URL(fileURLWithPath: path + "/data.mdb"))
            let error = await errorOf { () async throws(StoreError) in
                try await LMDBSessionStore.open(LMDBConfiguration(path: path))
            }
            #expect(error?.message.contains("another application") == true)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path + "/data.mdb")) == before)
        }
    }

    @Test("A newer LMDB store is refused and stays untouched")
    func newerStore() async throws {
        try await withFolder { folder in
            let path = folder + "/store"
            let file = URL(fileURLWithPath: path + "/data.mdb")
            for change in ["format", "step"] {
                let store = try await LMDBSessionStore.open(LMDBConfiguration(path: path))
                if change == "format" {
                    try await damage(store, in: LMDBMigrations.Name.registry, key: StoreRecord.key) {
                        [2] + $0.dropFirst()
                    }
                } else {
                    try await damage(store, in: LMDBMigrations.Name.migrations, key: MigrationRecord.key(2)) { _ in
                        MigrationRecord.bytes(
                            AppliedMigration(name: "z9_future", origin: .core, appliedAt: .earliest, build: "b/9"),
                            parent: nil)
                    }
                }
                await store.close()
                let before = try Data(contentsOf: file)
                let error = await errorOf { () async throws(StoreError) in
                    try await LMDBSessionStore.open(LMDBConfiguration(path: path))
                }
                #expect(error?.code == .newerStore)
                #expect(try Data(contentsOf: file) == before)
                try FileManager.default.removeItem(atPath: path)
            }
        }
    }

    @Test("Concurrent openers of an LMDB store apply each migration once")
    func racingOpeners() async throws {
        try await withFolder { folder in
            let applied = Counter()
            var configuration = LMDBConfiguration(path: folder + "/store")
            configuration.migrations = [
                Migration(name: "app_001", parent: StoreFormat.Step.sessionPersistence) { (target) throws(StoreError) in
                    applied.add()
                    try target.makeDatabase("app_notes")
                    try target.put([1], for: [2], in: "app_notes")
                    #expect(try target.value(for: [2], in: "app_notes") == [1])
                    #expect(try target.value(for: [3], in: "app_notes") == nil)
                }
            ]
            let shared = configuration
            try await withThrowingTaskGroup(of: LMDBSessionStore.self) { group in
                for _ in 0..<8 { group.addTask { try await LMDBSessionStore.open(shared) } }
                for try await store in group {
                    let steps = try await store.migrations()
                    #expect(steps.count == 3 && steps.allSatisfy { $0.appliedAt != nil })
                    await store.close()
                }
            }
            #expect(applied.value == 1)
            var strict = LMDBConfiguration(path: folder + "/strict")
            strict.migrationPolicy = .require
            let refused = strict
            let error = await errorOf { () async throws(StoreError) in try await LMDBSessionStore.open(refused) }
            #expect(error?.code == .migrationRequired)
        }
    }

    @Test("A folder without the necessary rights is unavailable", arguments: [0o555, 0o000] as [mode_t])
    func missingRights(mode: mode_t) async throws {
        try await withFolder { folder in
            let path = folder + "/store"
            await (try LMDBSessionStore.open(LMDBConfiguration(path: path))).close()
            await #expect(processExitsWith: .success) {
                [
                    path = path as String, folder = folder as String, mode = mode as mode_t
                ] in
                // Root may write anything, so the process becomes `nobody`.
                chmod(folder, 0o755)
                chmod(path + "/data.mdb", 0o444)
                chmod(path + "/lock.mdb", 0o444)
                chmod(path, mode)
                if geteuid() == 0 { try #require(setuid(65534) == 0) }
                let error = await errorOf { () async throws(StoreError) in
                    try await LMDBSessionStore.open(LMDBConfiguration(path: path))
                }
                #expect(error?.code == .unavailable)
                #expect(error?.nativeCode == "EACCES")
            }
            chmod(path, 0o700)
        }
    }

    @Test("A locked LMDB store is busy within the time limit")
    func locked() async throws {
        try await withStore(configured { $0.busyTimeout = .milliseconds(50) }) { store in
            let path = try await store.readOnThread { (reader) throws(StoreError) in reader.state.environment.path }
            let lock = try WriterLock(path: path, timeout: .zero)
            try lock.acquire()
            try lock.acquire()
            let service = PersistentSessionService(store, retryPolicy: .never)
            let error = await errorOf { () async throws(StoreError) in try await service.create(actorName: "a") }
            #expect(error?.code == .busy)
            lock.release()
            _ = try await service.create(actorName: "a")
        }
    }

    @Test("The retry policy opens a store that another process is opening")
    func retriedOpening() async throws {
        try await withFolder { folder in
            let path = folder + "/store"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let turn = open(path, O_RDONLY | O_CLOEXEC)
            try #require(flock(turn, LOCK_EX) == 0)
            var configuration = LMDBConfiguration(path: path)
            configuration.busyTimeout = .milliseconds(200)
            let busy = configuration
            let error = await errorOf { () async throws(StoreError) in
                try await LMDBSessionStore.open(busy, retryPolicy: .never)
            }
            #expect(error?.code == .busy)
            async let opened = LMDBSessionStore.open(busy)
            try await Task.sleep(for: .milliseconds(300))
            close(turn)
            await (try opened).close()
        }
    }

    @Test("A store that is used after a fork refuses the call")
    func afterFork() async throws {
        try await withStore { store in
            let environment = try await store.readOnThread { (reader) throws(StoreError) in reader.state.environment }
            #expect(!environment.isForked)
            // The handler that runs in a child, called here directly.
            #expect(throws: Never.self) { try environment.requireSameProcess() }
            let status = try forkAndCheck { environment.isForked }
            #expect(status == 0)
        }
    }

    @Test("The LMDB backend opens a URL and declares its capabilities")
    func openedByURL() async throws {
        try await withFolder { folder in
            let url = try StoreURL(parsing: "lmdb:\(folder)/store?sync=none&map_size=64MiB")
            let given = Dictionary(url.parameters.map { ($0.name, $0.value) }) { first, _ in first }
            let settings = try SettingValues(LMDBBackend.settings, given: given)
            let store = try await LMDBBackend.open(url, settings: settings, context: StoreContext())
            #expect(store.backendName == "lmdb")
            #expect(store.capabilities.durability == .processCrash)
            let values = try await store.effectiveSettings()
            #expect(values.contains(StoreSetting("sync", "none")))
            #expect(values.contains(StoreSetting("map_size", "\(64 << 20)")))
            await store.close()
            #expect(LMDBBackend.capabilities.durability == .powerLoss)
            #expect(LMDBBackend.capabilities.scope == .many)
        }
    }
}

/// Forks, and gives 0 if `check` holds in the child. The child does nothing else.
private func forkAndCheck(_ check: () -> Bool) throws -> Int32 {
    // Swift hides `fork`, as hardly anything works in the child; reading a number does.
    typealias Fork = @convention(c) () -> Int32
    let symbol = try #require(dlsym(dlopen(nil, RTLD_NOW), "fork"))
    let fork = unsafeBitCast(symbol, to: Fork.self)
    let child = fork()
    if child == 0 { _exit(check() ? 0 : 1) }
    var status: Int32 = 0
    waitpid(child, &status, 0)
    return status
}

private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    var value: Int { lock.withLock { count } }

    func add() { lock.withLock { count += 1 } }
}
#endif
