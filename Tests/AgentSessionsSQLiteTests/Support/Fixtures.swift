#if SQLite
import AgentSessions
import AgentSessionsSQLite
import Foundation
import Testing

/// A folder of one test, removed with the last reference.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "agent-sessions-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func path(_ name: String = "sessions.db") -> String { url.appending(path: name).path }

    /// The URL of the store, for another process.
    var storeURL: String { "sqlite://\(path())" }

    func configuration(_ change: (inout SQLiteConfiguration) -> Void = { _ in }) -> SQLiteConfiguration {
        var configuration = SQLiteConfiguration(path: path())
        change(&configuration)
        return configuration
    }

    func open(_ change: (inout SQLiteConfiguration) -> Void = { _ in }) async throws -> SQLiteSessionStore {
        try await SQLiteSessionStore.open(configuration(change))
    }

    /// A connection to the file that bypasses the store.
    func raw() throws -> RawDatabase { try RawDatabase(path()) }
}

typealias ConfigurationChange = (inout SQLiteConfiguration) -> Void

/// The setting at `path` with that value.
func setting<Value>(_ path: WritableKeyPath<SQLiteConfiguration, Value>, _ value: Value) -> ConfigurationChange {
    { $0[keyPath: path] = value }
}

/// Runs `body` on a fresh store, which is closed afterwards.
func withStore(
    _ changes: [ConfigurationChange] = [],
    _ body: (
        _ service: PersistentSessionService<SQLiteSessionStore>, _ folder: TemporaryFolder
    ) async throws -> Void
) async throws {
    let folder = try TemporaryFolder()
    let store = try await folder.open { configuration in
        for change in changes { change(&configuration) }
    }
    do {
        try await body(PersistentSessionService(store, retryPolicy: .never), folder)
        await store.close()
    } catch {
        await store.close()
        throw error
    }
}

/// Expects `body` to fail with a code, and gives the error.
@discardableResult
func expect<Value>(
    _ code: StoreError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Value
) async throws -> StoreError {
    do {
        let value = try await body()
        Issue.record("expected \(code), got \(value)", sourceLocation: sourceLocation)
        throw StoreError(.internalFailure, "no error")
    } catch let error as StoreError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        return error
    }
}

extension [NewMessage] {
    static func numbered(_ count: Int, _ text: String = "message") -> [NewMessage] {
        (1...count).map { NewMessage(.user, "\(text) \($0)") }
    }
}

extension SessionService {
    /// A session with some messages.
    func filled(_ count: Int, actor: String = "test/actor") async throws -> Session {
        let session = try await create(actorName: actor)
        if count > 0 { _ = try await append(.numbered(count), to: session.id) }
        return try await get(session.id)
    }

    /// Every message, page by page.
    func everyMessage(of id: ULID) async throws -> [SessionMessage] {
        var messages: [SessionMessage] = []
        for try await message in messageStream(in: id) { messages.append(message) }
        return messages
    }
}
#endif
