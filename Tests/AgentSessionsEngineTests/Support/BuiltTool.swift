#if SQLite && LMDB && Postgres
import AgentSessions
import Foundation
import AgentSessionsPostgresServer
import AgentSessionsTestSupport
import Testing

/// The built tool on a store, in a process of its own for each run.
struct BuiltTool: Sendable {
    static let program = BuiltProgram("agent-sessions")

    /// The URL of the store.
    let store: String
    /// What runs the tool.
    private let command: [String]

    init(on store: String) throws {
        self.store = store
        command = [try Self.program.path]
    }

    /// The tool without root's rights, if the tests have them. It is copied into `folder`, which every user may
    /// read then.
    init(on store: String, asNobodyIn folder: String) throws {
        self.store = store
        command = try Self.program.commandAsNobody(copiedTo: folder)
    }

    /// Runs a verb to its end.
    func run(_ arguments: [String], input: [UInt8] = []) async throws -> ToolRun {
        let outcome = try await Shell.outcome(command + ["--store", store] + arguments, input: input)
        return ToolRun(status: outcome.status, output: outcome.output, errors: outcome.errors)
    }

    func run(_ arguments: String..., input: [UInt8] = []) async throws -> ToolRun {
        try await run(arguments, input: input)
    }

    /// Runs a verb with `--json`, which has to succeed, and gives what it printed.
    func json(_ arguments: String..., input: [UInt8] = []) async throws -> JSONValue {
        try await run(arguments + ["--json"], input: input).json()
    }

    // MARK: What most tests do

    /// Creates a session, and gives its id.
    func createSession() async throws -> String {
        try #require(try await json("create", "--actor", "local/test")["id"]?.stringValue)
    }

    /// Every message of a session.
    func messages(of id: String) async throws -> [JSONValue] {
        try #require(try await json("show", id)["messages"]?.arrayValue)
    }

    /// Checks that `verify` finds nothing.
    func expectSound(_ location: SourceLocation = #_sourceLocation) async throws {
        let verified = try await run("verify", "--json")
        #expect(verified.status == 0, "\(verified.text)\(verified.errors)", sourceLocation: location)
    }
}

extension ToolRun {
    func expectRefusal(_ hints: String..., location: SourceLocation = #_sourceLocation) {
        expectRefusal(hints, location)
    }
}
#endif
