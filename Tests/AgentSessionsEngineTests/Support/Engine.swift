#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsBackends
import Foundation
import AgentSessionsPostgresServer
import Testing

@testable import agent_sessions

/// The engines whose data other processes can open.
enum Engine: String, CaseIterable, Sendable {
    case sqlite, lmdb, postgres

    /// The engines that this machine can run.
    static let available = allCases.filter { $0 != .postgres || PostgresCluster.isInstalled }
}

/// A folder of one test, removed with the last reference, and URLs of stores that no other test uses.
final class Workshop: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "engines-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The URL of a store. For Postgres, it names a schema of the tests' server.
    ///
    /// - Parameters:
    ///   - engine: The engine.
    ///   - name: The name of the store.
    ///   - settings: Settings that differ from the defaults, such as `max_content=4B`.
    func url(
        _ engine: Engine, _ name: String = PostgresCluster.freshSchema(), _ settings: String...
    ) throws -> String {
        let (place, own): (String, [String]) =
            switch engine {
            case .sqlite: ("sqlite://\(path)/\(name).db", [])
            case .lmdb: ("lmdb://\(path)/\(name)", ["initial_map_size=16MiB"])
            case .postgres:
                (
                    "postgres:///postgres",
                    ["host=\(try PostgresCluster.shared().folder)", "user=postgres", "schema=\(name)"]
                )
            }
        let all = own + settings
        return all.isEmpty ? place : "\(place)?\(all.joined(separator: "&"))"
    }

    func open(_ url: String) async throws -> any SessionStore {
        try await StoreConfiguration.load(store: url, environment: ["HOME": path]).open()
    }

    /// Runs `body` with an open store, which is closed afterwards.
    func withStore<Result>(_ url: String, _ body: (any SessionStore) async throws -> Result) async throws -> Result {
        let store = try await open(url)
        do {
            let result = try await body(store)
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }

    /// Runs the tool in this process.
    func tool(_ arguments: String...) async throws -> (status: Int32, output: String, errors: String) {
        try await tool(arguments)
    }

    func tool(_ arguments: [String]) async throws -> (status: Int32, output: String, errors: String) {
        let name = "\(path)/\(UUID().uuidString)"
        let files = ["in", "out", "err"].map { Foundation.open("\(name).\($0)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
        let console = Console(input: files[0], output: files[1], errors: files[2], showsProgress: true)
        let status = await Tool.run(arguments, in: ToolContext(console: console, environment: ["HOME": path]))
        for file in files { close(file) }
        return (
            status, try String(contentsOfFile: "\(name).out", encoding: .utf8),
            try String(contentsOfFile: "\(name).err", encoding: .utf8)
        )
    }

    /// Runs `verify`, and gives its report.
    func verify(_ url: String) async throws -> (status: Int32, report: JSONValue) {
        let run = try await tool("--store", url, "verify", "--json")
        let report = try JSONParser.parse(
            Array(run.output.utf8), limits: JSONLimits(maximumBytes: .max, maximumDepth: 64))
        return (run.status, report)
    }
}

extension JSONValue {
    /// The problems of a report that are of this kind.
    func problems(_ kind: String) -> [JSONValue] {
        (self["problems"]?.arrayValue ?? []).filter { $0["kind"]?.stringValue == kind }
    }
}

/// Every session as its native document, without the time of the export.
func documents(of store: any SessionStore) async throws -> [String: String] {
    let service = store.makeService()
    var documents: [String: String] = [:]
    var cursor: SessionCursor?
    repeat {
        let page = try await service.list(limit: 100, after: cursor)
        for session in page.sessions {
            var bytes: [UInt8] = []
            for try await chunk in service.exportSession(session.id) { bytes += chunk }
            documents[session.id.description] = String(decoding: bytes, as: UTF8.self)
                .replacing(/"exported_at":"[^"]*",/, with: "", maxReplacements: 1)
        }
        cursor = page.next
    } while cursor != nil
    return documents
}

extension SessionService {
    /// A session with some messages.
    func filled(_ count: Int, actor: String = "test/actor", content: String = "message") async throws -> Session {
        let session = try await create(actorName: actor, metadata: ["n": 1, "x": 1.0])
        if count > 0 {
            try await append((1...count).map { NewMessage(.user, "\(content) \($0)") }, to: session.id)
        }
        return try await get(session.id)
    }
}

/// The error that `body` throws; the test fails if it throws none.
func storeError<Success>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws(StoreError) -> Success
) async throws -> StoreError {
    do throws(StoreError) {
        _ = try await body()
    } catch {
        return error
    }
    return try #require(nil as StoreError?, "no error was thrown", sourceLocation: sourceLocation)
}
#endif
