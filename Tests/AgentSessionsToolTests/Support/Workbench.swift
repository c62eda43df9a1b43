import AgentSessions
import AgentSessionsBackends
import AgentSessionsTestSupport
import Foundation
import Testing

@testable import agent_sessions

/// A folder of one test with a store in it, and the tool to run on it in this process.
final class Workbench: Sendable {
    let path: String
    let environment: [String: String]
    let registry: BackendRegistry

    init(environment: [String: String] = [:], registry: BackendRegistry = .standard) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "tool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path(percentEncoded: false)
        self.environment = environment.merging(["TMPDIR": path, "HOME": path]) { given, _ in given }
        self.registry = registry
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A file in the folder.
    func path(_ name: String) -> String { "\(path)/\(name)" }

    /// The URL of a store in the folder.
    func store(_ name: String = "a.db") -> String { "sqlite://\(path)/\(name)" }

    /// Writes a file in the folder, and gives its path.
    @discardableResult
    func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        try Data(bytes).write(to: URL(filePath: path(name)))
        return path(name)
    }

    /// The bytes of a file in the folder.
    func contents(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path(name)))) }

    /// The names of the files in the folder with this prefix.
    func files(_ prefix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasPrefix(prefix) }.sorted()
    }

    /// Runs the tool on the store of the folder.
    func run(_ arguments: String..., input: [UInt8] = []) async throws -> ToolRun {
        try await run(["--store", store()] + arguments, input: input)
    }

    /// Runs the tool with these arguments alone.
    func run(_ arguments: [String], input: [UInt8] = [], showsProgress: Bool = false) async throws -> ToolRun {
        let name = UUID().uuidString
        try file("\(name).in", input)
        let files = try ["in", "out", "err"].map { suffix in
            let descriptor = open(path("\(name).\(suffix)"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            return try #require(descriptor >= 0 ? descriptor : nil)
        }
        let console = Console(input: files[0], output: files[1], errors: files[2], showsProgress: showsProgress)
        let context = ToolContext(console: console, environment: environment, registry: registry)
        let status = await Tool.run(arguments, in: context)
        for file in files { close(file) }
        let result = ToolRun(
            status: status, output: try contents("\(name).out"),
            errors: String(decoding: try contents("\(name).err"), as: UTF8.self))
        for suffix in ["in", "out", "err"] { try FileManager.default.removeItem(atPath: path("\(name).\(suffix)")) }
        return result
    }
}

extension ToolRun {
    func expectRefusal(_ hint: String, _ statuses: [Int32] = [1], _ location: SourceLocation = #_sourceLocation) {
        expectRefusal([hint], statuses: statuses, location)
    }
}

extension Workbench {
    /// Creates a session, and gives its id.
    func session(_ actor: String = "local/test") async throws -> String {
        let made = try await run("create", "--actor", actor, "--json").json()
        return try #require(made["id"]?.stringValue)
    }

    /// Appends a message, and gives it.
    @discardableResult
    func append(_ id: String, _ role: String, _ content: String, _ options: String...) async throws -> JSONValue {
        try await run(["--store", store(), "append", id, "--role", role, "--content", content, "--json"] + options)
            .json()
    }

    /// The whole of a session as `show` gives it.
    func show(_ id: String, _ options: String...) async throws -> JSONValue {
        try await run(["--store", store(), "--json", "show", id] + options).json()
    }
}
