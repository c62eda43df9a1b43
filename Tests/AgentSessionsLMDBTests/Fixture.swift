#if LMDB
import AgentSessions
import Foundation
import Testing

@testable import AgentSessionsLMDB

/// A folder of its own for a test, removed with everything in it afterwards.
func withFolder<Result>(
    _ body: nonisolated(nonsending) (_ path: String) async throws -> Result
) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lmdb-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.path)
}

/// A configuration whose path is filled in by the test.
func configured(_ change: (inout LMDBConfiguration) -> Void) -> LMDBConfiguration {
    var configuration = LMDBConfiguration(path: "")
    change(&configuration)
    return configuration
}

/// A store in a folder of its own, closed and removed afterwards.
func withStore<Result>(
    _ configuration: LMDBConfiguration = LMDBConfiguration(path: ""),
    _ body: nonisolated(nonsending) (LMDBSessionStore) async throws -> Result
) async throws -> Result {
    try await withFolder { folder in
        var configuration = configuration
        configuration.path = folder + "/store"
        let store = try await LMDBSessionStore.open(configuration)
        do {
            let result = try await body(store)
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }
}

/// The error of a call that must fail.
func errorOf<Success>(
    _ body: nonisolated(nonsending) () async throws(StoreError) -> Success
) async -> StoreError? {
    do throws(StoreError) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

/// How many entries each named database has.
func entryCounts(of store: LMDBSessionStore) async throws -> [String: Int] {
    try await store.readOnThread { (transaction) throws(StoreError) in
        let target = try transaction.state.migrationTarget()
        var counts: [String: Int] = [:]
        for name in databaseNames { counts[name] = try target.entries(in: name).count }
        return counts
    }
}

/// Changes a raw entry without any checks.
func damage(
    _ store: LMDBSessionStore, in name: String, key: [UInt8], _ change: @escaping @Sendable ([UInt8]) -> [UInt8]?
) async throws {
    try await store.write { (transaction) throws(StoreError) in
        transaction.changeCount += 1
        let target = try transaction.state.migrationTarget()
        guard let value = try target.value(for: key, in: name) else {
            throw StoreError(.notFound, "There is nothing to damage.")
        }
        if let changed = change(value) {
            try target.put(changed, for: key, in: name)
        } else {
            try target.remove(key, in: name)
        }
    }
}

let databaseNames = [
    LMDBMigrations.Name.sessions, LMDBMigrations.Name.messages, LMDBMigrations.Name.byActor,
    LMDBMigrations.Name.byCreation, LMDBMigrations.Name.messageIDs,
]

func messageKey(_ session: ULID, _ sequence: Int) -> [UInt8] {
    session.bytes + withUnsafeBytes(of: UInt64(sequence).bigEndian) { Array($0) }
}
#endif
